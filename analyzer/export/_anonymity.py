"""What must hold where faces are hidden: every picture has its place, and no face is bare."""

import inspect
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from analyzer import registry
from analyzer.errors import AnalyzerError, InputError
from analyzer.export import _cover
from analyzer.files.containers import explained
from analyzer.imaging.boxes import area, iou
from analyzer.inference.runtime import Runtime
from analyzer.types import F32, F64, U8, MediaInfo, MediaReport, Progress, ProgressHook

_SAME_S = 1e-4
"""Seconds by which the time of a picture may differ from that in the table."""
_CONFIDENCE = 0.3
"""Of a face that is looked for in what was hidden: less than the detectors ask for."""
_NO_DETECTORS = ("precomputed", "whole")
"""Detectors that look at no picture; the check takes `_SUBSTITUTE` instead."""
_SUBSTITUTE = "centerface"
_SAME_FACE = 0.3
"""Intersection over union of two boxes of one face."""
_BATCH = 8
_AREA, _SMOOTH = Image.Resampling.BOX, Image.Resampling.BILINEAR
_GRID_PX = 24
"""Side of the small pictures in which what was there before and what is there now are compared."""
_COARSE_PX = 3
"""Side of a picture that is as blurred as a hidden face."""
_LEAST_DETAIL = 2.0
"""Levels of brightness; below, the source itself is as blurred as what is hidden."""


def is_wanted(report: MediaReport) -> bool:
    """Return whether a report asks for faces to be hidden."""
    return report.provenance["options"].get("anonymise") is not None


def require_undamaged(report: MediaReport) -> None:
    """Refuse to hide faces in a medium with times that may be wrong."""
    if is_wanted(report) and report.tally.damaged:
        raise _damaged(report)


def _damaged(report: MediaReport) -> InputError:
    return InputError(
        f"{report.info.uri}: damaged, so that some faces may be missed and stay bare; encode "
        "it anew (ffmpeg -i DAMAGED -c:v libx264 MENDED.mp4) and anonymise that"
    )


def require_same_file(report: MediaReport, info: MediaInfo) -> None:
    """Refuse to hide faces in another file than the one in which they were found.

    Args:
        report: Report of the medium.
        info: Facts of the file that is there now.

    Raises:
        InputError: The file has another number of bytes.
    """
    then, now = report.info.size_bytes, info.size_bytes
    if is_wanted(report) and then is not None and then != now:
        raise InputError(
            f"{report.info.uri}: has {now} bytes, but had {then} when faces were looked for, so "
            "that some may stay bare; analyse it again"
        )


def watched(medium: Any, report: MediaReport) -> Iterator[Any]:
    """Yield the stored pictures of a medium; if faces are to be hidden, refuse damaged ones."""
    for shown in medium.stored_pictures():
        if shown.damage and is_wanted(report):
            raise _damaged(report)
        yield shown


def require_times(report: MediaReport, times: Sequence[float]) -> None:
    """Require that every picture is one that the analysis knows of, if faces are to be hidden.

    Args:
        report: Report of the medium.
        times: Times of all pictures, in seconds, ascending.

    Raises:
        InputError: A picture was analysed that is not among them, or one lies outside of what was
            analysed.
    """
    if not is_wanted(report) or not len(times):
        return
    shown, analysed = np.asarray(times), np.unique(report.observations.time_s)
    options, (begin, end) = report.provenance["options"], report.observations.span_s
    strange = [
        *analysed[~_is_among(analysed, shown)],
        *(t for t in shown[:1] if options.get("start") is None and t < begin - _SAME_S),
        *(t for t in shown[-1:] if options.get("stop") is None and t > end + _SAME_S),
    ]
    if strange:
        raise InputError(
            f"{report.info.uri}: the picture at {min(strange):.3f} s is not there now, or was not "
            "there when faces were looked for, so that some may stay bare; analyse it again"
        )


def _is_among(wanted: F64, times: F64) -> NDArray[np.bool_]:
    """Return whether each of some times (n,) is one of the ascending times (m,)."""
    at = np.clip(np.searchsorted(times, wanted), 1, max(1, len(times) - 1))
    near = np.minimum(np.abs(times[at - 1] - wanted), np.abs(times[at % len(times)] - wanted))
    return np.asarray(near <= _SAME_S)


def require_hidden(
    report: MediaReport,
    path: Path,
    times: Sequence[float],
    runtime: Runtime,
    progress: ProgressHook | None,
) -> None:
    """Look for faces where faces were hidden, in the pictures that were analysed.

    Args:
        report: Report of the medium.
        path: Path of the mp4.
        times: Times of its pictures, in seconds, ascending.
        runtime: Runtime of the detector.
        progress: Hook that is called for each batch.

    Raises:
        AnalyzerError: A face is there.
        MissingDependency: The detector is not installed.
    """
    hidden = _cover.hidden_rows(report)
    if not hidden.any():
        return
    detector = _detector(report, runtime)
    table, shown = report.observations, np.asarray(times)
    rows_at: dict[int, list[int]] = {}
    for row, number in enumerate(_nearest(table.time_s, shown).tolist()):
        rows_at.setdefault(number, []).append(row)
    numbers = {n for n, rows in rows_at.items() if hidden[rows].any()}
    patches = _cover.patches(report)
    count = 0
    for batch in _batches(path, numbers):
        count += len(batch)
        found = detector.detect([picture for _, picture in batch])
        for (number, picture), faces in zip(batch, found, strict=True):
            rows = np.array(rows_at[number])
            time_s = float(shown[number])
            active = (patches.start_s <= time_s + _SAME_S) & (time_s < patches.end_s)
            seen = table.boxes[rows[~hidden[rows]]]
            doubtful = _doubtful(
                faces.boxes, table.boxes[rows[hidden[rows]]], patches.boxes[active], seen
            )
            bare = _bare(report, runtime, picture, time_s, doubtful)
            if bare:
                raise _not_hidden(report, time_s, bare[0])
        if progress:
            total = report.info.duration_s
            progress(Progress(stage="mp4", done=total, total=total))
    if count < len(numbers):
        raise AnalyzerError(
            f"{report.info.uri}: ffmpeg has left pictures out of the mp4, so that the blur may lie "
            "beside faces; no mp4 is left; try a newer ffmpeg (pip install -U imageio-ffmpeg)"
        )


