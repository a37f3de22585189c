"""FairFace (Karkkainen and Joo, WACV 2021, CC BY 4.0) in the layout in which it is published.

The labels are a CSV with the columns file, age, gender and race: `fairface_label_SPLIT.csv`, or
`labels.csv` with all splits. A file such as `train/1.jpg` lies in the folder or in a zip there.
The pictures are faces cut by dlib with padding 0.25: chips, but for their size.
"""

import csv
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np

from analyzer.attributes.heads import AGE_BINS, ETHNICITIES
from analyzer.errors import InputError
from analyzer.evaluation.datasets import _pictures, _reviewed
from analyzer.files.hashing import sha256
from analyzer.stages.align import Aligner
from analyzer.types import I64, U8
from ina_input import regular
from ina_input.archives import ZipContents, open_zip
from ina_input.tables import CsvTable

SIZE = 150
_REVIEWED_SPLIT, _REVIEWS = "val", Path(__file__).with_name("fairface_reviews.csv")
"""The split of which labels were looked at again, and what was seen: where the network that shipped
first gave another sex from 20 years on, where it did so with confidence from 3 to 19, and as many
pictures again of which it gave the label's."""
_SOURCE = "get FairFace from https://github.com/joojs/fairface"
_CLASSES = {
    "sex": ("gender", {"Female": 0, "Male": 1}),
    "age": ("age", {**{name: i for i, name in enumerate(AGE_BINS)}, "70+": len(AGE_BINS) - 1}),
    "ethnicity": ("race", {name: i for i, name in enumerate(ETHNICITIES)}),
}
"""Head name -> the column, and its spellings in order of the head's classes."""


def create(*, folder: Path, split: str, aligner: Aligner | None = None) -> "FairFace":
    """FairFace's published layout; `split` is train or val.

    Raises:
        InputError: Labels or pictures are missing or broken.
    """
    return FairFace(folder, split)


class FairFace:
    """One split of FairFace."""

    def __init__(self, folder: Path, split: str) -> None:
        rows = _rows(folder, split)
        self._is_val = split == _REVIEWED_SPLIT
        self._files = [row["file"] for row in rows]
        self._pictures = _Pictures(folder)
        self.labels = {
            head: np.array([names[row[column]] for row in rows], np.int64)
            for head, (column, names) in _CLASSES.items()
        }
        self.reviewed = self._reviewed()
        self.digest = self._digest()

    def __len__(self) -> int:
        return len(self._files)

    def chips(self, start: int, stop: int) -> U8:
        """Decode pictures; see `analyzer.evaluation.datasets.Dataset`."""
        chips = [self._pictures.chip(file) for file in self._files[start:stop]]
        return np.stack(chips) if chips else np.empty((0, SIZE, SIZE, 3), np.uint8)

    def _reviewed(self) -> dict[str, I64]:
        sex = self.labels["sex"]
        return _reviewed.labels(_reviewed.read(_REVIEWS), self._files, sex) if self._is_val else {}

    def _digest(self) -> str:
        return sha256(self._digested()).hexdigest()

    def _digested(self) -> Iterator[bytes]:
        for row, file in enumerate(self._files):
            labels = ",".join(str(classes[row]) for classes in self.labels.values())
            yield f"{file},{labels}\n".encode()
            yield self._pictures.read(file)


class _Pictures:
    """The files of a folder and of the zip files in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened = ExitStack()
        self._members = {
            name: archive
            for path in sorted(folder.glob("*.zip"))
            for archive in [self._archive(path)]
            for name in archive.names
        }

    def _archive(self, path: Path) -> ZipContents:
        try:
            return self._opened.enter_context(open_zip(path))
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: cannot be read ({error}); {_SOURCE} again") from error

    def read(self, file: str) -> bytes:
        archive = self._members.get(file)
        if archive:
            return archive.read(file)
        try:
            return regular.read_bytes(self._folder / file)
        except OSError as error:
            raise InputError(
                f"{self._folder / file}: {error.strerror}, and no zip file beside it has it"
            ) from error
        except ValueError as error:
            raise InputError(f"{self._folder / file}: {error}; {_SOURCE} again") from error

    def chip(self, file: str) -> U8:
        """Decode one picture to (150, 150, 3) RGB."""
        image = _pictures.decode(self.read(file), file, f"{_SOURCE} again")
        if image.shape[:2] == (SIZE, SIZE):
            return image
        resized = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        return np.asarray(resized, np.uint8)


def _rows(folder: Path, split: str) -> list[dict[str, str]]:
    """Read and check the labels of one split."""
    names = (f"fairface_label_{split}.csv", "labels.csv")
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is None:
        raise InputError(f"{folder}: neither {' nor '.join(names)}; {_SOURCE}")
    rows = []
    try:
        with CsvTable(path) as table:
            required = {"file", *(column for column, _ in _CLASSES.values())}
            missing = required - set(table.columns)
            if missing:
                raise InputError(f"{path}: no column {', '.join(sorted(missing))}; {_SOURCE}")
            for line, row in table.rows():
                _check(row, f"{path}, line {line}")
                rows.append(row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a table ({error}); {_SOURCE}") from error
    rows = [row for row in rows if row["file"].partition("/")[0] == split]
    if not rows:
        raise InputError(f"{path}: no picture of the split {split!r}; choose train or val")
    return rows


def _check(row: dict[str, str], where: str) -> None:
    """Raise unless every label of a row is one that FairFace uses."""
    for column, names in _CLASSES.values():
        if row[column] not in names:
            raise InputError(f"{where}: {column} {row[column]!r} is none of {', '.join(names)}")
