"""Corrections of a reviewer, and the faces that anchor them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

OF_TRACKS = ("split", "split_at", "not_a_face", "not_this_person")
"""Corrections of one track."""
OF_SEVERAL = ("merge", "not_same")
"""Corrections of two persons or more."""
OF_ONE_PERSON = ("rename", "sex", "age", "add_face")
OPS = (*OF_ONE_PERSON, *OF_SEVERAL, *OF_TRACKS)


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
    """One of `OPS`."""
    numbers: tuple[int, ...]
    """Number of the person, of each of several persons, or of the track; -1 for the new person of
    an added face."""
    anchors: tuple[tuple[Anchor, ...], ...]
    """Some faces of each of `numbers`, as they were before this step; empty if only the number is
    known."""
    name: str = ""
    """New name of a person; empty: the name is removed."""
    label: str = ""
    """New sex (`m`, `f`) or age (years as text) of a person; empty: unknown."""
    time_s: float | None = None
    """Time from which on a track is somebody else, of `split_at`."""
    drawn: tuple[Anchor, ...] = ()
    """Boxes of an added face, in order of time."""

    def __str__(self) -> str:
        numbers = ", ".join(map(str, self.numbers))
        person = f"person {numbers}" if self.numbers != (-1,) else "a new person"
        if self.op == "add_face":
            times = " to ".join(f"{face.time_s:.1f}" for face in (self.drawn[0], self.drawn[-1]))
            return f"a face of {person} at {times} s"
        texts = {
            "rename": f"{person} is {self.name or 'nobody we know'}",
            "sex": f"{person} is {self.label or 'of unknown sex'}",
            "age": f"{person} is of {f'age {self.label}' if self.label else 'unknown age'}",
            "merge": f"persons {numbers} are one",
            "not_same": f"persons {numbers} are not the same",
            "split": f"track {numbers} is somebody else",
            "split_at": f"track {numbers} is somebody else from {self.time_s or 0:.1f} s",
            "not_a_face": f"track {numbers} is not a face",
            "not_this_person": f"track {numbers} is not this person",
        }
        return texts[self.op]


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
    told = [(c.op, c.name, c.label, c.time_s, c.drawn) for c in (earlier, later)]
    if told[0] != told[1]:
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


def apart(corrections: Sequence[Correction]) -> set[tuple[int, int]]:
    """Return the pairs of persons who are not the same, the lower number first.

    Args:
        corrections: Corrections in order, with the numbers of one analysis.
    """
    pairs: set[frozenset[int]] = set()
    for correction in corrections:
        first, *others = correction.numbers
        if correction.op == "not_same":
            pairs |= {frozenset((first, other)) for other in others}
        elif correction.op == "merge":
            pairs = {frozenset(first if n in others else n for n in pair) for pair in pairs}
    return {(min(pair), max(pair)) for pair in pairs if len(pair) > 1}
