"""Data types of naming: named portraits, candidates for a name, faces of a poster."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.types.arrays import Arrays, check, require_finite


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Name of the gallery that may belong to a person."""

    name: str
    probability: float
    """Probability, 0 to 1; all candidates and "somebody else" add up to 1."""
    distance: float
    """Euclidean distance of the person's mean embedding from the nearest portrait of the name."""


@dataclass(frozen=True, kw_only=True)
class ArchiveNames:
    """Who the people of a medium are by what was said in an identity store."""

    numbers: Mapping[int, int]
    """Number of a person in the medium -> number in the archive."""
    names: Mapping[int, str]
    """Number in the archive -> name."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Gallery(Arrays):
    """Table of G described portraits."""

    names: tuple[str, ...]
    """G names; a name may appear several times."""
    embeddings: NDArray[np.float32]
    """(G, D) identity vectors."""
    notes: tuple[str, ...] = ()
    """Portraits that were not used, or are doubtful, each with the reason."""

    def __post_init__(self) -> None:
        check("Gallery", "embeddings", self.embeddings, np.float32, (len(self.names), None))
        require_finite("Gallery", {"embeddings": self.embeddings}, lengths=True)


@dataclass(frozen=True, kw_only=True, repr=False)
class Poster(Arrays):
    """Table of the n faces of a poster."""

    path: str
    image: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    boxes: NDArray[np.float32]
    """(n, 4) in the poster's pixels."""
    scores: NDArray[np.float32]
    """(n,) confidence of the detector, 0 to 1."""
    person_ids: NDArray[np.int64]
    """(n,) number of the matching character of the medium; -1 = none."""
    distances: NDArray[np.float32]
    """(n,) Euclidean distance from the nearest face of the likeliest character, matched or not;
    NaN where the medium has no characters."""
    sex: tuple[str, ...]
    """n labels: of the character, or of the poster's face where it matches no character."""
    age: tuple[str, ...]
    """n labels, in years, as text."""
    ethnicity: tuple[str, ...] = ()
    """n labels; empty where ethnicity was not asked for."""

    def __post_init__(self) -> None:
        n = len(self.boxes)
        check("Poster", "image", self.image, np.uint8, (None, None, 3))
        check("Poster", "boxes", self.boxes, np.float32, (n, 4))
        check("Poster", "scores", self.scores, np.float32, (n,))
        check("Poster", "person_ids", self.person_ids, np.int64, (n,))
        check("Poster", "distances", self.distances, np.float32, (n,))
