"""Option `--anonymise`: hide all faces, or those with or without a name, or some names."""

from collections.abc import Iterable

MODES = ("all", "unnamed", "named")
"""Hide all persons; persons without a name; persons with a name. Any other value is a list of
names."""


def needs_names(choice: str | None) -> bool:
    """Return whether a choice needs a gallery.

    Without a gallery no person has a name, and `unnamed` hides all persons.

    Args:
        choice: One of `MODES`, names with commas between them, or `None` to hide no face.
    """
    return choice is not None and choice not in ("all", "unnamed")


def hides(choice: str | None, name: str | None) -> bool:
    """Return whether the faces of a person are hidden.

    Args:
        choice: One of `MODES`, names with commas between them, or `None` to hide no face.
        name: Name of the person, `None` without one; upper and lower case are the same.
    """
    if choice is None:
        return False
    if choice == "all":
        return True
    if choice in ("named", "unnamed"):
        return (name is not None) == (choice == "named")
    return name is not None and _folded(name) in _listed(choice, [name])


def unknown(choice: str, names: Iterable[str]) -> list[str]:
    """Return the names in a choice that the gallery does not have.

    Args:
        choice: One of `MODES`, or names with commas between them.
        names: Names of the gallery.
    """
    if choice in MODES:
        return []
    folded = {_folded(name) for name in names}
    return [part for part in _listed(choice, names) if part not in folded]


def _listed(choice: str, names: Iterable[str]) -> list[str]:
    """Return the names in a choice, folded; one of `names` may contain a comma itself."""
    folded = {_folded(name) for name in names}
    parts, listed = _folded(choice).split(","), []
    while parts:
        ends = range(len(parts), 0, -1)
        end = next((i for i in ends if ",".join(parts[:i]) in folded), 1)
        listed.append(",".join(parts[:end]))
        del parts[:end]
    return [name for name in listed if name]


def _folded(text: str) -> str:
    """Return text in lower case and without spaces around commas, to compare it."""
    return ",".join(part.strip() for part in text.casefold().split(","))
