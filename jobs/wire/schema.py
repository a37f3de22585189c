"""Checks of plain values: texts, numbers, lists and tables, as JSON has them.

A check is a function that raises `Misfit` where a value is not as expected, and returns nothing. It
costs about a microsecond: every call of every worker goes through some.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

Check = Callable[[object], None]
MAX_INT = (1 << 63) - 1
"""Largest number that SQLite keeps exactly."""
MAX_NAMES = 256
"""Names in one table."""
SHOWN_CHARS = 40


class Misfit(Exception):
    """A value that is not as expected.

    Args:
        expected: Description of what fits.
        value: What came instead.
    """

    def __init__(self, expected: str, value: object) -> None:
        super().__init__(expected)
        self.expected = expected
        self.value = value
        self.path: list[str] = []
        """Keys that lead to the value, the innermost first."""

    def __str__(self) -> str:
        where = "".join(f"{key}: " for key in reversed(self.path))
        return f"{where}{_shown(self.value)} is not {self.expected}"


def _shown(value: object) -> str:
    """Return a value for a message: short, and in ASCII."""
    if isinstance(value, int) and value.bit_length() > 64:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, str):
        cut = ascii(value[:SHOWN_CHARS])
        return cut if len(value) <= SHOWN_CHARS else f"{cut}... of {len(value)} characters"
    if value is None or isinstance(value, int | float):
        return repr(value)
    size = f" of {len(value)}" if isinstance(value, list | tuple | dict) else ""
    return f"a {type(value).__name__}{size}"


def text(most: int, *, least: int = 0, is_path: bool = False) -> Check:
    """Return a check of a text without NUL.

    Args:
        most: Largest number of characters.
        least: Smallest number of characters.
        is_path: Whether it may hold bytes that are not UTF-8, as names of files do.
    """
    expected = f"a text of {least} to {most} characters without NUL"
    errors = "surrogateescape" if is_path else "strict"

    def check(value: object) -> None:
        if not isinstance(value, str) or not least <= len(value) <= most or "\0" in value:
            raise Misfit(expected, value)
        if not value.isascii():
            try:
                value.encode("utf-8", errors)
            except UnicodeEncodeError:
                raise Misfit("a text that is Unicode", value) from None

    return check


def choice(*values: str) -> Check:
    """Return a check of a text that is one of a few."""
    expected = f"one of {', '.join(filter(None, values))}"
    allowed = frozenset(values)

    def check(value: object) -> None:
        if not isinstance(value, str) or value not in allowed:
            raise Misfit(expected, value)

    return check


def digest(chars: int) -> Check:
    """Return a check of a hash in lower-case hexadecimal."""
    matches = re.compile(f"[0-9a-f]{{{chars}}}").fullmatch

    def check(value: object) -> None:
        if not isinstance(value, str) or not matches(value):
            raise Misfit(f"a hash of {chars} hexadecimal digits", value)

    return check


def whole(low: int, high: int = MAX_INT) -> Check:
    """Return a check of a whole number from `low` to `high`."""
    expected = f"a whole number from {low} to {high}"

    def check(value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise Misfit(expected, value)

    return check


def number(low: float, high: float) -> Check:
    """Return a check of a finite number from `low` to `high`."""
    expected = f"a number from {low:g} to {high:g}"

    def check(value: object) -> None:
        # A comparison with NaN is false.
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        if not fits or not low <= value <= high:  # type: ignore[operator]
            raise Misfit(expected, value)

    return check


def flag(value: object) -> None:
    """Check that a value is true or false."""
    if not isinstance(value, bool):
        raise Misfit("true or false", value)


def scalar(most: int) -> Check:
    """Return a check of a text of `most` characters, a finite number, or a boolean."""
    check_text = text(most)

    def check(value: object) -> None:
        if isinstance(value, str):
            check_text(value)
        elif isinstance(value, int):
            if not -MAX_INT <= value <= MAX_INT:
                raise Misfit("a whole number of 64 bits", value)
        elif not isinstance(value, float) or not math.isfinite(value):
            raise Misfit("a text, a finite number, or true or false", value)

    return check


def optional(check_value: Check) -> Check:
    """Return a check of a value that may be None."""

    def check(value: object) -> None:
        if value is not None:
            check_value(value)

    return check


def items(check_item: Check, *, most: int) -> Check:
    """Return a check of a list of up to `most` equal things."""
    expected = f"a list of at most {most}"

    def check(value: object) -> None:
        if not isinstance(value, list | tuple) or len(value) > most:
            raise Misfit(expected, value)
        for position, item in enumerate(value):
            try:
                check_item(item)
            except Misfit as misfit:
                misfit.path.append(str(position))
                raise

    return check


def row(**checks: Check) -> Check:
    """Return a check of a list with one value for each of these checks, in order."""
    names, columns = list(checks), list(checks.values())
    expected = f"a list of {', '.join(names)}"

    def check(value: object) -> None:
        if not isinstance(value, list | tuple) or len(value) != len(columns):
            raise Misfit(expected, value)
        for position, check_value in enumerate(columns):
            try:
                check_value(value[position])
            except Misfit as misfit:
                misfit.path.append(names[position])
                raise

    return check


def record(
    required: Mapping[str, Check],
    extra: Mapping[str, Check] | None = None,
    *,
    others: Check | None = None,
) -> Check:
    """Return a check of a table with named values.

    Args:
        required: Check of each value that must be there.
        extra: Check of each value that may be there.
        others: Check of values with other names; by default there are none.
    """
    known = {**required, **(extra or {})}
    names = frozenset(required)
    check_name = text(200, least=1)
    expected = f"a table with {', '.join(required)}" if required else "a table"

    def check(value: object) -> None:
        if not isinstance(value, dict) or not names <= value.keys():
            raise Misfit(expected, value)
        if len(value) > MAX_NAMES:
            raise Misfit(f"a table of at most {MAX_NAMES}", value)
        for name, entry in value.items():
            try:
                check_value = known.get(name)
                if check_value is None:
                    if others is None:
                        raise Misfit("a name that is known", name)
                    check_name(name)
                    check_value = others
                check_value(entry)
            except Misfit as misfit:
                misfit.path.append(_shown(name).strip("'"))
                raise

    return check


def table(check_value: Check, *, least: int = 0) -> Check:
    """Return a check of a table with free names and equal values."""
    check_record = record({}, others=check_value)

    def check(value: object) -> None:
        check_record(value)
        if len(value) < least:  # type: ignore[arg-type]
            raise Misfit(f"a table of at least {least}", value)

    return check
