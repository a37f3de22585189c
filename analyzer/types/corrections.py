"""Corrections of a reviewer, and the faces that anchor them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """Face of the person or track that a correction changes."""

    time_s: float = 0.0
    """Time of the picture with the face; of no meaning with `picture`."""
    picture: str | int | None = None
    """Still with the face: its file name, with as many folders as tell it from others, or its
    number; `None` in a video."""
    bbox: tuple[float, ...]
    """Box of the face, `x1, y1, x2, y2`, as in the csv."""


@dataclass(frozen=True, kw_only=True)
class Correction:
    """One step of a review.

    Numbers of persons and tracks are valid for one analysis; anchors are valid for every analysis
    of the medium.
    """

    op: str
    """`rename`, `merge`, `split` or `not_a_face`."""
    numbers: tuple[int, ...]
    """Number of the person, of each person of a merge, or of the track."""
    anchors: tuple[tuple[Anchor, ...], ...]
    """Some faces of each of `numbers`, as they were before this step; empty if only the number is
    known."""
    name: str = ""
    """New name of a person; empty: the name is removed."""

    def __str__(self) -> str:
        numbers = ", ".join(map(str, self.numbers))
        if self.op == "rename":
            return f"person {numbers} is {self.name or 'nobody we know'}"
        if self.op == "merge":
            return f"persons {numbers} are one"
        return f"track {numbers} is {'somebody else' if self.op == 'split' else 'not a face'}"


@dataclass(frozen=True, kw_only=True)
class CorrectionsDocument:
    """Content of a file of corrections."""

    uri: str
    """Path of the medium."""
    name: str
    """Last part of the medium's path."""
    options: str
    """Hash of the options of an analysis; the numbers are valid for analyses with this hash."""
    corrections: tuple[Correction, ...]
    """Corrections in the order in which they are applied."""


def combine(earlier: Sequence[Correction], later: Sequence[Correction]) -> tuple[Correction, ...]:
    """Join earlier and later corrections.

    Where `later` begins with all of `earlier`, because the same page was saved again, the common
    part is taken once.
    """
    both = min(len(earlier), len(later))
    if all(map(_is_same, earlier[:both], later[:both])):
        return (*earlier, *later[both:])
    return (*earlier, *later)


def _is_same(earlier: Correction, later: Correction) -> bool:
    """Return whether two corrections are equal; numbers count only without anchors."""
    if (earlier.op, earlier.name) != (later.op, later.name):
        return False
    return (
        earlier.anchors == later.anchors if any(later.anchors) else earlier.numbers == later.numbers
    )


def without(corrections: Sequence[Correction], name: str | None) -> tuple[Correction, ...]:
    """Return the corrections with a name removed.

    Args:
        corrections: Corrections in order.
        name: Name to remove; corrections that gave it to a person give none; `None`: no change.
    """
    return tuple(replace(c, name="") if name and c.name == name else c for c in corrections)
