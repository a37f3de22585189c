"""What programs print, also where nobody reads it: a closed output, a pipe such as `| head`, a
terminal that is gone, an encoding without the letters of a name.
"""

import atexit
import errno
import gc
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

CODE = 141
"""Exit code of a program that SIGPIPE ended, as a shell shows it."""
GONE = frozenset({errno.EPIPE, errno.EIO, errno.EBADF, errno.ENXIO})
"""Errors after which no more can be printed: EIO is that of a terminal which was closed."""
UNWRITABLE = GONE | {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NOBODY = "note: nobody reads the output any more: the rest is not printed, and the work goes on"


def make_usable() -> None:
    """Let this process print without an exception: to be called before it opens any file.

    Its end is quick, too.
    """
    # The last search for garbage looks at all that libraries have: a third of a second.
    atexit.register(gc.freeze)
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The ledger would be opened as the standard output otherwise.
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A name that this terminal cannot show is shown by its codes.
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def printing() -> Iterator[None]:
    """End the program quietly where its output is no longer read.

    Raises:
        SystemExit: Nobody reads it, or it cannot be written.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout, sys.stderr)
        raise SystemExit(CODE) from None
    except OSError as error:
        if error.filename is not None or error.errno not in UNWRITABLE:
            raise
        silence(sys.stdout)
        print(f"error: the output cannot be written: {error.strerror}", file=sys.stderr)
        raise SystemExit(1) from None


@contextmanager
def steady_printing() -> Iterator[None]:
    """Go on with the work where its output is no longer read; the rest of it is dropped."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, SteadyStream(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for stream in before:
            try:
                stream.flush()
            except OSError:
                silence(stream)


def silence(*streams: TextIO) -> None:
    """Drop what is printed from now on, and what is left in the buffers."""
    for stream in streams:
        # What is left in the buffer is written at the exit, and would fail again.
        with suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)


class SteadyStream:
    """An output that drops what cannot be written.

    Args:
        stream: The output.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text, if that is possible."""
        with self._dropping():
            self._stream.write(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts, if that is possible."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Write what is in the buffer, if that is possible."""
        with self._dropping():
            self._stream.flush()

    @contextmanager
    def _dropping(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # On a full disk, there may be space again later.
            if error.errno in GONE:
                silence(self._stream)
                with suppress(OSError):
                    print(NOBODY, file=sys.__stderr__, flush=True)
