"""Corrections that a reviewer has made, and the faces that anchor them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """A face of the person or track that a correction changes."""

    time_s: float
    bbox: tuple[float, ...]
    """`x1, y1, x2, y2`, as in the csv."""


@dataclass(frozen=True, kw_only=True)
class Correction:
    """One step; the number of a person or track holds for one analysis, anchors for all."""

    op: str
    """`rename`, `merge`, `split` or `not_a_face`."""
    numbers: tuple[int, ...]
    """The person, the persons of a merge, or the track."""
    anchors: tuple[tuple[Anchor, ...], ...]
    """Some faces of each of `numbers`, as they were before this step; none if only the number is
    known."""
    name: str = ""
    """What a person is renamed to; empty: nothing."""

    def __str__(self) -> str:
        numbers = ", ".join(map(str, self.numbers))
        if self.op == "rename":
            return f"person {numbers} is {self.name or 'nobody we know'}"
        if self.op == "merge":
            return f"persons {numbers} are one"
        return f"track {numbers} is {'somebody else' if self.op == 'split' else 'not a face'}"


@dataclass(frozen=True, kw_only=True)
class CorrectionsDocument:
    """What a file of corrections holds."""

    uri: str
    name: str
    """Last part of the medium's path."""
    options: str
    """Hash of the options that the numbers hold for."""
    corrections: tuple[Correction, ...]
    """In the order in which they are made."""


def combine(earlier: Sequence[Correction], later: Sequence[Correction]) -> tuple[Correction, ...]:
    """Join earlier and later corrections; once, where the same page was saved again."""
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
    """Return the corrections without a name; a person who got it from them has none then."""
    return tuple(replace(c, name="") if name and c.name == name else c for c in corrections)
