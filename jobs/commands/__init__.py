"""The commands of `python -m jobs`, one a file."""
