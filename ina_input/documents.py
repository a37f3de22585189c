"""JSON of bounded depth and size, with numbers that fit into 64 bits, and each key once."""

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from ina_input import regular
from ina_input.regular import BoundExceeded, Location, Opener

MAX_DEPTH = 64
MAX_VALUES = 5_000_000
MAX_LINE_CHARACTERS = 1 << 24
MAX_LINES = 1_000_000
_INTEGERS = range(-(1 << 63), 1 << 63)
_DIGITS = 20
"""Of the longest of `_INTEGERS`, with its sign."""
_SHOWN = 40
_TEXT = re.compile(r'"[^"]*"?')
_NO_BRACKETS = re.compile(r"[^\[\]{}]+")


def read(path: Location, *, opener: Opener = regular.open_descriptor) -> Any:
    """Read a file of JSON in UTF-8.

    Args:
        path: Path of the file.
        opener: Function that opens the file.

    Raises:
        OSError: The file is missing, unreadable, or not a regular file.
        ValueError: See `parse`; or the file is too large, or not UTF-8.
    """
    return parse(regular.read_text(path, opener=opener))


def read_lines(
    path: Location, *, opener: Opener = regular.open_descriptor
) -> Iterator[tuple[int, Any]]:
    """Yield the number and the value of each line of a file; empty lines are left out.

    Args:
        path: Path of a file with a JSON value a line, in UTF-8.
        opener: Function that opens the file.

    Raises:
        OSError: The file is missing, unreadable, or not a regular file.
        ValueError: See `parse`; with the number of the line.
    """
    with regular.open_text(path, opener=opener) as stream:
        for number, line in enumerate(
            iter(lambda: stream.readline(MAX_LINE_CHARACTERS + 1), ""), 1
        ):
            if len(line) > MAX_LINE_CHARACTERS:
                raise BoundExceeded(f"line {number}: more than {MAX_LINE_CHARACTERS} characters")
            if number > MAX_LINES:
                raise BoundExceeded(f"more than {MAX_LINES} lines")
            if line.strip():
                try:
                    yield number, parse(line)
                except ValueError as error:
                    raise ValueError(f"line {number}: {error}") from error


def parse(text: str | bytes, *, object_hook: Callable[[dict[str, Any]], Any] | None = None) -> Any:
    """Return the value of a JSON text.

    Args:
        text: JSON; of bytes, in UTF-8.
        object_hook: Function that makes something else of each object.

    Raises:
        json.JSONDecodeError: The text is not JSON; as all others a `ValueError`.
        BoundExceeded: Deeper than `MAX_DEPTH`, or of more than `MAX_VALUES` values.
        ValueError: A number is not finite or has more than 64 bits, or an object has a key twice.
    """
    plain = text if isinstance(text, str) else text.decode("utf-8")
    _require_bounds(plain)
    try:
        return (_decoder(object_hook) if object_hook else _PLAIN).decode(plain)
    except RecursionError as error:
        raise BoundExceeded(f"nested more than {MAX_DEPTH} deep") from error


def fault(error: Exception) -> str:
    """Return in words why a document is not of the form that a reader wants.

    Args:
        error: What reading it has raised.
    """
    if isinstance(error, KeyError):
        return f"it has no {error.args[0]}"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, TypeError | AttributeError | IndexError):
        return "a value in it is of another kind"
    return str(error)


def _require_bounds(text: str) -> None:
    """Count values and levels before anything is made of them."""
    openings = text.count("[") + text.count("{")
    if openings <= MAX_DEPTH and text.count(",") <= MAX_VALUES:
        return
    outside = _TEXT.sub("", text.replace("\\\\", "").replace('\\"', ""))
    if outside.count(",") + outside.count("[") + outside.count("{") > MAX_VALUES:
        raise BoundExceeded(f"more than {MAX_VALUES} values")
    brackets = _NO_BRACKETS.sub("", outside)
    for _ in range(MAX_DEPTH):
        # Each time the innermost level goes.
        brackets = brackets.replace("[]", "").replace("{}", "")
    is_deeper = "[]" in brackets or "{}" in brackets
    # What is left otherwise is not closed, or closed by the wrong bracket: the parser says so.
    if is_deeper or brackets.count("[") + brackets.count("{") > MAX_DEPTH:
        raise BoundExceeded(f"nested more than {MAX_DEPTH} deep")


def _integer(text: str) -> int:
    # The length comes first: a number of a million digits would take minutes.
    number = int(text) if len(text) <= _DIGITS else None
    if number is None or number not in _INTEGERS:
        raise ValueError(f"the number {text[:_SHOWN]} has more than 64 bits")
    return number


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:_SHOWN]} is too large")
    return number


def _refused(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a finite number")


def _decoder(object_hook: Callable[[dict[str, Any]], Any] | None) -> json.JSONDecoder:
    def as_object(pairs: list[tuple[str, Any]]) -> Any:
        values = dict(pairs)
        if len(values) != len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in values if keys.count(key) > 1)
            raise ValueError(f"the key {twice[:_SHOWN]!r} stands there twice")
        return object_hook(values) if object_hook else values

    return json.JSONDecoder(
        object_pairs_hook=as_object,
        parse_int=_integer,
        parse_float=_number,
        parse_constant=_refused,
    )


_PLAIN = _decoder(None)
"""Made once: a log of events is many small documents."""
