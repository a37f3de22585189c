"""The face that shows a person best, cut out of the medium."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import numpy as np

from analyzer import registry
from analyzer.errors import InputError
from analyzer.imaging import boxes
from analyzer.inference.runtime import Runtime
from analyzer.types import F32, I64, U8, MediaReport, Progress, ProgressHook

SIDE_PX = 160
_MARGIN = 1.9
"""Side of a portrait, in sides of the square around its face: room for hair and chin."""
_UP = 0.05
"""How far the portrait's centre lies above the face's, in sides: there is more hair than neck."""
_LARGE_PX = SIDE_PX / _MARGIN
"""A face larger than this gives no better portrait."""
_TRACKS = 5


def best(report: MediaReport) -> dict[int, int]:
    """Return the row of each person's best face, by id: sharp, frontal, confident, large."""
    persons = report.row_persons()
    return _best(persons, _worth(report), np.nonzero(persons >= 0)[0])


def of_tracks(report: MediaReport, *, most: int = _TRACKS) -> dict[int, int]:
    """Return the row of the best face of each person's best tracks, by track id, the best first.

    Args:
        report: The report.
        most: Tracks a person.
    """
    worth, persons = _worth(report), report.row_persons()
    assigned = np.nonzero(persons >= 0)[0]
    tracks = _best(report.observations.track_id, worth, assigned)
    rows = np.array(list(tracks.values()), np.int64)
    order = rows[np.lexsort((-worth[rows], persons[rows]))]
    first = np.searchsorted(persons[order], persons[order])
    best_rows = order[np.arange(len(order)) - first < most]
    best_rows = best_rows[np.argsort(-worth[best_rows], kind="stable")]
    ids = report.observations.track_id[best_rows]
    return dict(zip(ids.tolist(), best_rows.tolist(), strict=True))


def of_persons(report: MediaReport, *, most: int) -> dict[int, list[int]]:
    """Return the rows of each person's best faces, by person id; every track before a second face.

    Args:
        report: The report.
        most: Faces a person.
    """
    worth, persons, tracks = _worth(report), report.row_persons(), report.observations.track_id
    assigned = np.nonzero(persons >= 0)[0]
    best = assigned[np.lexsort((assigned, -worth[assigned], tracks[assigned]))]
    rank = np.arange(len(best)) - np.searchsorted(tracks[best], tracks[best])  # in its track
    order = best[np.lexsort((-worth[best], rank, persons[best]))]
    ids, first = np.unique(persons[order], return_index=True)
    groups = np.split(order, first[1:])
    return {
        person: rows[:most].tolist() for person, rows in zip(ids.tolist(), groups, strict=False)
    }


def _worth(report: MediaReport) -> F32:
    """(N,) how good a portrait of each row is."""
    table = report.observations
    return table.quality * np.minimum(table.face_px, _LARGE_PX)


def _best(group: I64, worth: F32, rows: I64) -> dict[int, int]:
    """Return the row of greatest worth of each group, the first of equals."""
    order = rows[np.lexsort((rows, -worth[rows], group[rows]))]
    ids, first = np.unique(group[order], return_index=True)
    return dict(zip(ids.tolist(), order[first].tolist(), strict=True))


def cut(
    report: MediaReport,
    rows: Sequence[int],
    *,
    side_px: int = SIDE_PX,
    note: Callable[[str], None] = lambda _: None,
    progress: ProgressHook | None = None,
) -> dict[int, bytes]:
    """Cut faces out of the medium, square, with hair and chin.

    Args:
        report: Report of the medium.
        rows: Rows of the faces.
        side_px: Side px of the portraits.
        note: Function that is called with the reason for missing portraits.
        progress: Hook that is called with every picture that is searched, which takes a while.

    Returns:
        JPEG of each row; none where the medium is gone, or cannot be read again.
    """
    encode = registry.module("formats", "jpeg").encode
    if not rows:
        return {}
    table, times = report.observations, report.observations.time_s
    ordered = sorted(set(rows), key=lambda row: (times[row], row))
    shown = [(time, list(group)) for time, group in groupby(ordered, key=lambda row: times[row])]
    jpegs: dict[int, bytes] = {}
    try:
        pictures = _pictures(report, [float(time) for time, _ in shown])
        for done, ((_, together), picture) in enumerate(zip(shown, pictures, strict=True), 1):
            if progress is not None:
                progress(Progress(stage="portraits", done=done, total=len(shown)))
            # A picture of another size is not what the boxes were found in.
            if picture is None or picture[..., 0].size != table.picture_px[together[0]]:
                continue
            for row in together:
                jpegs[row] = encode(_square(picture, table.boxes[row]), side_px)
    except (InputError, OSError) as error:
        note(f"portraits: {error}")
        return {}
    if len(jpegs) < len(ordered):
        note(f"portraits: {len(ordered) - len(jpegs)} of {len(ordered)} were not found again")
    return jpegs


def _pictures(report: MediaReport, times_s: Sequence[float]) -> Iterator[U8 | None]:
    """Return the pictures of a medium at some times."""
    stills = report.info.kind == "image"
    decoder = registry.load("decode", "images" if stills else "video", runtime=Runtime())
    return decoder.pictures(list(report.info.stills) if stills else report.info.uri, times_s)


def _square(picture: U8, box: F32) -> U8:
    """Return the square around a face that its portrait shows, moved into the picture.

    Args:
        picture: (H, W, 3).
        box: (4,) of the face.
    """
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = boxes.scale(boxes.square(box[None]), _MARGIN)[0].tolist()
    side = max(1, min(round(x2 - x1), height, width))
    left = round((x1 + x2 - side) / 2)
    top = round((y1 + y2 - side) / 2 - _UP * side)
    left, top = min(max(left, 0), width - side), min(max(top, 0), height - side)
    return picture[top : top + side, left : left + side]
