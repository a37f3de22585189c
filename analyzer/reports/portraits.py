"""Portraits: the faces that show persons best, cut out of the medium."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from analyzer import registry
from analyzer.errors import InputError
from analyzer.imaging import boxes
from analyzer.inference.runtime import Runtime
from analyzer.types import F32, I64, U8, MediaReport, Progress, ProgressHook
from analyzer.types.media import SAME_TIME_S

SIDE_PX = 160
_MARGIN = 1.9
"""Side of a portrait, in sides of the square around its face: room for hair and chin."""
_RAISE = 0.05
"""Distance of the portrait's centre above the face's, in sides: there is more hair than neck."""
_LARGE_ENOUGH_PX = SIDE_PX / _MARGIN
"""A larger face gives no better portrait."""
_TRACKS_PER_PERSON = 5
_DENSE_PER_S = 1.0
"""Pictures for each second of a video from which on all are decoded in order: to seek one picture
is to decode those of a second and more."""


def best(report: MediaReport) -> dict[int, int]:
    """Return the row of each person's best face by person id: sharp, frontal, sure, large."""
    persons = report.row_persons()
    return _best_rows(persons, _portrait_quality(report), np.nonzero(persons >= 0)[0])


def of_tracks(report: MediaReport, *, most: int = _TRACKS_PER_PERSON) -> dict[int, int]:
    """Return the row of the best face of each person's best tracks by track id, the best first.

    Args:
        report: Report of a medium.
        most: Maximum number of tracks per person.
    """
    quality, persons = _portrait_quality(report), report.row_persons()
    assigned = np.nonzero(persons >= 0)[0]
    tracks = _best_rows(report.observations.track_id, quality, assigned)
    rows = np.array(list(tracks.values()), np.int64)
    order = rows[np.lexsort((-quality[rows], persons[rows]))]
    first = np.searchsorted(persons[order], persons[order])
    best_rows = order[np.arange(len(order)) - first < most]
    best_rows = best_rows[np.argsort(-quality[best_rows], kind="stable")]
    ids = report.observations.track_id[best_rows]
    return dict(zip(ids.tolist(), best_rows.tolist(), strict=True))


def of_persons(report: MediaReport, *, most: int) -> dict[int, list[int]]:
    """Return the rows of each person's best faces by person id, one of each track before a second.

    Those of the described faces of no person are under -1.

    Args:
        report: Report of a medium.
        most: Maximum number of faces per person.
    """
    quality, persons = _portrait_quality(report), report.row_persons()
    tracks = report.observations.track_id
    is_shown = persons >= 0
    # Faces without an embedding were erased.
    is_shown[report.observations.embedding_rows] = True
    assigned = np.nonzero(is_shown)[0]
    best = assigned[np.lexsort((assigned, -quality[assigned], tracks[assigned]))]
    rank = np.arange(len(best)) - np.searchsorted(tracks[best], tracks[best])  # in its track
    order = best[np.lexsort((-quality[best], rank, persons[best]))]
    ids, first = np.unique(persons[order], return_index=True)
    groups = np.split(order, first[1:])
    return {
        person: rows[:most].tolist() for person, rows in zip(ids.tolist(), groups, strict=False)
    }


def _portrait_quality(report: MediaReport) -> F32:
    """Return a score (N,) of each row as a portrait: higher is better."""
    table = report.observations
    return table.quality * table.sharpness * np.minimum(table.face_px, _LARGE_ENOUGH_PX)


def _best_rows(group: I64, quality: F32, rows: I64) -> dict[int, int]:
    """Return the row of highest score of each group; the first of equals."""
    order = rows[np.lexsort((rows, -quality[rows], group[rows]))]
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
    """Cut faces out of the medium, square, with hair and chin; see `cut_each`.

    Returns:
        JPEG by row; none where the medium is missing or cannot be read again.
    """
    try:
        return dict(cut_each(report, rows, side_px=side_px, note=note, progress=progress))
    except InputError as error:
        note(f"portraits: {error}")
        return {}


def cut_each(
    report: MediaReport,
    rows: Sequence[int],
    *,
    side_px: int = SIDE_PX,
    note: Callable[[str], None] = lambda _: None,
    progress: ProgressHook | None = None,
) -> Iterator[tuple[int, bytes]]:
    """Yield faces of the medium as they come in it, square, with hair and chin.

    Args:
        report: Report of the medium.
        rows: Rows of the faces.
        side_px: Side of the portraits, pixels.
        note: Function that is called with the reason for missing portraits.
        progress: Hook that is called for each picture.

    Yields:
        Row and JPEG of each face that is found again.

    Raises:
        InputError: The medium is missing or cannot be read again.
    """
    encode = registry.module("formats", "jpeg").encode
    for row, picture in pictures_of(report, rows, note=note, progress=progress):
        yield row, encode(_portrait(picture, report.observations.boxes[row]), side_px)


