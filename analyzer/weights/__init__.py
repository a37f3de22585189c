"""Weight files: which there are, where they lie, how they are fetched and verified.

In: a model's name or path. Out: a file with the right sha256.
Used by stages and the command `models`; never fetches during a job.
"""
