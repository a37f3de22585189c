"""The end of a program that prints into a pipe which nobody reads any more, such as `| head`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

CODE = 141
"""Exit code of a program that SIGPIPE ended, as a shell shows it."""


@contextmanager
def printing() -> Iterator[None]:
    """End the program quietly where its output is no longer read.

    Raises:
        SystemExit: Nobody reads it.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer is written at the exit, and would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(CODE) from None
