"""Ground truth of persons: labelled pictures, labelled videos, and random tracks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analyzer.errors import InputError
from analyzer.evaluation import _lines
from analyzer.types import F32, F64, I64, Observations

COLUMNS = ("time_s", "x", "y", "person")
_NEAR_S = 0.105
"""How far a label's time may be from that of the analysed picture: half the way between two at 5
pictures a second, in which a face moves little."""
_ROUNDED_S = 0.005
"""How much a label's time may be too early: hundredths do for those who write by hand."""
_DIMENSIONS = 128


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Labels of some faces of one medium; one row for each labelled face."""

    time_s: F64
    """(n,) on the player's clock; of stills the number of the picture."""
    points: F64
    """(n, 2) x and y of a point in the face; NaN stands for the largest face of the picture."""
    persons: tuple[str, ...]
    """n names."""

    def __len__(self) -> int:
        return len(self.persons)

    @property
    def groups(self) -> I64:
        """(n,) number of each label's person."""
        return np.unique(self.persons, return_inverse=True)[1].astype(np.int64)

    def are_reached(self, times: F64, cuts: F64) -> NDArray[np.bool_]:
        """Return whether an analysed picture is near each label: (n,) bool.

        Args:
            times: (s,) times of the analysed pictures, ascending, with a face or without.
            cuts: (k,) times of the first pictures of new shots, ascending.
        """
        return self._nearest(times, cuts)[1]

    def _nearest(self, times: F64, cuts: F64) -> tuple[I64, NDArray[np.bool_]]:
        """Return the index of the picture nearest to each label, and whether that is near."""
        if not len(times):
            return np.zeros(len(self), np.int64), np.zeros(len(self), bool)
        sampled, labelled = _apart(times, cuts), _apart(self.time_s + _ROUNDED_S, cuts)
        nearest = np.searchsorted((sampled[1:] + sampled[:-1]) / 2, labelled)
        return nearest, np.abs(sampled[nearest] - labelled) <= _NEAR_S + _ROUNDED_S

    def rows(self, table: Observations) -> I64:
        """(n,) row of each labelled face in the table; -1 where no face was found there."""
        if not len(table):
            return np.full(len(self), -1, np.int64)
        times, starts = np.unique(table.time_s, return_index=True)
        ends = np.append(starts[1:], len(table))
        nearest, on_time = self._nearest(times, table.cuts)
        row_of_label = np.array(
            [
                _face(table.boxes[starts[i] : ends[i]], point)
                for i, point in zip(nearest, self.points, strict=True)
            ]
        )
        return np.where(on_time & (row_of_label >= 0), starts[nearest] + row_of_label, -1)


def _apart(times: F64, cuts: F64) -> F64:
    """Return times (n,) with a second more at each cut: no picture is near another shot."""
    return times + np.searchsorted(cuts, times, side="right")


def _face(boxes: F32, point: F64) -> int:
    """Return the box (of n, 4) around a point, the nearest centre of several; -1 if none."""
    sides = boxes[:, 2:] - boxes[:, :2]
    if np.isnan(point).any():
        return int(sides.prod(axis=1).argmax())
    inside = ((boxes[:, :2] <= point) & (point < boxes[:, 2:])).all(axis=1)
    way = np.linalg.norm(boxes[:, :2] + sides / 2 - point, axis=1)
    return int(np.where(inside, way, np.inf).argmin()) if inside.any() else -1


def of_stills(stills: Sequence[str]) -> Labels:
    """Read labels off folders named after persons, as LFW's: the largest face is the person's."""
    return Labels(
        time_s=np.arange(len(stills), dtype=np.float64),
        points=np.full((len(stills), 2), np.nan),
        persons=tuple(Path(still).parent.name for still in stills),
    )


def of_video(path: Path) -> Labels:
    """Read a CSV with the columns time_s, x, y and person.

    A line says that at this time on the player's clock the face at this point of the upright
    picture with square pixels is this person's. Where x and y are empty it is the largest face.

    Raises:
        InputError: The file is missing, has other columns, or has a line that cannot be read.
    """
    rows = _lines.read(path, COLUMNS, _label, "label")
    numbers = np.array([numbers for *numbers, _ in rows], np.float64)
    return Labels(
        time_s=numbers[:, 0], points=numbers[:, 1:], persons=tuple(person for *_, person in rows)
    )


def _label(row: dict[str, str], where: str) -> tuple[float, float, float, str]:
    try:
        time_s, x, y = (float(row[name] or "nan") for name in COLUMNS[:3])
    except (TypeError, ValueError):
        raise InputError(f"{where}: time_s, x and y must be numbers") from None
    if not np.isfinite(time_s) or np.isinf((x, y)).any():
        raise InputError(f"{where}: time_s, x and y must be finite numbers")
    if np.isnan(x) != np.isnan(y) or not row["person"]:
        raise InputError(f"{where}: give a time, a person, and x with y or neither")
    return time_s, x, y, row["person"]


def crowd(people: int, tracks: int, spread: float, *, seed: int = 3) -> tuple[F32, I64]:
    """Make random embeddings (T, 128) of tracks of known people, and the person of each (T,).

    Args:
        people: How many; their centres lie at random on the unit sphere, about 1.41 apart.
        tracks: How many each of them has.
        spread: Distance of a track from its centre; two tracks of one person are 1.41 times that
            apart.
        seed: Seed of the random numbers.
    """
    random = np.random.default_rng(seed)
    centres = random.normal(size=(people, _DIMENSIONS))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    people_of_tracks = random.permutation(np.repeat(np.arange(people), tracks))
    noise = random.normal(size=(len(people_of_tracks), _DIMENSIONS)) * spread / np.sqrt(_DIMENSIONS)
    return (centres[people_of_tracks] + noise).astype(np.float32), people_of_tracks
