"""The commands of `python -m jobs`: one file for each, with `add(commands)` and `run(args)`.

In: command-line arguments. Out: printed text and exit codes.
Used by `jobs.__main__`; `_arguments.py` also by the server.
"""
