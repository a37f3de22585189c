"""The ledger: every job's state in one SQLite file, with leases and growing tokens.

In: job specs, claims, manifests. Out: leases and answers. `ledger` draws the state diagram.
Used by the server and the commands; one process writes.
"""
