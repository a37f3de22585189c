"""Plug-ins of the analysis: a folder per stage, a file per choice.

`analyzer/stages/detect/centerface.py` is `--detector centerface`. Each stage's `__init__` holds the
protocol of its components. Stages never import each other; `analyzer.registry` loads them.
"""
