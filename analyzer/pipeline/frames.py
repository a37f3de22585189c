"""Frames become faces: the stages before description, each in a thread of its own.

While some faces are described, those of the next frames are followed and cut out, the next but
one searched, and further ones decoded. Each stage takes its frames in order, one group at a time,
so results do not depend on which is ahead.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from analyzer.imaging import quality
from analyzer.options import AnalysisOptions
from analyzer.pipeline import detection
from analyzer.pipeline.components import Components, FrameWatcher
from analyzer.pipeline.prefetch import prefetch
from analyzer.pipeline.schedule import Scheduled, batches
from analyzer.stages.decode import Medium
from analyzer.types import F32, I64, U8, Chips, Detections, Faces, Frame, MediaInfo
from analyzer.types.tally import Tally

T = TypeVar("T")
_AHEAD_BYTES = 96 << 20
"""Of pictures that wait between two stages, about."""
_AHEAD, _GROUPS = range(2, 17), range(1, 3)
"""How many pictures may wait for the detector, and groups of them for the stages behind."""


@dataclass(frozen=True)
class FrameBatch:
    """Some frames, and what is known of their N faces before these are described."""

    scheduled: Sequence[Scheduled]
    faces: Sequence[Faces]
    chips: Sequence[Chips]
    detected: int
    wanted: int
    """Of the faces detected, those that the options do not leave out."""

    @property
    def frames(self) -> list[Frame]:
        """The frames alone."""
        return [s.frame for s in self.scheduled]

    def describable(self, options: AnalysisOptions) -> tuple[I64, U8]:
        """Which faces (M,) the describer is shown, and their chips (M, S, S, 3).

        A face in a gated frame is a tracker's guess in a blur, which looks like nobody:
        described, it would break its track.
        """
        wanted = [
            passes_quality(c.sharpness, c.frontality, options) & (not s.gated)
            for s, c in zip(self.scheduled, self.chips, strict=True)
        ]
        rows = np.nonzero(np.concatenate(wanted))[0]
        return rows, np.concatenate([c.images for c in self.chips])[rows]

    def tally(self) -> Tally:
        """What is to be counted of it."""
        return Tally(
            frames_analysed=len(self.scheduled),
            frames_gated=sum(s.gated for s in self.scheduled),
            faces_detected=self.detected,
            faces_tracked=sum(map(len, self.faces)) - self.wanted,
            faces_filtered=self.detected - self.wanted,
        )


@contextmanager
def frame_batches(
    medium: Medium, *, components: Components, watch: FrameWatcher | None, size: int
) -> Iterator[Iterator[FrameBatch]]:
    """Look for the faces of a medium, and follow them.

    Args:
        medium: open.
        components: from `load_components`.
        watch: shown every picture.
        size: frames a look at least; with 1, none waits for a later frame than its own.

    Yields:
        An iterator over all looks, in order; its threads end with the context.
    """
    with ExitStack() as threads:

        def ahead_of(items: Iterator[T], depth: int) -> Iterator[T]:
            return threads.enter_context(closing(prefetch(items, depth=depth)))

        options = components.options
        decoded = ahead_of(medium.frames(watch), ahead(medium.info))
        waiting = _fitting(medium.info, size, _GROUPS)
        groups = batches(decoded, period=options.detect_period, size=size, usable=_usable(options))
        found = ((group, _detect(group, medium.info, components)) for group in groups)
        if size == 1:
            yield _followed(found, components)
        else:
            yield ahead_of(_followed(ahead_of(found, waiting), components), waiting)


def ahead(info: MediaInfo) -> int:
    """How many pictures may be decoded before they are asked for."""
    return _fitting(info, 1, _AHEAD)


def _fitting(info: MediaInfo, pictures: int, bounds: range) -> int:
    """How many times so many pictures may wait."""
    fit = _AHEAD_BYTES // max(1, info.width_px * info.height_px * 3 * pictures)
    return min(max(fit, bounds.start), bounds.stop - 1)


def passes_quality(sharpness: F32, frontality: F32, options: AnalysisOptions) -> NDArray[np.bool_]:
    """Which faces (n,) the options want, by how well they are seen."""
    return (sharpness >= options.min_sharpness) & (frontality >= options.min_frontality)


def _followed(
    found: Iterable[tuple[Sequence[Scheduled], Sequence[Detections | None]]], components: Components
) -> Iterator[FrameBatch]:
    """Follow the faces that the detector found from frame to frame, and cut them out."""
    tracker = components.tracker()
    for scheduled, detected in found:
        frames = [s.frame for s in scheduled]
        wanted = [
            d if d is None else detection.select(d, f.image, components.options)
            for d, f in zip(detected, frames, strict=True)
        ]
        faces = tracker.track(frames, wanted)
        chips = [
            components.aligner.align(f.image, x.boxes, x.landmarks)
            for f, x in zip(frames, faces, strict=True)
        ]
        yield FrameBatch(scheduled, faces, chips, detected=_count(detected), wanted=_count(wanted))


def _count(found: Sequence[Detections | None]) -> int:
    return sum(len(d) for d in found if d is not None)


def _usable(options: AnalysisOptions) -> Callable[[Frame], bool]:
    """Whether a frame is sharp enough for the detector."""
    gate = options.gate
    if gate is None:
        return lambda _: True
    return lambda frame: quality.sharp_share(frame.image, gate) >= gate.keep


def _detect(
    group: Sequence[Scheduled], info: MediaInfo, components: Components
) -> list[Detections | None]:
    """Detect in the frames that are due; ``None``, which lets trackers coast, for the others.

    An engine that does not track shows nobody in a frame that was gated.
    """
    found = iter(detection.find([s.frame for s in group if s.due], info, components))
    gated = None if components.options.engine == "videotracking" else Detections.empty()
    return [next(found) if s.due else gated if s.gated else None for s in group]