def _nearest(wanted: F64, times: F64) -> NDArray[np.int64]:
    """Return the index of the nearest of the ascending times (m,) for each of some times (n,)."""
    between = (times[1:] + times[:-1]) / 2
    return np.searchsorted(between, wanted, side="right").astype(np.int64)


def _bare(
    report: MediaReport, runtime: Runtime, picture: U8, time_s: float, doubtful: F32
) -> list[F32]:
    """Return the parts, of some (n, 4), in which a picture is still that of the source.

    A detector with a low threshold finds faces in blurred ones as well: a blot with hair around it.
    """
    if not len(doubtful):
        return []
    decoder = registry.load("decode", "video", runtime=runtime)
    (before,) = decoder.pictures(report.info.uri, [time_s])
    return [box for box in doubtful if before is None or _is_same(before, picture, box)]


def _is_same(before: U8, now: U8, box: F32) -> bool:
    """Return whether a part of a picture is nearer to the source than to a blur of it."""
    height, width = before.shape[:2]
    x1, y1, x2, y2 = np.rint(np.clip(box, 0, (width, height, width, height))).astype(int).tolist()
    if x2 <= x1 or y2 <= y1:
        return False
    small = [
        Image.fromarray(p[y1:y2, x1:x2]).convert("L").resize((_GRID_PX, _GRID_PX), _AREA)
        for p in (before, now)
    ]
    coarse = small[0].resize((_COARSE_PX, _COARSE_PX), _AREA).resize(small[0].size, _SMOOTH)
    old, new, blurred = (np.asarray(p, np.float64) for p in (*small, coarse))
    detail = np.abs(old - blurred).mean()
    return bool(detail > _LEAST_DETAIL and np.abs(new - old).mean() < np.abs(new - blurred).mean())


def _doubtful(found: F32, hidden: F32, patches: F32, seen: F32) -> F32:
    """Return the parts (k, 4) of found faces that lie in what is blurred, if they should be hidden.

    Args:
        found: (n, 4) boxes of the detector.
        hidden: (h, 4) boxes of the hidden faces.
        patches: (p, 4) boxes of what is blurred.
        seen: (s, 4) boxes of the faces that are to be seen.
    """
    if not len(found) or not len(patches):
        return found[:0]
    of_hidden = iou(found, hidden).max(axis=1, initial=0)
    of_seen = iou(found, seen).max(axis=1, initial=0)
    low = np.maximum(found[:, None, :2], patches[None, :, :2])
    high = np.minimum(found[:, None, 2:], patches[None, :, 2:])
    covered = np.prod(np.maximum(high - low, 0), axis=2)
    best, rows = covered.argmax(axis=1), np.arange(len(found))
    parts = np.hstack([low[rows, best], high[rows, best]])
    is_in = (of_hidden > _SAME_FACE) | (covered.max(axis=1) > area(found) / 2)
    return parts[is_in & (of_seen <= np.maximum(of_hidden, _SAME_FACE))]


def _not_hidden(report: MediaReport, time_s: float, box: F32) -> AnalyzerError:
    x1, y1, x2, y2 = np.rint(box).astype(int).tolist()
    return AnalyzerError(
        f"{report.info.uri}: at {time_s:.3f} s a face is found at ({x1}, {y1}, {x2}, {y2}), where "
        "one was to be hidden; no mp4 is left. Look at that moment; where the detector is wrong, "
        "--export mp4:check=false leaves the check out"
    )


def _detector(report: MediaReport, runtime: Runtime) -> Any:
    """Return the run's own detector, with a lower threshold if it has one."""
    text = report.provenance["options"].get("detector", _SUBSTITUTE)
    if registry.kept(text) is None:
        text = _with_low_threshold(text)
    return registry.load("detect", text, runtime=runtime)


def _with_low_threshold(text: str) -> str:
    spec = registry.check("detect", text)
    if spec.name in _NO_DETECTORS and not spec.function:
        spec = registry.Spec(_SUBSTITUTE)
    known = inspect.signature(registry.creator("detect", spec)).parameters
    if "confidence" not in known:
        return str(spec)
    options = dict(spec.options)
    options["confidence"] = str(min(_CONFIDENCE, float(options.get("confidence", 1))))
    return str(registry.Spec(spec.name, tuple(options.items()), spec.pin, spec.function))


def _batches(path: Path, numbers: set[int]) -> Iterator[list[tuple[int, U8]]]:
    """Yield some pictures of an mp4, with their numbers, in batches."""
    batch: list[tuple[int, U8]] = []
    with closing(_pictures(path, numbers)) as pictures:
        for item in pictures:
            batch.append(item)
            if len(batch) == _BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _pictures(path: Path, numbers: set[int]) -> Generator[tuple[int, U8], None, None]:
    url = f"file:{path.absolute()}"
    with explained(str(path)), av.open(url, metadata_errors="replace") as container:
        container.streams.video[0].thread_type = "AUTO"
        for number, picture in enumerate(container.decode(video=0)):
            if number in numbers:
                yield number, np.asarray(picture.to_ndarray(format="rgb24"), np.uint8)
