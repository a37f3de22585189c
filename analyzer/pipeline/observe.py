"""Observe a medium: decode, detect, track, align and describe, in constant memory."""

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.errors import ResourceError
from analyzer.observations.table import concat, table
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import Components, FrameWatcher
from analyzer.pipeline.frames import frame_batches
from analyzer.reports.part_file import Part
from analyzer.stages.decode import Medium
from analyzer.types import F32, Frame, Observations, ProgressHook
from analyzer.types.progress import report_progress
from analyzer.types.tally import Tally
from joblist.shard import Shard

_NO_SPAN = np.array([np.inf, -np.inf])
"""Start and end where no frame was analysed."""
_BATCH_FRAMES = 8


def observe_part(
    path: str | Sequence[str],
    *,
    components: Components,
    shard: Shard | None = None,
    progress: ProgressHook | None = None,
) -> Part:
    """Observe a medium, or one shard of it.

    Args:
        path: Path of a video; with the engine `image`, of a picture, a folder or a list of them.
        components: From `load_components`.
        shard: Shard to observe; `None` for the whole medium.
        progress: Hook that is called at each step.

    Raises:
        InputError: The medium cannot be read.
        ResourceError: Memory or device gave out.
    """
    seeking = _SeekProgress(progress)
    try:
        for careful in (False, True):
            tables: list[Observations] = []
            with components.decoder.open(
                path, shard=shard, careful=careful, alive=seeking.report
            ) as medium:
                seeking.length_s = medium.info.duration_s
                for _, batch in observe(medium, components=components, progress=progress):
                    tables.append(batch)
            if not medium.needs_care:
                break
        return Part(info=medium.info, observations=concat(tables), reached_end=medium.reached_end)
    except MemoryError as error:
        raise ResourceError(f"{path}: out of memory; try a smaller --batch_size") from error
    finally:
        components.runtime.release()


def observe(
    medium: Medium,
    *,
    components: Components,
    size: int = _BATCH_FRAMES,
    progress: ProgressHook | None = None,
) -> Generator[tuple[Sequence[Frame], Observations], None, None]:
    """Observe an open medium (or the range that the options name) in constant memory.

    Args:
        medium: Open medium.
        components: From `load_components`.
        size: Least number of frames in a batch; 1 for each frame at once.
        progress: Hook that is called after each batch.

    Yields:
        The frames of a batch and the table of their faces, in order; `concat` joins the tables.
        One table without a row, and no frame, where the medium has no frame.

    Raises:
        InputError: The medium cannot be read.
    """
    watcher, before, empty = components.watcher(), Tally(), True
    with frame_batches(medium, components=components, watcher=watcher, size=size) as batches:
        blank = components.blank_embedding
        for batch in batches:
            rows, chips = batch.describable(components.options)  # M of the batch's N faces
            descriptions = components.describer.describe(chips)
            decoded = _decoded(medium)
            tally = batch.tally() + (decoded - before) + Tally(faces_described=len(descriptions))
            before, empty = decoded, False
            clear = _recognisability(descriptions.embeddings, blank, components.describer.threshold)
            rows_of_batch = table(
                batch.frames, batch.faces, batch.chips, descriptions, rows, clear, tally
            )
            done_s = rows_of_batch.span_s[1]
            if components.is_segment:
                rows_of_batch = _of_segment(rows_of_batch, batch.frames, components.options)
            yield batch.frames, replace(rows_of_batch, canvas=_letterbox(watcher, rows_of_batch))
            begin_s, end_s = medium.range_s
            report_progress(progress, "observe", done_s - begin_s, end_s - begin_s)
    if empty:
        # Decoded frames are counted all the same.
        nothing = replace(components.no_observations(), tally=_decoded(medium), span_s=_NO_SPAN)
        yield (), replace(nothing, canvas=_letterbox(watcher, nothing))


def _of_segment(
    rows: Observations, frames: Sequence[Frame], options: AnalysisOptions
) -> Observations:
    """Return the table with the span of those frames that belong to the segment alone.

    Its rows stay: those of frames around it tell what is seen across its borders.
    """
    start_s = -np.inf if options.start is None else options.start
    stop_s = np.inf if options.stop is None else options.stop
    own = [frame for frame in frames if start_s <= frame.time_s < stop_s]
    span_s = _NO_SPAN
    if own:
        span_s = np.array([own[0].time_s, own[-1].time_s + own[-1].duration_s])
    return replace(rows, span_s=span_s, tally=replace(rows.tally, frames_analysed=len(own)))


def _recognisability(embeddings: F32, blank: F32, threshold: float) -> F32:
    """Return how far (M,) embeddings (M, D) are from that of no face; see `Observations`."""
    distance = np.linalg.norm(embeddings - blank, axis=1) / threshold
    return distance.astype(np.float32)


class _SeekProgress:
    """Reports that the decoder is alive while it seeks."""

    def __init__(self, progress: ProgressHook | None) -> None:
        self.length_s: float | None = None
        """Length of the medium, in seconds, once it is open."""
        self._progress = progress

    def report(self) -> None:
        """Report one step."""
        report_progress(self._progress, "seek", 0, self.length_s)


def _letterbox(watcher: FrameWatcher | None, batch: Observations) -> NDArray[Any]:
    """Return the box of the picture without black bars (4,), as far as it is measured."""
    return watcher.canvas.box.copy() if watcher else batch.canvas


def _decoded(medium: Medium) -> Tally:
    """Return the counts of the decoder so far."""
    return Tally(
        frames_decoded=medium.frames_decoded,
        damaged=medium.damaged,
        missing_s=medium.missing_s,
        clock_back=medium.clock_back,
        clock_ahead=medium.clock_ahead,
        untimed=medium.untimed,
    )
