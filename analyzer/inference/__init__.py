"""Execution of networks: device choice, memory, the backends' common runtime.

In: a model file and batches. Out: arrays, the same for every batch size.
Used by stages and by the pipeline, which makes the `Runtime`.
"""
