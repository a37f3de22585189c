"""Labelled sets: pictures, videos and made-up tracks with known persons, listed in a CSV."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from analyzer.errors import InputError
from analyzer.evaluation import _lines, conditions
from analyzer.evaluation.conditions import Condition

COLUMNS = ("set", "pictures", "video", "labels", "synthetic", "rates", "gammas", "crfs")
_Value = TypeVar("_Value")


@dataclass(frozen=True, kw_only=True)
class LabelledSet:
    """Labelled data; one of `pictures`, `video` and `synthetic` is given."""

    name: str
    pictures: Path | None = None
    """Folder with a folder of pictures for each person."""
    video: Path | None = None
    labels: Path | None = None
    """CSV of the video's labelled faces."""
    synthetic: tuple[int, int] | None = None
    """Number of persons, and of tracks of each."""
    spread: float = 0.25
    """Distance between made-up tracks of one person."""
    conditions: tuple[Condition, ...] = (Condition(),)
    """Conditions of the analysis, of a video."""

    @property
    def missing(self) -> Path | None:
        """A file or folder that is not there; `None` where all is."""
        paths = (self.pictures, self.video, self.labels)
        return next((path for path in paths if path and not path.exists()), None)


def crowd(text: str) -> tuple[int, int]:
    """Read the number of made-up persons and of tracks of each, such as `20x30`."""
    people, _, tracks = text.partition("x")
    if int(people) < 1 or int(tracks) < 1:
        raise ValueError(text)
    return int(people), int(tracks)


def rates(text: str) -> list[float | None]:
    """Read pictures a second, such as `1,5,all`."""
    return [None if part.strip() == "all" else _positive(part) for part in text.split(",")]


def gammas(text: str) -> list[float]:
    """Read exponents of the brightness, such as `0.7,1,1.8`."""
    return [_within(_positive(part), 0.1, 10) for part in text.split(",")]


def crfs(text: str) -> list[int | None]:
    """Read compressions of libx264, such as `source,18,32`."""
    return [
        None if part.strip() == "source" else int(_within(int(part), 0, 51))
        for part in text.split(",")
    ]


def _positive(text: str) -> float:
    return _within(float(text), 1e-3, 1e3)


def _within(number: float, least: float, most: float) -> float:
    if not least <= number <= most:
        raise ValueError(f"{number:g} is not from {least:g} to {most:g}")
    return number


def read(path: Path) -> list[LabelledSet]:
    """Read a CSV of labelled sets with the columns `COLUMNS`.

    Paths are relative to the file. Of `rates`, `gammas` and `crfs` each combination is analysed;
    several lines may have one set's name, with further combinations.

    Raises:
        InputError: The file is missing, has other columns, or has a line that cannot be read.
    """
    return _lines.read(path, COLUMNS, partial(_set, path.parent), "set")


def _set(folder: Path, row: dict[str, str], where: str) -> LabelledSet:
    kinds = [kind for kind in ("pictures", "video", "synthetic") if row[kind]]
    if "" in row or not row["set"] or len(kinds) != 1 or bool(row["video"]) != bool(row["labels"]):
        raise InputError(
            f"{where}: give a name and pictures, a video with labels, or synthetic tracks"
        )

    def cell(column: str, read: Callable[[str], _Value], default: _Value) -> _Value:
        try:
            return read(row[column]) if row[column] else default
        except ValueError as error:
            raise InputError(f"{where}: {column} cannot be read: {error}") from None

    def place(text: str) -> Path:
        return folder / text

    return LabelledSet(
        name=row["set"],
        pictures=cell("pictures", place, None),
        video=cell("video", place, None),
        labels=cell("labels", place, None),
        synthetic=cell("synthetic", crowd, None),
        conditions=conditions.every(
            cell("rates", rates, [None]), cell("gammas", gammas, [1.0]), cell("crfs", crfs, [None])
        ),
    )
