"""Count the faces of labelled pictures that the detector finds, by size and darkness: a table.

python tools/detection_recall.py --data fairface > analyzer/shares/counts/recall_centerface.json

The pictures are shrunk to sizes that faces have in films, and darkened as an underexposed film is,
and stand in rows on a grey picture. Somebody's detector has found them before they were published,
so that the table tells how much less is found of dark and small faces, not how many of all.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from analyzer import registry
from analyzer.evaluation.datasets import Dataset
from analyzer.inference.runtime import Runtime
from analyzer.shares.answers import GROUPS, SIZES_PX, group_of_bin
from analyzer.stages.detect import Detector
from analyzer.types import F64, I64, U8, Detections

_STOPS = (0, 3)
"""Exposures: each stop halves the light."""
_GAMMA = 2.2
_PICTURES = (300, 1000, 5000, 5000)
"""Pictures at each of the sizes: few large faces are missed, and they take most time."""
_EDGES = (20, 40, 70, 110)
"""Lumas of the face between the classes of darkness."""
_FACE = slice(23, 127)
"""Where the face is on a chip, in pixels of its 150."""
_PICTURE_PX = (360, 640)
_GREY = 118
_LUMA = np.array([0.299, 0.587, 0.114])
_GAP = 1.4
"""Distance of two chips in sides."""


def main() -> None:
    """Find the pictures at each size and exposure, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="as for evaluate")
    parser.add_argument("--split", default="val")
    parser.add_argument("--detector", default="centerface")
    args = parser.parse_args()
    detector = registry.load("detect", args.detector, runtime=Runtime(device="cpu", threads=1))
    dataset = registry.module("datasets", "fairface").create(folder=args.data, split=args.split)
    labels = {**dataset.labels, "age": group_of_bin()[dataset.labels["age"]]}
    by_darkness = np.zeros((len(SIZES_PX), len(_EDGES) + 1, 2), np.int64)
    by_group = {
        head: np.zeros((len(_STOPS), len(SIZES_PX), len(groups), 2), np.int64)
        for head, groups in GROUPS.items()
    }
    for exposure, stop in enumerate(_STOPS):
        for size, side in enumerate(SIZES_PX):
            count = min(len(dataset), _PICTURES[size])
            lumas, missed = _tried(detector, dataset, count, side, stop)
            np.add.at(by_darkness[size], (np.searchsorted(_EDGES, lumas), missed), 1)
            for head, counts in by_group.items():
                np.add.at(counts[exposure, size], (labels[head][:count], missed), 1)
    table = {
        "data": f"FairFace {args.split}, {args.detector}",
        "sizes_px": SIZES_PX,
        "pictures": _PICTURES,
        "luma_edges": _EDGES,
        "stops": _STOPS,
        "by_darkness": by_darkness.tolist(),
        "by_group": {head: counts.tolist() for head, counts in by_group.items()},
    }
    print(json.dumps(table))


def _tried(
    detector: Detector, dataset: Dataset, count: int, side: int, stop: int
) -> tuple[F64, I64]:
    """Return the luma (n,) of each of the first faces, and whether it is missed (n,)."""
    lumas, missed = [], []
    across, down = (max(1, int(length // (side * _GAP))) for length in reversed(_PICTURE_PX))
    for start in range(0, count, across * down):
        chips = dataset.chips(start, min(start + across * down, count))
        chips = _darker(chips, stop)
        lumas.append((chips[:, _FACE, _FACE] @ _LUMA).mean(axis=(1, 2)))
        picture, corners = _picture([_small(chip, side) for chip in chips], across)
        found = detector.detect([picture])[0]
        missed.append([not _is_found(found, corner, side) for corner in corners])
    return np.concatenate(lumas), np.concatenate(missed).astype(np.int64)


def _darker(chips: U8, stop: int) -> U8:
    """Return pictures with the light halved `stop` times, as the camera's curve shows it."""
    levels = np.rint(np.arange(256) * 2 ** (-stop / _GAMMA)).astype(np.uint8)
    return levels[chips]


def _small(chip: U8, side: int) -> U8:
    return np.asarray(cv2.resize(chip, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _picture(chips: Sequence[U8], across: int) -> tuple[U8, list[tuple[int, int]]]:
    """Return a picture with the chips in rows, and the upper left corner of each."""
    picture = np.full((*_PICTURE_PX, 3), _GREY, np.uint8)
    side = len(chips[0])
    corners = []
    for number, chip in enumerate(chips):
        row, column = divmod(number, across)
        x, y = (int((place + 0.5) * side * _GAP - side / 2) for place in (column, row))
        picture[y : y + side, x : x + side] = chip
        corners.append((x, y))
    return picture, corners


def _is_found(found: Detections, corner: tuple[int, int], side: int) -> bool:
    """Return whether a face was found that is as large as the chip's, and in its middle."""
    if not len(found):
        return False
    centres = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2 - np.array(corner) - side / 2
    sides = np.sqrt(np.prod(found.boxes[:, 2:] - found.boxes[:, :2], axis=1)) / side
    near = np.abs(centres).max(axis=1) < side / 4
    return bool((near & (sides > 0.4) & (sides < 1.4)).any())


if __name__ == "__main__":
    main()
