"""Frames become faces: the stages before description, each in a thread of its own.

While some faces are described, those of the next frames are tracked and cut out, the next but
one searched, and further ones decoded. Each stage takes its frames in order, one group at a time,
so results do not depend on the lead of a stage.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from analyzer.imaging import quality
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import Components, FrameWatcher
from analyzer.pipeline.detection import select
from analyzer.pipeline.prefetch import prefetch
from analyzer.pipeline.schedule import Scheduled, batches
from analyzer.stages.decode import Medium
from analyzer.stages.detect import FaintDetector, FrameDetector
from analyzer.stages.track import FaintTracker, Tracker
from analyzer.types import F32, I64, U8, Chips, Detections, Faces, Frame, MediaInfo
from analyzer.types.tally import Tally

T = TypeVar("T")
_Detected = tuple[Sequence[Scheduled], Sequence[Detections | None]]
"""A group of frames and the detections in each; `None` where the detector was not asked."""
_AHEAD_BYTES = 96 << 20
"""Bytes of pictures that wait between two stages, about."""
_FRAMES_AHEAD, _GROUPS_AHEAD = range(2, 17), range(1, 3)
"""Bounds of the number of frames that wait for the detector, and of groups behind it."""


@dataclass(frozen=True)
class FrameBatch:
    """Some frames and their N faces, before these are described."""

    scheduled: Sequence[Scheduled]
    faces: Sequence[Faces]
    chips: Sequence[Chips]
    detected: int
    """Number of faces that the detector found."""
    selected: int
    """Number of those that the options do not leave out."""

    @property
    def frames(self) -> list[Frame]:
        """The frames alone."""
        return [s.frame for s in self.scheduled]

    def describable(self, options: AnalysisOptions) -> tuple[I64, U8]:
        """Return the faces for the describer: their rows (M,) and chips (M, S, S, 3).

        A face in a gated frame is a tracker's guess in a blur, which looks like no person:
        described, it would break its track. So would a faint one.
        """
        masks = [
            passes_quality(c.sharpness, c.frontality, options) & (not s.gated) & _certain(f)
            for s, f, c in zip(self.scheduled, self.faces, self.chips, strict=True)
        ]
        rows = np.nonzero(np.concatenate(masks))[0]
        return rows, np.concatenate([c.images for c in self.chips])[rows]

    def tally(self) -> Tally:
        """Return the counts of this batch."""
        return Tally(
            frames_analysed=len(self.scheduled),
            frames_gated=sum(s.gated for s in self.scheduled),
            faces_detected=self.detected,
            faces_tracked=sum(map(len, self.faces)) - self.selected,
            faces_filtered=self.detected - self.selected,
        )


@contextmanager
def frame_batches(
    medium: Medium, *, components: Components, watcher: FrameWatcher | None, size: int
) -> Iterator[Iterator[FrameBatch]]:
    """Detect and track the faces of a medium.

    Args:
        medium: Open medium.
        components: From `load_components`.
        watcher: Watcher that is shown every picture, if there is one.
        size: Least number of frames in a batch; with 1, no frame waits for a later one.

    Yields:
        An iterator over all batches, in order; its threads end with the context.
    """
    with ExitStack() as threads:

        def ahead_of(items: Iterator[T], depth: int) -> Iterator[T]:
            return threads.enter_context(prefetch(items, depth=depth))

        options = components.options
        decoded = ahead_of(medium.frames(watcher), frames_ahead(medium.info))
        groups = batches(decoded, period=options.detect_period, size=size, usable=_usable(options))
        tracker = components.tracker()
        tracks = options.engine == "videotracking"
        takes_faint = tracks and isinstance(tracker, FaintTracker)
        detected = _detect(groups, medium.info, components, takes_faint=takes_faint)
        if size == 1:
            yield _track(detected, components, tracker)
        else:
            depth = _depth(medium.info, size, _GROUPS_AHEAD)
            yield ahead_of(_track(ahead_of(detected, depth), components, tracker), depth)


def frames_ahead(info: MediaInfo) -> int:
    """Return the number of pictures that may be decoded ahead of the detector."""
    return _depth(info, 1, _FRAMES_AHEAD)


def _depth(info: MediaInfo, pictures: int, bounds: range) -> int:
    """Return how many groups of so many pictures fit the memory, within bounds."""
    fitting = _AHEAD_BYTES // max(1, info.width_px * info.height_px * 3 * pictures)
    return min(max(fitting, bounds.start), bounds.stop - 1)


def passes_quality(sharpness: F32, frontality: F32, options: AnalysisOptions) -> NDArray[np.bool_]:
    """Return a mask (n,) of the faces that are sharp and frontal enough for the options."""
    return (sharpness >= options.min_sharpness) & (frontality >= options.min_frontality)


def _detect(
    groups: Iterable[Sequence[Scheduled]],
    info: MediaInfo,
    components: Components,
    *,
    takes_faint: bool,
) -> Iterator[_Detected]:
    """Detect in the frames that are due; `None`, which lets trackers coast, for the others.

    An engine that does not track shows no face in a frame that was gated.
    """
    is_film = components.options.engine != "image"
    detector = components.detector if is_film else components.still_detector
    gated = None if components.options.engine == "videotracking" else Detections.empty()
    for group in groups:
        due = [s.frame for s in group if s.due]
        if isinstance(detector, FrameDetector):
            detections = iter(detector.detect_frames(due, info))
        elif takes_faint and isinstance(detector, FaintDetector):
            detections = iter(detector.detect_faint([frame.image for frame in due]))
        else:
            detections = iter(detector.detect([frame.image for frame in due]))
        yield group, [next(detections) if s.due else gated if s.gated else None for s in group]


def _track(
    detected: Iterable[_Detected], components: Components, tracker: Tracker
) -> Iterator[FrameBatch]:
    """Track the faces from frame to frame, and cut out their chips."""
    options = components.options
    for scheduled, detections in detected:
        frames = [s.frame for s in scheduled]
        selected = [
            None if d is None else select(d, f.image, options)
            for d, f in zip(detections, frames, strict=True)
        ]
        faces = tracker.track(frames, selected)
        chips = [
            components.chips(f.image, x.boxes, x.landmarks)
            for f, x in zip(frames, faces, strict=True)
        ]
        found = sum(int((~np.isnan(f.detect_conf)).sum()) for f in faces)
        left_out = _count(detections) - _count(selected)
        yield FrameBatch(scheduled, faces, chips, found + left_out, found)


def _count(detections: Sequence[Detections | None]) -> int:
    """Return the number of faces; faint ones count only where a track has them."""
    return sum(len(d.certain) for d in detections if d is not None)


def _certain(faces: Faces) -> NDArray[np.bool_]:
    """Return a mask (n,) of the faces that are no faint detections."""
    return np.ones(len(faces), bool) if faces.faint is None else ~faces.faint


def _usable(options: AnalysisOptions) -> Callable[[Frame], bool]:
    """Return a predicate: whether a frame is sharp enough for the detector."""
    gate = options.gate
    if gate is None:
        return lambda _: True
    return lambda frame: quality.sharp_share(frame.image, gate) >= gate.keep
