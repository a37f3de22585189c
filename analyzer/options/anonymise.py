"""The option `--anonymise`: hide all faces, or those with or without certain names."""

from collections.abc import Iterable

MODES = ("all", "unnamed", "named")
"""Everybody; all but those who have a name; those who have one. All else is a list of names."""


def needs_names(choice: str | None) -> bool:
    """Whether it takes a gallery to know who is meant.

    Without one nobody has a name, and ``unnamed`` hides everybody.
    """
    return choice is not None and choice not in ("all", "unnamed")


def hides(choice: str | None, name: str | None) -> bool:
    """Whether the faces of somebody of this name (``None``: of nobody's) are to be hidden.

    Args:
        choice: one of `MODES`, names with commas between them, or ``None`` to hide nobody.
        name: as the gallery has it; upper and lower case are the same.
    """
    if choice is None or choice == "all":
        return choice == "all"
    if choice in ("named", "unnamed"):
        return (name is not None) == (choice == "named")
    return name is not None and _folded(name) in _listed(choice, [name])


def unknown(choice: str, names: Iterable[str]) -> list[str]:
    """What a list of names asks for that is not among the names there are."""
    if choice in MODES:
        return []
    folded = {_folded(name) for name in names}
    return [part for part in _listed(choice, names) if part not in folded]


def _listed(choice: str, names: Iterable[str]) -> list[str]:
    """The names of a list; one with a comma in it counts as a whole where it is among ``names``."""
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
