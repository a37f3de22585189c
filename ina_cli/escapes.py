r"""Control characters in names and paths are shown, such as `\x1b`: no terminal obeys them.

A name may hold codes with which a terminal changes its title, erases lines or turns the order of
letters round. So they are made visible where text is printed, for all that a program prints. What a
program itself does to the terminal, it does by `ina_cli.console`.
"""

import re
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""C0 without tab and line break, DEL, C1, other line breaks, what turns the order of letters round,
and bytes of a path that are no text."""
_BYTE = 0x100


def visible(text: str) -> str:
    r"""Return a text with each control character as its code, such as `\x1b` or `\u202e`.

    Args:
        text: Text that is to be printed.
    """
    return _HIDDEN.sub(_code, text)


def _code(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number < _BYTE else f"\\u{number:04x}"


class EscapingStream:
    """An output that makes control characters visible, but for those of `ina_cli.console`.

    Args:
        stream: The output.
    """

    own = threading.local()
    """Whether this thread prints codes of the program itself."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text."""
        is_own = getattr(self.own, "is_printing", False)
        self._stream.write(text if is_own else visible(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts."""
        for line in lines:
            self.write(line)


def show() -> tuple[TextIO, TextIO]:
    """Make what this process prints visible from now on; return the outputs of before."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(_escaping, before)
    return before


@contextmanager
def shown() -> Iterator[None]:
    """Make visible what is printed inside the context; see `visible`."""
    before = show()
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _escaping(stream: TextIO) -> TextIO:
    is_done = stream is None or isinstance(stream, EscapingStream)
    return stream if is_done else cast(TextIO, EscapingStream(stream))


def as_it_is(stream: TextIO) -> TextIO:
    """Return an output for what programs read, such as JSON, which has an own way to write codes.

    Args:
        stream: The output.
    """
    return cast(TextIO, OwnCodes(stream))


class OwnCodes:
    """An output on which the program itself steers the terminal, or prints for other programs.

    Args:
        stream: The output, as others print on it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text with its codes."""
        EscapingStream.own.is_printing = True
        try:
            return self._stream.write(text)
        finally:
            EscapingStream.own.is_printing = False
