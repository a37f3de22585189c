"""Execution of networks: choice of device and backend, memory, batches.

In: a model file and batches. Out: arrays, the same for every batch size.
Used by stages and by the pipeline, which creates the `Runtime`.
"""
