"""The end of a program that prints into a pipe which nobody reads any more, such as `| head`."""

import os
import sys
from collections.abc import Callable

CODE = 141
"""Exit code of a program that SIGPIPE ended, as a shell shows it."""


def printing(run: Callable[[], int]) -> int:
    """Run a command; where its output is no longer read, end quietly.

    Args:
        run: Function that runs the command and returns its exit code.
    """
    try:
        code = run()
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer is written at the exit, and would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CODE
    return code
