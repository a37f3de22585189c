r"""Measure what a subtitle of `--export ass` draws: how well boxes fit, and where labels lie.

::

    python tools/drawn_boxes.py FILM.ass [--every EVERY.csv] [--cuts 1.5,3.6]

EVERY.csv is the csv of the same film with the detector's own boxes at every frame
(`--engine video --frame_step 1`). The subtitle alone is read, so that subtitles of any version are
measured by the same ruler: `\pos`, `\move` and `\t` with `\fscx` and `\fscy`.
"""

import argparse
import csv
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pysubs2
from numpy.typing import NDArray
from PIL import ImageFont
from scipy.optimize import linear_sum_assignment

_FONT_SCALE = 0.83
"""Width of a text in libass as a share of Pillow's, which sets the height of the letter M."""
_TOUCHING_S = 0.0101
"""Longest time between two events that follow each other, in seconds."""
_JUMP = 0.5
"""How far a label moves at once, beside its box, to count as a jump; in heights of its font."""
_SEEN_PX = 1.0
"""Least width and height of an overlap that is seen."""
_STEP_S = 0.04
_Boxes = NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """A box or a label of one event."""

    style: str
    start_s: float
    end_s: float
    first: tuple[float, float, float, float]
    """Box when it starts to move, in pixels."""
    last: tuple[float, float, float, float]
    """Box when it has moved."""
    move_s: tuple[float, float]
    """When it starts to move, and when it has moved, in seconds of the film."""
    size: float = 0
    """Height of the font of a label."""
    text: str = ""

    def at(self, time_s: float) -> _Boxes:
        """Return the box (4,) at a time."""
        begin, end = self.move_s
        share = 0.0 if end <= begin else min(1.0, max(0.0, (time_s - begin) / (end - begin)))
        return np.add(np.multiply(self.first, 1 - share), np.multiply(self.last, share))


@dataclass(frozen=True)
class Drawn:
    """What a subtitle draws: boxes, and the label of each; `None` where a box has none."""

    boxes: Sequence[Shape]
    labels: Sequence[Shape | None]

    def at(self, time_s: float) -> list[int]:
        """Return the numbers of the boxes that are drawn at a time, as a renderer tells it."""
        now = np.floor(time_s * 1000 + 1e-6) / 1000
        return [i for i, b in enumerate(self.boxes) if b.start_s <= now < b.end_s]


def read(path: Path) -> Drawn:
    """Read a subtitle: each box is followed by what belongs to it."""
    document = pysubs2.load(str(path))
    boxes: list[Shape] = []
    labels: list[Shape | None] = []
    for event in document:
        style = document.styles[event.style]
        drawing = re.search(r"\\p1.*?\}m 0 0 l (\d+) 0 \1 (\d+) 0 \2 m", event.text)
        if drawing:
            boxes.append(_shape(event, (float(drawing[1]), float(drawing[2])), up=False))
            labels.append(None)
        elif "\\p1" not in event.text and boxes:
            size = (_width(event.plaintext, style), style.fontsize)
            up = r"\an1" in event.text
            labels[-1] = _shape(event, size, up=up, font=style.fontsize)
    return Drawn(boxes, labels)


def _shape(event: Any, size: tuple[float, float], *, up: bool, font: float = 0) -> Shape:
    start_s, end_s = event.start / 1000, event.end / 1000
    position = re.search(r"\\(?:pos|move)\(([^)]*)\)", event.text)
    assert position
    x, y, *further = map(float, position[1].split(","))
    to = further[:2] or [x, y]
    moved = further[2:] or [0, event.end - event.start]
    grown = [100.0, 100.0]
    for side, name in enumerate(("fscx", "fscy")):
        scale = re.search(rf"\\t\([^)]*\\{name}([\d.]+)", event.text)
        grown[side] = float(scale[1]) if scale else 100.0
    width, height = size
    after = (width * grown[0] / 100, height * grown[1] / 100)
    lifted = (height, after[1]) if up else (0.0, 0.0)
    return Shape(
        style=event.style,
        start_s=start_s,
        end_s=end_s,
        first=(x, y - lifted[0], x + width, y - lifted[0] + height),
        last=(to[0], to[1] - lifted[1], to[0] + after[0], to[1] - lifted[1] + after[1]),
        move_s=(start_s + moved[0] / 1000, start_s + moved[1] / 1000),
        size=font,
        text=event.plaintext,
    )


def _width(text: str, style: Any) -> float:
    font: Any = ImageFont.load_default(style.fontsize)
    return float(font.getlength(text) * _FONT_SCALE + style.outline)


def iou(boxes: _Boxes, others: _Boxes) -> _Boxes:
    """Return the intersection over union (n, m) of boxes (n, 4) and (m, 4)."""
    inner = _common(boxes, others)
    areas = [np.prod(b[:, 2:] - b[:, :2], axis=1) for b in (boxes, others)]
    return inner / np.maximum(areas[0][:, None] + areas[1][None] - inner, 1e-9)


