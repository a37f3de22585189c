"""Observe a medium: decode, detect, track, align and describe, in constant memory."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.errors import ResourceError
from analyzer.observations import table as tables
from analyzer.pipeline.components import Components, FrameWatcher
from analyzer.pipeline.frames import frame_batches
from analyzer.reports.part_file import Part
from analyzer.stages.decode import Medium
from analyzer.types import (
    Detections,
    Frame,
    Observations,
    ProgressHook,
)
from analyzer.types.progress import report_progress
from analyzer.types.tally import Tally
from joblist.shard import Shard

_NO_SPAN = np.array([np.inf, -np.inf])
"""Start and end where no frame was looked at."""
_FRAMES = 8


def observe_part(
    path: str | Sequence[str],
    *,
    components: Components,
    shard: Shard | None = None,
    progress: ProgressHook | None = None,
) -> Part:
    """Look at a medium, or at one shard of it; see `analyze`.

    Args:
        path: of the medium.
        components: from `load_components`.
        shard: which part; ``None`` for all of it.
        progress: told of each step.
    """
    length_s: float | None = None

    def alive() -> None:
        report_progress(progress, "seek", 0, length_s)

    try:
        for careful in (False, True):
            with components.decoder.open(path, shard=shard, careful=careful, alive=alive) as medium:
                length_s = medium.info.duration_s
                found = tables.concat(
                    list(observe(medium, components=components, progress=progress))
                )
            if not medium.needs_care:
                break
        return Part(info=medium.info, observations=found, reached_end=medium.reached_end)
    except MemoryError as error:
        raise ResourceError(f"{path}: out of memory; try a smaller --batch_size") from error
    finally:
        components.runtime.release()


def observe(
    medium: Medium, *, components: Components, progress: ProgressHook | None = None
) -> Iterator[Observations]:
    """Look at one medium (or the range that the options name) in constant memory.

    Yields:
        The faces of a few frames at a time, in order; `tables.concat` makes one table of them.
        One table without a row where there is no frame.

    Raises:
        InputError: the medium cannot be read.
    """
    with closing(steps(medium, components=components, progress=progress)) as found:
        for _, table in found:
            yield table


def steps(
    medium: Medium,
    *,
    components: Components,
    size: int = _FRAMES,
    progress: ProgressHook | None = None,
) -> Generator[tuple[Sequence[Frame], Observations], None, None]:
    """Look at one medium; see `observe`.

    Args:
        medium: open.
        components: from `load_components`.
        size: frames a step at least; 1 to see each at once.
        progress: told of each step.

    Yields:
        Some frames and the table of their faces. No frame where there is none at all.
    """
    watch, before, nothing = components.watch(), Tally(), True
    with frame_batches(medium, components=components, watch=watch, size=size) as seen:
        for look in seen:
            rows, chips = look.describable(components.options)  # M of the look's N faces
            described = components.describer.describe(chips)
            counted = _decoded(medium)
            tally = look.tally() + (counted - before) + Tally(faces_described=len(described))
            before, nothing = counted, False
            table = tables.table(look.frames, look.faces, look.chips, described, rows, tally)
            yield look.frames, replace(table, canvas=_letterbox(watch, table))
            begin_s, end_s = medium.range_s
            report_progress(progress, "observe", table.span_s[1] - begin_s, end_s - begin_s)
    if nothing:
        # What was decoded is counted all the same.
        nobody = replace(nothing_seen(components), tally=_decoded(medium), span_s=_NO_SPAN)
        yield (), replace(nobody, canvas=_letterbox(watch, nobody))


def _letterbox(watch: FrameWatcher | None, table: Observations) -> NDArray[Any]:
    """What of the pictures is lit, as far as it is known."""
    return watch.canvas.box.copy() if watch else table.canvas


def nothing_seen(components: Components) -> Observations:
    """A table without a row, at second 0."""
    frame = Frame(index=0, time_s=0.0, duration_s=0.0, image=np.zeros((1, 1, 3), np.uint8))
    (faces,) = components.tracker().track([frame], [Detections.empty()])
    chips = components.aligner.align(frame.image, faces.boxes, faces.landmarks)
    described = components.describer.describe(chips.images)
    return tables.table([frame], [faces], [chips], described, np.empty(0, np.int64), Tally())


def _decoded(medium: Medium) -> Tally:
    """What the decoder has counted so far."""
    return Tally(
        frames_decoded=medium.frames_decoded,
        damaged=medium.damaged,
        missing_s=medium.missing_s,
    )
