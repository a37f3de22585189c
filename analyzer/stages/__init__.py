"""Plug-ins of the analysis: a folder per stage, a file per choice.

`analyzer/stages/detect/centerface.py` is `--detector centerface`. The `__init__` of each stage
holds the protocol of its components. Stages never import each other; `analyzer.registry` loads
them.

In: what the stage before gives, from the path of a medium to embeddings of tracks. Out: what the
next stage takes, from frames to a label for each track.
Used by the pipeline; others import the protocols only.
"""