def _common(boxes: _Boxes, others: _Boxes) -> _Boxes:
    """Return the area (n, m) that boxes (n, 4) and (m, 4) share, where it can be seen."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    sides = np.minimum(boxes[:, None, 2:], others[None, :, 2:]) - low
    return np.where((sides > _SEEN_PX).all(axis=2), sides.prod(axis=2), 0)


def fit(drawn: Drawn, every: Mapping[float, _Boxes]) -> dict[str, float]:
    """Return how well the boxes fit those of a detector at every frame.

    Args:
        drawn: What is drawn.
        every: Time of each frame -> boxes (n, 4) of the detector in it.

    Returns:
        `iou` = mean of the drawn boxes that touch a detector's; `alone` = share of the others;
        `missed` = share of the detector's boxes that no drawn one touches.
    """
    found: list[float] = []
    shown = detected = 0
    for time_s, truth in every.items():
        boxes = np.array([drawn.boxes[i].at(time_s) for i in drawn.at(time_s)]).reshape(-1, 4)
        overlaps = iou(boxes, truth)
        pairs = linear_sum_assignment(-overlaps)
        found += overlaps[pairs][overlaps[pairs] > 0].tolist()
        shown, detected = shown + len(boxes), detected + len(truth)
    return {
        "iou": float(np.mean(found)) if found else float("nan"),
        "alone": 1 - len(found) / max(1, shown),
        "missed": 1 - len(found) / max(1, detected),
    }


def overlaps(drawn: Drawn, times: Sequence[float]) -> dict[str, float]:
    """Return the shares of labels that lie on boxes or labels of others.

    Returns:
        `area` = of the labels' area, over all times; `time` = of the labels, counted at each time,
        that lie on anything of others by more than a hundredth of their area; `shown` = of the
        boxes that have a label.
    """
    covered = whole = 0.0
    met = count = boxes_shown = 0
    for time_s in times:
        present = drawn.at(time_s)
        boxes = np.array([drawn.boxes[i].at(time_s) for i in present]).reshape(-1, 4)
        boxes_shown += len(boxes)
        labelled = [(n, lab.at(time_s)) for n, i in enumerate(present) if (lab := drawn.labels[i])]
        for n, label in labelled:
            area = float(np.prod(label[2:] - label[:2]))
            others = [b for k, b in enumerate(boxes) if k != n]
            others += [b for k, b in labelled if k != n]
            lost = min(area, float(_common(label[None], np.array(others).reshape(-1, 4)).sum()))
            covered, whole, count = covered + lost, whole + area, count + 1
            met += lost > area / 100
    return {
        "area": covered / max(whole, 1e-9),
        "time": met / max(1, count),
        "shown": count / max(1, boxes_shown),
    }


def jumps(drawn: Drawn, cuts: Sequence[float] = ()) -> int:
    """Return how often a label jumps away from its box between two events of a shot."""
    before: dict[str, list[int]] = defaultdict(list)
    count = 0
    for i in sorted(range(len(drawn.boxes)), key=lambda i: drawn.boxes[i].start_s):
        box, label = drawn.boxes[i], drawn.labels[i]
        chain = before[box.style]
        for k in reversed(chain[-8:]):
            old, was = drawn.boxes[k], drawn.labels[k]
            if abs(old.end_s - box.start_s) > _TOUCHING_S or was is None or label is None:
                continue
            if any(abs(cut - box.start_s) < 2 * _TOUCHING_S for cut in cuts):
                continue
            if iou(np.array([old.last]), np.array([box.first]))[0, 0] < 0.1:
                continue
            offsets = [s.at(t)[:2] - b.at(t)[:2] for s, b, t in _ends(was, old, label, box)]
            count += bool(np.abs(offsets[0] - offsets[1]).max() > _JUMP * label.size)
            break
        chain.append(i)
    return count


def _ends(was: Shape, old: Shape, label: Shape, box: Shape) -> Sequence[Any]:
    """Return label, box and time at the end of one event and at the start of the next."""
    return (was, old, old.end_s), (label, box, box.start_s)


def beyond(drawn: Drawn, cuts: Sequence[float]) -> int:
    """Return how many boxes are drawn on both sides of a cut: in its picture, begun before it."""
    return sum(
        any(box.start_s < cut - 2 * _TOUCHING_S and box.end_s > cut for cut in cuts)
        for box in drawn.boxes
    )


def detector_boxes(path: Path) -> dict[float, _Boxes]:
    """Return the boxes of a csv by time."""
    found = defaultdict(list)
    with path.open(newline="") as stream:
        for row in csv.DictReader(stream):
            box = [float(number) for number in row["bbox"].strip("()").split(",")]
            found[float(row["time_s"])].append(box)
    return {time_s: np.array(boxes) for time_s, boxes in found.items()}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("subtitle", type=Path)
    parser.add_argument("--every", type=Path, help="csv of every frame")
    parser.add_argument("--cuts", default="", help="times of cuts, in seconds")
    given = parser.parse_args()
    drawn = read(given.subtitle)
    cuts = [float(text) for text in given.cuts.split(",") if text]
    if given.every:
        print("fit:", fit(drawn, detector_boxes(given.every)))
    last = max((box.end_s for box in drawn.boxes), default=0)
    print("overlaps:", overlaps(drawn, np.arange(0.001, last, _STEP_S).tolist()))
    print("jumps:", jumps(drawn, cuts), "boxes beyond a cut:", beyond(drawn, cuts))


if __name__ == "__main__":
    main()
