"""Components that a Python program gives as objects, in the place of a spec's text."""

import itertools
from typing import Any
from weakref import WeakValueDictionary

from analyzer.errors import MissingPlugin, UsageError

_OBJECTS: "WeakValueDictionary[str, Any]" = WeakValueDictionary()
_NUMBERS = itertools.count(1)


def offer(component: Any) -> str:
    """Return the text that selects an object, as long as the object exists.

    Args:
        component: Component, or a class or function that creates one.

    Raises:
        UsageError: The object cannot be referred to.

    Example:
        `offer(Squares(64))` is `<squares.Squares 1>`.
    """
    for text, offered in _OBJECTS.items():
        if offered is component:
            return text
    named = component if hasattr(component, "__qualname__") else type(component)
    text = f"<{named.__module__}.{named.__qualname__} {next(_NUMBERS)}>".replace(":", ".")
    try:
        _OBJECTS[text] = component
    except TypeError as error:
        raise UsageError(f"{text}: cannot be given as a component: {error}") from error
    return text


def is_object(text: str) -> bool:
    """Return whether a text selects an object."""
    return text.startswith("<")


def get(text: str) -> Any:
    """Return an offered object.

    Raises:
        MissingPlugin: It exists no more, or belongs to another process.
    """
    try:
        return _OBJECTS[text]
    except KeyError:
        raise MissingPlugin(
            f"{text}: an object of another program, or of an earlier run: give it again, or give "
            "the file or the module of its class"
        ) from None
