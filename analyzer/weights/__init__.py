"""Weight files: catalogue, location, verification, download, specification of networks.

In: a model's name or path. Out: the path of a file with the right sha256.
Used by stages, training, `ina` and the command `models`; a job never downloads anything.
"""
