"""Jobs: a durable ledger, leases over Pyro5, workers and safe publishing.

This package knows leases and files, and nothing about what a job computes.
"""
