"""The worker: a supervisor that holds leases, and a child process that computes.

In: the address of a server. Out: published files, and outcomes reported to the server.
Used by `ina.worker`; standalone runs and Slurm tasks use its child process, without a server.
"""
