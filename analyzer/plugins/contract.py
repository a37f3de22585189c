"""What a component must have: the members of its stage's protocol."""

import importlib
from collections.abc import Iterator
from typing import Any

from analyzer.errors import UsageError


def require(component: Any, protocol: str, name: str) -> None:
    """Require that a component has the members of a protocol.

    Args:
        component: Component of a plug-in.
        protocol: `module:class` of the protocol.
        name: Name of the component, for the message.

    Raises:
        UsageError: A member is missing; the message names all that are.
    """
    missing = [member for member in members(protocol) if not hasattr(component, member)]
    if missing:
        module, _, class_name = protocol.partition(":")
        raise UsageError(
            f"{name}: a {class_name} needs {', '.join(missing)}: see {class_name} in {module}"
        )


def is_fulfilled(component: Any, protocol: str) -> bool:
    """Return whether an object, not a class, has the members of a protocol."""
    if isinstance(component, type):
        return False
    return all(hasattr(component, member) for member in members(protocol))


def members(protocol: str) -> list[str]:
    """Return the public members of a protocol.

    Args:
        protocol: `module:class` of the protocol.
    """
    module, _, class_name = protocol.partition(":")
    return list(dict.fromkeys(_members(getattr(importlib.import_module(module), class_name))))


def _members(protocol: type) -> Iterator[str]:
    for base in reversed(protocol.__mro__):
        if getattr(base, "_is_protocol", False):
            # Python 3.12 and later list them; annotations are evaluated late from 3.14 on.
            names = getattr(base, "__protocol_attrs__", None)
            if names is None:
                names = {*vars(base).get("__annotations__", {}), *vars(base)}
            yield from (name for name in sorted(names) if not name.startswith("_"))
