"""The option `--anonymise`: hide all faces, or those with or without certain names."""

from collections.abc import Iterable

MODES = ("all", "unnamed", "named")
"""Everybody; all but those who have a name; those who have one. All else is a list of names."""


def needs_names(choice: str | None) -> bool:
    """Return whether the choice needs a gallery.

    Without one no person has a name, and `unnamed` hides all.
    """
    return choice is not None and choice not in ("all", "unnamed")


def hides(choice: str | None, name: str | None) -> bool:
    """Return whether the faces of a person of this name (`None`: without one) are hidden.

    Args:
        choice: One of `MODES`, names with commas between them, or `None` to hide none.
        name: As the gallery has it; upper and lower case are the same.
    """
    if choice is None:
        return False
    if choice == "all":
        return True
    if choice in ("named", "unnamed"):
        return (name is not None) == (choice == "named")
    return name is not None and _folded(name) in _listed(choice, [name])


def unknown(choice: str, names: Iterable[str]) -> list[str]:
    """Return the names of a list that are not among the names of the gallery."""
    if choice in MODES:
        return []
    folded = {_folded(name) for name in names}
    return [part for part in _listed(choice, names) if part not in folded]


def _listed(choice: str, names: Iterable[str]) -> list[str]:
    """Return the names of a list; a name with a comma counts as a whole if it is known."""
    folded = {_folded(name) for name in names}
    parts, listed = _folded(choice).split(","), []
    while parts:
        ends = range(len(parts), 0, -1)
        end = next((i for i in ends if ",".join(parts[:i]) in folded), 1)
        listed.append(",".join(parts[:end]))
        del parts[:end]
    return [name for name in listed if name]


def _folded(text: str) -> str:
    """Text without regard to case, and to spaces around commas."""
    return ",".join(part.strip() for part in text.casefold().split(","))
