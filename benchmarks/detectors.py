"""Detectors on labelled stills: faces found, boxes that are none, milliseconds a picture.

The stills are pictures of the sample video, as they are and made smaller in a black picture, so
that a face is down to a quarter of its size. Two environment variables choose others:
``DETECTORS``, specs with a blank between them, such as ``yunet:weights=FILE.onnx``; and ``FACES``,
a folder of pictures with a face in the middle of each, as those of LFW. On a machine with other
work to do, the shortest time is near what a picture costs, the median what one gets; processor time
leaves out the waiting, and adds up the threads.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from analyzer import registry
from analyzer.imaging.boxes import iou
from analyzer.inference.runtime import Runtime
from analyzer.types import F32, U8

_DEFAULT = "centerface hog mmod"
_EVERY = 60
"""Of the sample's pictures."""
_SHRINK = (1, 2, 4)
_FEW = {"mmod": 3}
"""Stills a group for detectors that take seconds a picture."""
_HIT = 0.4
"""Least IoU with the truth: detectors draw boxes with or without forehead."""
_MIDDLE = (0.28, 0.26, 0.72, 0.78)
"""Of a picture with a face in its middle, about where the face lies, in shares."""


@dataclass(frozen=True)
class _Still:
    """A labelled picture."""

    group: str
    image: U8
    boxes: F32
    """(n, 4) of all its faces; where `others` is set, of the one in its middle."""
    others: bool = False
    """Whether there may be faces that are not labelled."""


def run() -> dict[str, float]:
    """Share of the faces found by group, false boxes a picture, milliseconds a picture."""
    stills = [*_sample(), *_folder(os.environ.get("FACES", ""))]
    figures: dict[str, float] = {"stills": len(stills)}
    for spec in os.environ.get("DETECTORS", _DEFAULT).split():
        figures.update(_measure(spec, stills))
    return figures


def _measure(spec: str, stills: list[_Still]) -> dict[str, float]:
    name = spec.partition(":")[0]
    detector = registry.load("detect", spec, runtime=Runtime(device="cpu"))
    detector.detect([stills[0].image])
    groups = dict.fromkeys(still.group for still in stills)
    hits, wanted, false = (dict.fromkeys(groups, 0) for _ in range(3))
    times, computed = ({group: [] for group in groups} for _ in range(2))
    for still in (s for group in groups for s in _some(stills, group, _FEW.get(name))):
        started, before = time.perf_counter(), time.process_time()
        found = detector.detect([still.image])[0]
        computed[still.group].append((time.process_time() - before) * 1000)
        times[still.group].append((time.perf_counter() - started) * 1000)
        overlaps = iou(still.boxes, found.boxes) > _HIT
        hits[still.group] += int(overlaps.any(1).sum())
        wanted[still.group] += len(still.boxes)
        false[still.group] += 0 if still.others else int((~overlaps.any(0)).sum())
    return {
        key: value
        for group in groups
        for key, value in (
            (f"{name}_{group}_stills", len(times[group])),
            (f"{name}_{group}_found_share", hits[group] / max(1, wanted[group])),
            (f"{name}_{group}_false_boxes", false[group]),
            (f"{name}_{group}_ms_shortest", min(times[group])),
            (f"{name}_{group}_ms_median", statistics.median(times[group])),
            (f"{name}_{group}_cpu_ms_median", statistics.median(computed[group])),
        )
    }


def _some(stills: list[_Still], group: str, most: int | None) -> list[_Still]:
    """The stills of a group; not more than so many, from its beginning to its end."""
    all_ = [still for still in stills if still.group == group]
    return all_[:: -(-len(all_) // most)] if most else all_


def _sample() -> Iterator[_Still]:
    """Pictures of the sample video with its truth, at several sizes."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "analyzer", "sample", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        truth = json.loads((Path(folder) / "sample.truth.json").read_text(encoding="utf-8"))
        video = str(Path(folder) / "sample.mp4")
        decoder = registry.load("decode", "video", runtime=Runtime(), frame_step=_EVERY)
        with decoder.open(video) as medium:
            frames = [(frame.index, frame.image) for frame in medium.frames()]
    for index, image in frames:
        people = truth["people"].values()
        boxes = [p["boxes"][str(index)] for p in people if str(index) in p["boxes"]]
        for shrink in _SHRINK:
            wanted = np.array(boxes, np.float32).reshape(-1, 4) / shrink
            yield _Still(f"sample_1_{shrink}", _smaller(image, shrink), wanted)


def _smaller(image: U8, shrink: int) -> U8:
    """A picture made smaller, in a corner of a black one of the same size."""
    height, width = (side // shrink for side in image.shape[:2])
    whole = np.zeros_like(image)
    whole[:height, :width] = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return whole


def _folder(folder: str) -> Iterator[_Still]:
    """The pictures of a folder, and of those in it, with a face in the middle of each."""
    if not folder:
        return
    for path in sorted(Path(folder).rglob("*.jpg")):
        image = cv2.imread(str(path))[:, :, ::-1]
        height, width = image.shape[:2]
        box = np.array([_MIDDLE], np.float32) * (width, height, width, height)
        box = box.astype(np.float32)
        yield _Still("middle", np.ascontiguousarray(image), box, others=True)
