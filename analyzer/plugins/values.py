"""Options of a spec, converted to the types that the creating function declares."""

import inspect
import math
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Union, get_args, get_origin, get_type_hints

from analyzer.errors import UsageError


def convert(
    create: Callable[..., Any],
    options: Sequence[tuple[str, str]],
    name: str,
    context_names: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Convert the text of options to the types that a function declares.

    Args:
        create: Function; its keywords are the options.
        options: Names and values, as text.
        name: Name for error messages.
        context_names: Keywords that are no options: the caller passes them itself.

    Raises:
        UsageError: An option does not exist, or its value cannot be read.
    """
    hints = _hints(create)
    parameters = inspect.signature(create).parameters
    # `attributes_` is the keyword of the option `attributes` where `attributes` is context.
    keyword_of = {
        k.rstrip("_"): k
        for k, p in parameters.items()
        if k not in context_names and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    }
    values = {}
    for key, text in options:
        if key not in keyword_of:
            raise UsageError(
                f"{name} has no option {key!r}; it has: {', '.join(keyword_of) or 'none'}"
            )
        keyword = keyword_of[key]
        try:
            values[keyword] = _value(text, hints.get(keyword, str))
        except ValueError:
            type_name = getattr(hints[keyword], "__name__", hints[keyword])
            raise UsageError(f"{name}: {key}={text!r} cannot be read as {type_name}") from None
    return values


def accepted(create: Callable[..., Any], context: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a function takes of a context: a plug-in may do without `runtime`.

    Args:
        create: Function or class.
        context: Keywords and values.
    """
    parameters = inspect.signature(create).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return dict(context)
    return {name: value for name, value in context.items() if name in parameters}


def _hints(create: Callable[..., Any]) -> dict[str, Any]:
    """Return the declared types of a function's or class's keywords."""
    return get_type_hints(create.__init__ if isinstance(create, type) else create)  # type: ignore[misc]


def _value(text: str, hint: Any) -> Any:
    """Convert the text of one option; of a union, its first type that is not `None` counts."""
    if get_origin(hint) in (Union, types.UnionType):
        if type(None) in get_args(hint) and text.lower() in ("", "none"):
            return None
        hint = next(h for h in get_args(hint) if h is not type(None))
    if hint is bool:
        if text.lower() not in ("true", "false", "1", "0", "yes", "no"):
            raise ValueError(text)
        return text.lower() in ("true", "1", "yes")
    value = hint(text)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(text)
    return value
