"""Checks of single options, and their types; a `UsageError` names the option and the cure."""

import difflib
import math
import numbers
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import Field
from typing import Any

from analyzer import registry
from analyzer.errors import UsageError

Check = Callable[[str, Any], None]
"""Function that takes the name of an option and its value, which is not `None`."""


def require(holds: bool, message: str) -> None:
    """Require a condition.

    Args:
        holds: Whether the condition holds.
        message: Message of the error.

    Raises:
        UsageError: The condition does not hold.
    """
    if not holds:
        raise UsageError(message)


def check(option: "Field[Any]", value: Any) -> None:
    """Check one option: a finite number, and its metadata `choices`, `check`, `plugin`, `extra`.

    Args:
        option: Field of the option.
        value: Value of the option; `None` is right where it is the default.

    Raises:
        UsageError: The value is wrong.
    """
    if value is None:
        require(option.default is None, f"{option.name}: give a value")
        return
    choices = option.metadata.get("choices")
    require(
        choices is None or value in choices,
        f"{option.name} {value!r}: choose from {', '.join(choices or ())}",
    )
    if "check" in option.metadata:
        option.metadata["check"](option.name, value)
    if isinstance(value, float):
        require(math.isfinite(value), f"{option.name} {value!r}: give a number")
    if "plugin" in option.metadata and value != option.metadata.get("extra"):
        registry.check(option.metadata["plugin"], value)


def in_one_form(option: "Field[Any]", value: Any) -> Any:
    """Return a number in the form that the command line gives it: equal options, equal digests.

    Args:
        option: Field of the option.
        value: Value of the option; others than numbers stay as they are.

    Raises:
        UsageError: The option is a number, and the value is none.
    """
    kind = option.metadata["read"]
    if kind not in (int, float) or value is None:
        return value
    right = isinstance(value, numbers.Real)
    if kind is int:
        right = right and math.isfinite(value) and value == int(value)
    name = "whole number" if kind is int else "number"
    require(right, f"{option.name} {value!r}: give a {name}")
    return option.default if value == option.default else kind(value)


def above_zero(name: str, value: float) -> None:
    """Require a number above 0."""
    require(0 < value < math.inf, f"{name} {value}: must be above 0, and finite")


def at_least_one(name: str, value: float) -> None:
    """Require 1 or more."""
    require(1 <= value < math.inf, f"{name}: must be at least 1, and finite")


def zero_or_more(name: str, value: float) -> None:
    """Require 0 or more."""
    require(0 <= value < math.inf, f"{name}: must be 0 or more, and finite")


def zero_to_one(name: str, value: float) -> None:
    """Require a number from 0 to 1."""
    require(0 <= value <= 1, f"{name}: must be 0 (off) to 1")


def share(name: str, value: float) -> None:
    """Require a share from 0 to 1."""
    require(0 <= value <= 1, f"{name}: must be 0 (off) to 1, a share")


def between_zero_and_one(name: str, value: float) -> None:
    """Require a number above 0 and below 1."""
    require(0 < value < 1, f"{name}: must be above 0 and below 1")


def device(name: str, value: str) -> None:
    """Require the name of a device."""
    require(
        re.fullmatch(r"auto|cpu|cuda(:\d+)?", value) is not None,
        f"{name} {value!r}: must be auto, cpu, cuda, or cuda:N",
    )


def subset_of(allowed: Sequence[str]) -> Check:
    """Return a check that requires a subset of names.

    Args:
        allowed: Allowed names.
    """

    def check_names(name: str, values: Sequence[str]) -> None:
        unknown = sorted(set(values) - set(allowed))
        require(not unknown, f"{name} {unknown}: choose from {', '.join(allowed)}")

    return check_names


def with_nearest(name: str, names: Collection[str]) -> str:
    """Return an unknown name for a message, with the nearest of the known names.

    Args:
        name: The unknown name.
        names: The known names.
    """
    close = difflib.get_close_matches(name, names, n=1)
    return f"{name} (did you mean {close[0]}?)" if close else name


def typed(option: "Field[Any]", value: Any) -> Any:
    """Return a value with the type of its field; text is parsed.

    Args:
        option: Field of the option.
        value: Value of the option, or its text.

    Raises:
        UsageError: The text cannot be parsed.
    """
    if not isinstance(value, str):
        return tuple(value) if isinstance(value, list) else value
    try:
        return option.metadata["read"](value)
    except ValueError:
        kind = option.metadata["read"].__name__
        raise UsageError(f"{option.name}: {value!r} cannot be read as {kind}") from None
