"""Jobs: a durable ledger, leases over Pyro5, workers and safe publishing.

In: a joblist, and a function that does one job. Out: result files, each complete or absent.
Used by `ina`, which knows what a job computes; this package does not.
"""
