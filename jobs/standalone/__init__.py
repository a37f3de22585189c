"""Work without a server: a journal keeps what a ledger keeps elsewhere.

In: a piece of work. Out: published files and a journal.
Used by `jobs run-job`, Slurm tasks and other schedulers.
"""
