"""The joint between analysis and cluster: the only package that imports both `analyzer` and `jobs`.

`server` and `worker` are the two programs; `analysis` tells `jobs` what it must know of options.
"""
