"""Run the pipeline over one medium: observe all of its parts, join and summarize them."""

from collections.abc import Sequence
from dataclasses import replace

from analyzer.errors import InputError, ResourceError
from analyzer.observations import table as tables
from analyzer.pipeline.components import Components
from analyzer.pipeline.observe import observe_part
from analyzer.pipeline.summarize import summarize
from analyzer.reports.part_file import Part
from analyzer.types import (
    MediaReport,
    ProgressHook,
)


def analyze(
    path: str | Sequence[str], *, components: Components, progress: ProgressHook | None = None
) -> MediaReport:
    """Find out who is on screen in one medium.

    Args:
        path: of a video; with the engine ``image``, of a picture, a folder or a list of them.
        components: from `load_components`.
        progress: told of each step.

    Raises:
        InputError: the medium cannot be read.
        ResourceError: memory or device gave out.
    """
    part = observe_part(path, components=components, progress=progress)
    return conclude([part], components=components, progress=progress)


def conclude(
    found: Sequence[Part], *, components: Components, progress: ProgressHook | None = None
) -> MediaReport:
    """Turn all parts of a medium, in order of time, into its report; see `analyze`."""
    whole = join(found)
    try:
        return summarize(whole.info, whole.observations, components=components, progress=progress)
    except MemoryError as error:
        raise ResourceError(f"{whole.info.uri}: out of memory") from error


def join(parts: Sequence[Part]) -> Part:
    """Put all shards of a medium together, as if it had been looked at as a whole.

    Args:
        parts: in order of time; every one of them.

    Raises:
        InputError: they are not of one medium as it is now.
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
    return replace(last[0], observations=tables.concat(moved))
