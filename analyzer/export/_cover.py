r"""Patches that cover faces while they move, and their masks.

A mask is a subtitle of white shapes. libass draws it on the very pictures that it hides parts of,
so their times, regular or not, need not be computed a second time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pysubs2
from numpy.typing import NDArray

from analyzer.export import _subtitles
from analyzer.files import source
from analyzer.imaging.boxes import area
from analyzer.observations import table
from analyzer.options.anonymise import hides
from analyzer.types import F32, F64, I64, MediaReport, Observations
from analyzer.types.media import SAME_TIME_S

_BOX_GROWTH = 1.3
"""A detector's box ends at brow and chin: a person can be recognised by what lies beyond."""
_MAX_STEP_S = 0.2
"""A face that moves for longer than this is covered by several patches, one after the other."""
_HOLD_S = 1.0
"""A track is covered for so long, or its sampling step, before its first face and after its last,
inside its shot: a person without a detected face has often only turned away for a moment."""
_MIN_HOLD_S = 0.2
"""A track is covered for so long even across a cut, which may be a dissolve."""
_DRIFT_PER_S = 0.5
"""Face sizes per second that a face may leave the straight line between two samples."""
_MAX_DRIFT = 0.5
"""Face sizes; limit of the drift between two samples."""
_HELD_DRIFT = 0.15
"""Face sizes; drift while a track is held before its first face and after its last."""
_FOREVER_S = 2 * source.MAX_DURATION_S
SLOWDOWN = 100
"""A mask is drawn on a clock that is slower by this factor: a subtitle knows hundredths of a second
only, and the last picture before a patch begins may come less than that before."""
_EARLY_S = 2e-4
"""Patches begin and end so much early: a picture's time is cut off by the program that draws them,
and rounded in a file."""
_CORNER_RADIUS = 0.4
"""Radius of a patch's corners, as a share of its shorter side: the box itself stays covered."""
_QUARTER_ARC = 0.5523
"""Distance of the control points of a cubic curve that looks like a quarter of a circle."""


@dataclass(frozen=True)
class Patches:
    """P patches that hide faces."""

    start_s: F64
    """(P,) seconds."""
    end_s: F64
    """(P,) seconds."""
    boxes: F32
    """(P, 4) pixels."""
    face_px: F32
    """(P,) size of the covered face, pixels."""

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: NDArray[np.bool_]) -> "Patches":
        return Patches(self.start_s[rows], self.end_s[rows], self.boxes[rows], self.face_px[rows])

    @property
    def level(self) -> I64:
        """(P,) exponent of the smallest power of four that is not below the face's size, pixels."""
        return np.ceil(np.log2(np.maximum(self.face_px, 1)) / 2).astype(np.int64)


def hidden_rows(report: MediaReport) -> NDArray[np.bool_]:
    """Return a mask (N,) of the rows that the option `anonymise` hides."""
    choice = report.provenance["options"].get("anonymise")
    persons = {p.person_id: hides(choice, p.name) for p in report.persons}
    hides_unnamed = hides(choice, None)
    return np.array([persons.get(p, hides_unnamed) for p in report.row_persons().tolist()], bool)


def patches(report: MediaReport) -> Patches:
    """Return patches of the hidden faces, and of whole pictures that were not analysed."""
    faces = table.take(report.observations, hidden_rows(report))
    parts = [
        _unanalysed_patches(report),
        *(_track_patches(faces, report.shots) if len(faces) else ()),
    ]
    return Patches(*(np.concatenate(column) for column in zip(*map(_fields, parts), strict=True)))


def _fields(part: Patches) -> tuple[F64, F64, F32, F32]:
    return part.start_s, part.end_s, part.boxes, part.face_px


def _unanalysed_patches(report: MediaReport) -> Patches:
    """Return patches over the whole picture, before and after the analysed range."""
    width, height = report.info.width_px, report.info.height_px
    begin, end = report.observations.span_s
    bounds = [report.provenance["options"].get(name) is not None for name in ("start", "stop")]
    return Patches(
        np.array([0.0, end])[bounds],
        np.array([begin, _FOREVER_S])[bounds],
        np.tile(np.array([-width, -height, 2 * width, 2 * height], np.float32), (sum(bounds), 1)),
        np.full(sum(bounds), min(width, height), np.float32),
    )


def _track_patches(faces: Observations, shots: F64) -> Iterator[Patches]:
    """Yield patches of tracks: between their samples, and for a while before and after."""
    order = np.lexsort((faces.time_s, faces.track_id))
    track, time, boxes = faces.track_id[order], faces.time_s[order], faces.boxes[order]
    same = track[1:] == track[:-1]
    samples = np.nonzero(same)[0]
    yield _patches_between(time[samples], time[samples + 1], boxes[samples], boxes[samples + 1])
    first, last = np.nonzero(np.r_[True, ~same])[0], np.nonzero(np.r_[~same, True])[0]
    held = np.full(len(first), _HELD_DRIFT)
    hold = np.maximum(faces.duration_s[order], _HOLD_S)
    begin, end = _shot_bounds(time, shots)
    before = np.maximum(np.minimum(hold, time - begin), _MIN_HOLD_S)[first]
    boxes_before = _extrapolated_boxes(time, boxes, first, np.minimum(first + 1, last), -before)
    yield _patches_around(time[first] - before, time[first], boxes[first], boxes_before, held)
    after = np.maximum(np.minimum(hold, end - time), _MIN_HOLD_S)[last]
    boxes_after = _extrapolated_boxes(time, boxes, last, np.maximum(last - 1, first), after)
    yield _patches_around(time[last], time[last] + after, boxes[last], boxes_after, held)


