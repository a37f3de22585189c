"""The ledger: every job's state in one SQLite file, with leases and growing tokens.

In: job specs, claims, manifests. Out: jobs with tokens, from which the server makes leases.
Used by the server, the dashboard and the commands; one process writes. `ledger` draws the states
of a job.
"""
