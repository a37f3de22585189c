"""Join the parts of a medium, and turn them into its report."""

from collections.abc import Sequence
from dataclasses import replace

from analyzer.errors import InputError, ResourceError
from analyzer.observations.table import concat
from analyzer.pipeline.components import Components
from analyzer.pipeline.summarize import summarize
from analyzer.reports.part_file import Part
from analyzer.types import MediaReport, ProgressHook


def conclude(
    parts: Sequence[Part], *, components: Components, progress: ProgressHook | None = None
) -> MediaReport:
    """Turn all parts of a medium into its report.

    Args:
        parts: Every part, in order of time.
        components: From `load_components`.
        progress: Hook that is called at each step.

    Raises:
        InputError: The parts are not of one medium as it is now, or have no frame.
        ResourceError: Out of memory.
    """
    whole = join(parts)
    try:
        return summarize(whole.info, whole.observations, components=components, progress=progress)
    except MemoryError as error:
        raise ResourceError(f"{whole.info.uri}: out of memory") from error


def join(parts: Sequence[Part]) -> Part:
    """Join all shards of a medium into one part, equal to that of a run without shards.

    Args:
        parts: Every shard, in order of time.

    Raises:
        InputError: The shards are not of one medium as it is now.
    """
    last = [part for part in parts if part.reached_end]
    if len(last) != 1:
        raise InputError(f"{parts[0].info.uri}: changed while it was analysed; analyse it again")
    moved, frames, tracks = [], 0, 0
    for table in (part.observations for part in parts):
        moved.append(
            replace(
                table,
                frame=table.frame + frames,
                cut_frames=table.cut_frames + frames,
                track_id=table.track_id + tracks,
            )
        )
        frames += table.tally.frames_decoded
        tracks += int(table.track_id.max(initial=-1)) + 1
    return replace(last[0], observations=concat(moved))
