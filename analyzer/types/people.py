"""Data types of naming: named portraits, candidates for a name, a poster's faces."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.types.arrays import Arrays, check


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Somebody of a gallery who a person may be."""

    name: str
    probability: float
    """0 to 1; those of all candidates and of "somebody else" add up to 1."""
    distance: float
    """Euclidean distance of the person's mean embedding from the nearest portrait of that name."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Gallery(Arrays):
    """Described portraits; one row a portrait, G rows."""

    names: tuple[str, ...]
    """G names; one may appear several times."""
    embeddings: NDArray[np.float32]
    """(G, D)."""
    notes: tuple[str, ...] = ()
    """Which portraits were not taken, or taken with a doubt, and why."""

    def __post_init__(self) -> None:
        check("Gallery", "embeddings", self.embeddings, np.float32, (len(self.names), None))


@dataclass(frozen=True, kw_only=True, repr=False)
class Poster(Arrays):
    """The faces of a poster; one row a face, n rows."""

    path: str
    image: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    boxes: NDArray[np.float32]
    """(n, 4) in the poster's pixels."""
    scores: NDArray[np.float32]
    """(n,) confidence of the detector, 0 to 1."""
    person_ids: NDArray[np.int64]
    """(n,) the character of the medium that it is; -1 = none."""
    distances: NDArray[np.float32]
    """(n,) Euclidean distance from the nearest face of the likeliest character, matched or not;
    NaN where the medium has no characters."""
    sex: tuple[str, ...]
    """n labels: of the character, or of the poster's face where it is none."""
    age: tuple[str, ...]
    """n labels, years as text."""

    def __post_init__(self) -> None:
        n = len(self.boxes)
        check("Poster", "image", self.image, np.uint8, (None, None, 3))
        check("Poster", "boxes", self.boxes, np.float32, (n, 4))
        check("Poster", "scores", self.scores, np.float32, (n,))
        check("Poster", "person_ids", self.person_ids, np.int64, (n,))
        check("Poster", "distances", self.distances, np.float32, (n,))