def pictures_of(
    report: MediaReport,
    rows: Sequence[int],
    *,
    note: Callable[[str], None] = lambda _: None,
    progress: ProgressHook | None = None,
) -> Iterator[tuple[int, U8]]:
    """Yield the pictures of faces as they come in the medium; see `cut_each`.

    Yields:
        Row and picture (H, W, 3) of each face that is found again.

    Raises:
        InputError: The medium is missing or cannot be read again.
    """
    table, wanted = report.observations, np.unique(np.array(rows, np.int64))
    if not len(wanted):
        return
    ordered = wanted[np.argsort(table.time_s[wanted], kind="stable")]
    times, first = np.unique(table.time_s[ordered], return_index=True)
    ends, found = np.append(first[1:], len(ordered)), 0
    for done, picture in enumerate(_pictures_of(report, times.tolist())):
        if progress is not None:
            progress(Progress(stage="portraits", done=done + 1, total=len(times)))
        group = ordered[first[done] : ends[done]].tolist()
        # A picture of another size is not the one that the boxes were found in.
        if picture is None or picture[..., 0].size != table.picture_px[group[0]]:
            continue
        for row in group:
            found += 1
            yield row, picture
    if found < len(ordered):
        note(f"portraits: {len(ordered) - found} of {len(ordered)} were not found again")


def of_picture(picture: U8, boxes: F32, *, side_px: int = SIDE_PX) -> Iterator[bytes]:
    """Yield the faces of one picture as JPEG, square, with hair and chin.

    Args:
        picture: (H, W, 3) uint8, RGB.
        boxes: (n, 4) float32, pixels.
        side_px: Side of the portraits, pixels.
    """
    encode = registry.module("formats", "jpeg").encode
    for box in boxes:
        yield encode(_portrait(picture, box), side_px)


def _pictures_of(report: MediaReport, times_s: Sequence[float]) -> Iterator[U8 | None]:
    """Yield the pictures of a medium at some times; see `_pictures`.

    Raises:
        InputError: The medium is missing or cannot be read again.
    """
    try:
        yield from _pictures(report, times_s)
    except OSError as error:
        raise InputError(f"{report.info.uri}: {error}") from error


def _pictures(report: MediaReport, times_s: Sequence[float]) -> Iterator[U8 | None]:
    """Return the pictures of a medium at some times; `None` for those that are missing."""
    if not report.info.is_timed:
        decoder = registry.load("decode", "images", runtime=Runtime())
        return decoder.pictures(list(report.info.stills), times_s)
    decoder = registry.load("decode", "video", runtime=Runtime())
    if len(times_s) > _DENSE_PER_S * report.info.duration_s > 0:
        return _scanned_pictures(decoder, report.info.uri, times_s)
    return decoder.pictures(report.info.uri, times_s)


def _scanned_pictures(decoder: Any, path: str, times_s: Sequence[float]) -> Iterator[U8 | None]:
    """Yield the pictures of a video at some times, out of all that are decoded in order."""
    with decoder.open(path) as medium:
        frames = medium.frames()
        frame = next(frames, None)
        for time_s in times_s:
            while frame is not None and frame.time_s < time_s - SAME_TIME_S:
                frame = next(frames, None)
            if frame is not None and frame.time_s <= time_s + SAME_TIME_S:
                yield frame.image
            else:
                yield None


def _portrait(picture: U8, box: F32) -> U8:
    """Return the square part of a picture around a face; see `window`."""
    left, top, side = window(picture, box)
    return picture[top : top + side, left : left + side]


def window(picture: U8, box: F32, margin: float = _MARGIN) -> tuple[int, int, int]:
    """Return the square of a picture around a face; it is moved to lie in the picture.

    Args:
        picture: (H, W, 3) uint8.
        box: (4,) box of the face, pixels.
        margin: Side of the square, in sides of the square around the face.

    Returns:
        Left, top and side, pixels.
    """
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = boxes.scale(boxes.square(box[None]), margin)[0].tolist()
    side = max(1, min(round(x2 - x1), height, width))
    left = round((x1 + x2 - side) / 2)
    top = round((y1 + y2 - side) / 2 - _RAISE * side)
    return min(max(left, 0), width - side), min(max(top, 0), height - side), side
