"""No detector: the boxes of a table, such as that of another tool, or ours after correction."""

import csv
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzer.errors import InputError, UsageError
from analyzer.imaging.boxes import area, clip
from analyzer.inference.runtime import Runtime
from analyzer.types import U8, Detections, Frame, MediaInfo
from analyzer.weights import locate
from ina_input.tables import CsvTable

_COLUMNS = ("frame", "bbox")
_NUMBER = r"\s*(-?\d+(?:\.\d+)?)\s*"
_BOX = re.compile(rf"\({','.join([_NUMBER] * 4)}\)")


def create(*, file: str = "", runtime: Runtime) -> "Precomputed":
    """Return a detector that reads boxes from a table.

    The table has the columns `frame` and `bbox` of our csv.

    Args:
        file: Path of the table, or of a folder with `STEM.csv` for each medium `STEM.mp4`. Frames
            are numbered from 0 in the order of presentation; for stills, `frame` is their path.
            A column `detect_conf` is read where there is one.
        runtime: Not used.

    Raises:
        UsageError: No such table, or one that cannot be read; with the line.
    """
    path = Path(file)
    if not file or not path.exists():
        raise UsageError(
            f"precomputed: no table {file!r}: give it as --detector precomputed:file=FILE.csv, "
            "or a folder with STEM.csv for each medium"
        )
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not files:
        raise UsageError(f"{path}: no table in this folder: name them STEM.csv after the media")
    return Precomputed(path, files)


@dataclass(frozen=True)
class _Face:
    """One row of a table."""

    line: int
    box: tuple[float, ...]
    score: float


class Precomputed:
    """Looks boxes up in tables; see `analyzer.stages.detect.FrameDetector`.

    Args:
        path: Path of the table, or of the folder of tables.
        files: Paths of the tables.
    """

    def __init__(self, path: Path, files: Sequence[Path]) -> None:
        self._path = path
        self._tables = {file.stem: _read(file) for file in files}
        self.provenance: Mapping[str, str] = {file.name: locate.sha256(file) for file in files}

    def detect(self, images: Sequence[U8]) -> list[Detections]:
        """Refuse pictures that are in no table, such as posters and portraits.

        Raises:
            UsageError: There is a picture.
        """
        if len(images):
            raise UsageError(
                "precomputed: the table has boxes of the medium only; leave out --poster and "
                "--gallery, or name people afterwards"
            )
        return []

    def detect_frames(self, frames: Sequence[Frame], info: MediaInfo) -> list[Detections]:
        """Look the frames up; see `analyzer.stages.detect.FrameDetector`.

        Raises:
            InputError: No table for this medium, or a box outside the picture.
        """
        faces = self._faces_by_frame(info)
        return [
            self._detections(faces.get(_key(frame, info), ()), frame.image, info)
            for frame in frames
        ]

    def _faces_by_frame(self, info: MediaInfo) -> Mapping[str, Sequence[_Face]]:
        """Return the faces of a medium by frame, as `_key` names it."""
        if not self._path.is_dir():
            return next(iter(self._tables.values()))
        stem = Path(info.uri).stem
        if stem not in self._tables:
            raise InputError(f"{info.uri}: no table {stem}.csv in {self._path}; put it there")
        return self._tables[stem]

    def _detections(self, faces: Sequence[_Face], image: U8, info: MediaInfo) -> Detections:
        height, width = image.shape[:2]
        boxes = np.array([face.box for face in faces], np.float32).reshape(-1, 4)
        boxes = clip(boxes, width, height)
        for face, box_area in zip(faces, area(boxes), strict=True):
            if not box_area:
                raise InputError(
                    f"{info.uri}: {self._path}, line {face.line}: the box lies outside the picture "
                    f"of {width} x {height}; give this medium's own table"
                )
        scores = np.array([face.score for face in faces], np.float32)
        order = np.argsort(-scores, kind="stable")
        return Detections(boxes=boxes[order], scores=scores[order])


def _key(frame: Frame, info: MediaInfo) -> str:
    """Return how a frame is named in the column `frame`."""
    return os.path.realpath(info.stills[frame.index]) if info.stills else str(frame.index)


def _read(path: Path) -> dict[str, list[_Face]]:
    """Read the faces of a table by frame, as `_key` names it.

    Raises:
        UsageError: Not such a table; with the line.
    """
    faces: dict[str, list[_Face]] = {}
    try:
        for line, row in _rows(path):
            key, face = _face(row, line)
            faces.setdefault(key, []).append(face)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: not a table ({error}); write it as CSV in UTF-8") from error
    except ValueError as error:
        raise UsageError(f"{path}, {error}") from error
    return faces


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of the line, and the cells of each row by column."""
    with CsvTable(path) as table:
        missing = [name for name in _COLUMNS if name not in table.columns]
        if missing:
            raise ValueError(f"line 1: no column {' and '.join(missing)}; the header needs both")
        yield from table.rows()


def _face(row: Mapping[str, str], line: int) -> tuple[str, _Face]:
    """Return key and face of a row; a frame that is no number is the path of a still."""
    frame = row["frame"].strip()
    if not frame or re.fullmatch(r"-\d+|\d*\.\d+", frame):
        raise ValueError(f"line {line}: frame {frame!r}: give its number from 0, or a path")
    match = _BOX.fullmatch(row["bbox"].strip())
    box = tuple(map(float, match.groups())) if match else ()
    if not box or box[0] >= box[2] or box[1] >= box[3]:
        raise ValueError(
            f'line {line}: bbox {row["bbox"]!r}: write "(x1, y1, x2, y2)" with x1 < x2 and y1 < y2'
        )
    key = str(int(frame)) if frame.isdecimal() else os.path.realpath(frame)
    return key, _Face(line, box, _score(row.get("detect_conf", ""), line))


def _score(text: str, line: int) -> float:
    """Return the confidence; 1 where none is given, as for tracked faces."""
    try:
        score = float(text or 1)
    except ValueError:
        score = -1
    if not 0 <= score <= 1:
        raise ValueError(f"line {line}: detect_conf {text!r}: give 0 to 1, or leave it empty")
    return score