def _shot_bounds(time: F64, shots: F64) -> tuple[F64, F64]:
    """Return begin and end of the shots that pictures (n,) belong to."""
    if not len(shots):
        return np.full(len(time), -np.inf), np.full(len(time), np.inf)
    shot = np.maximum(np.searchsorted(shots[:, 0], time + SAME_TIME_S) - 1, 0)
    return shots[shot, 0], shots[shot, 1]


def _extrapolated_boxes(time: F64, boxes: F32, at: I64, beside: I64, elapsed: F64) -> F32:
    """Return the boxes of faces at the ends of tracks after some seconds, if they move as before.

    A box moves by a face's size at most, because two samples say little about the speed.

    Args:
        time: (n,) seconds.
        boxes: (n, 4) pixels.
        at: (T,) index of the sample at the end of each track.
        beside: (T,) index of the sample next to it in the track.
        elapsed: (T,) seconds after the sample; negative before it.

    Returns:
        (T, 4) pixels.
    """
    step = time[beside] - time[at]
    share = np.where(step == 0, 0, elapsed / np.where(step == 0, 1, step))[:, None]
    movement = (boxes[beside] - boxes[at]) * np.clip(share, -1, 1)
    limit = np.sqrt(area(boxes[at]))[:, None]
    return (boxes[at] + np.clip(movement, -limit, limit)).astype(np.float32)


def _patches_between(start: F64, end: F64, before: F32, after: F32) -> Patches:
    """Return patches of n faces that move from one box to another, of `_MAX_STEP_S` at most."""
    gap, movement = end - start, after - before
    steps = np.maximum(np.ceil(gap / _MAX_STEP_S - 1e-6), 1).astype(np.int64)
    row = np.repeat(np.arange(len(steps)), steps)
    number = np.arange(len(row)) - np.repeat(np.cumsum(steps) - steps, steps)
    low, high = number / steps[row], (number + 1) / steps[row]
    return _patches_around(
        start[row] + gap[row] * low,
        start[row] + gap[row] * high,
        before[row] + movement[row] * low[:, None],
        before[row] + movement[row] * high[:, None],
        np.minimum(_DRIFT_PER_S * gap, _MAX_DRIFT)[row],
    )


def _patches_around(
    start: F64, end: F64, before: F32 | F64, after: F32 | F64, slack: F64
) -> Patches:
    """Return n patches, each around two boxes, with a margin `slack` (n,) in face sizes."""
    hull = np.hstack([np.minimum(before, after)[:, :2], np.maximum(before, after)[:, 2:]])
    size = np.sqrt(np.prod(np.maximum(before[:, 2:] - before[:, :2], 0), axis=1))
    margin = size * ((_BOX_GROWTH - 1) / 2 + slack)
    hull = hull + margin[:, None] * np.array([-1, -1, 1, 1])
    return Patches(start, end, hull.astype(np.float32), size.astype(np.float32))


def mask(hidden: Patches, width: int, height: int) -> Iterator[str]:
    """Yield a subtitle that draws the patches white, in pieces that end in a line end.

    Its times are `SLOWDOWN` times those of the pictures.
    """
    yield _header(width, height)
    starts, ends = _slow_timestamps(hidden.start_s), _slow_timestamps(hidden.end_s)
    boxes = np.rint(hidden.boxes).astype(np.int64).tolist()
    for start, end, (x1, y1, x2, y2) in zip(starts, ends, boxes, strict=True):
        shape = _rounded_rectangle(x2 - x1, y2 - y1)
        yield f"Dialogue: 0,{start},{end},Default,,0,0,0,,{{\\pos({x1},{y1})\\p1}}{shape}\n"


def _slow_timestamps(times: F64) -> list[str]:
    """Return times (P,) as `h:mm:ss.cc` on the slow clock."""
    return _subtitles.timestamps(np.maximum(times - _EARLY_S, 0) * SLOWDOWN)


def _header(width: int, height: int) -> str:
    """Return the part of the subtitle above the first shape."""
    document = _subtitles.blank_document(width, height)
    document.styles["Default"] = pysubs2.SSAStyle(
        outline=0, shadow=0, alignment=pysubs2.Alignment.TOP_LEFT
    )
    return str(document.to_string("ass", header_notice="What is to be hidden"))


def _rounded_rectangle(w: int, h: int) -> str:
    """Return the drawing of a rectangle with round corners."""
    r = round(_CORNER_RADIUS * min(w, h))
    k = round(r * (1 - _QUARTER_ARC))
    return (
        f"m {r} 0 l {w - r} 0 b {w - k} 0 {w} {k} {w} {r} l {w} {h - r} "
        f"b {w} {h - k} {w - k} {h} {w - r} {h} l {r} {h} b {k} {h} 0 {h - k} 0 {h - r} "
        f"l 0 {r} b 0 {k} {k} 0 {r} 0"
    )
