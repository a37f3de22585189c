"""The worker: a supervisor that holds leases, and a child that computes.

In: a server's address. Out: published files, and outcomes told to the server.
Used by `ina.worker` and standalone runs.
"""
