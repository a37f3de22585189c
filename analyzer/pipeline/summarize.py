"""The order of the stages, and nothing else: decode, detect, track, align, describe; summarize.

``observe`` streams over the pictures in constant memory; ``summarize`` sees the whole medium.
A medium may be looked at in shards, by ``observe_part``; ``conclude`` puts them together.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import analyzer
from analyzer.errors import InputError, ResourceError
from analyzer.imaging import boxes, letterbox
from analyzer.inference import runtime
from analyzer.observations import linking, persons, tracks
from analyzer.observations import table as tables
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import Models, Watch, load_models
from analyzer.pipeline.frames import clear_enough, looks
from analyzer.reports import part_file
from analyzer.reports.part_file import Part
from analyzer.stages.decode import Medium
from analyzer.types import (
    F64,
    Detections,
    Frame,
    MediaInfo,
    MediaReport,
    Observations,
    Progress,
    ProgressHook,
)
from analyzer.types.arrays import dense
from analyzer.types.shards import Shard
from analyzer.types.tally import Tally

__all__ = [
    "Models",
    "analyze",
    "conclude",
    "load_models",
    "observe",
    "observe_part",
    "steps",
    "summarize",
]

_NO_SPAN = np.array([np.inf, -np.inf])
"""Start and end where no frame was looked at."""
_FRAMES = 8


def analyze(
    path: str | Sequence[str], *, models: Models, progress: ProgressHook | None = None
) -> MediaReport:
    """Find out who is on screen in one medium.

    Args:
        path: of a video; with the engine ``image``, of a picture, a folder or a list of them.
        models: from `load_models`.
        progress: told of each step.

    Raises:
        InputError: the medium cannot be read.
        ResourceError: memory or device gave out.
    """
    part = observe_part(path, models=models, progress=progress)
    return conclude([part], models=models, progress=progress)


def observe_part(
    path: str | Sequence[str],
    *,
    models: Models,
    shard: Shard | None = None,
    progress: ProgressHook | None = None,
) -> Part:
    """Look at a medium, or at one shard of it; see `analyze`.

    Args:
        path: of the medium.
        models: from `load_models`.
        shard: which part; ``None`` for all of it.
        progress: told of each step.
    """
    length_s: float | None = None

    def alive() -> None:
        _tell(progress, "seek", 0, length_s)

    try:
        for careful in (False, True):
            with models.decoder.open(path, shard=shard, careful=careful, alive=alive) as medium:
                length_s = medium.info.duration_s
                found = tables.concat(list(observe(medium, models=models, progress=progress)))
            if not medium.needs_care:
                break
        return Part(info=medium.info, observations=found, reached_end=medium.reached_end)
    except MemoryError as error:
        raise ResourceError(f"{path}: out of memory; try a smaller --batch_size") from error
    finally:
        models.runtime.release()


def conclude(
    found: Sequence[Part], *, models: Models, progress: ProgressHook | None = None
) -> MediaReport:
    """Turn all parts of a medium, in order of time, into its report; see `analyze`."""
    whole = part_file.join(found)
    try:
        return summarize(whole.info, whole.observations, models=models, progress=progress)
    except MemoryError as error:
        raise ResourceError(f"{whole.info.uri}: out of memory") from error


def observe(
    medium: Medium, *, models: Models, progress: ProgressHook | None = None
) -> Iterator[Observations]:
    """Look at one medium (or the range that the options name) in constant memory.

    Yields:
        The faces of a few frames at a time, in order; `tables.concat` makes one table of them.
        One table without a row where there is no frame.

    Raises:
        InputError: the medium cannot be read.
    """
    with closing(steps(medium, models=models, progress=progress)) as found:
        for _, table in found:
            yield table


def steps(
    medium: Medium, *, models: Models, size: int = _FRAMES, progress: ProgressHook | None = None
) -> Generator[tuple[Sequence[Frame], Observations], None, None]:
    """Look at one medium; see `observe`.

    Args:
        medium: open.
        models: from `load_models`.
        size: frames a step at least; 1 to see each at once.
        progress: told of each step.

    Yields:
        Some frames and the table of their faces. No frame where there is none at all.
    """
    watch, before, nothing = models.watch(), Tally(), True
    with looks(medium, models=models, watch=watch, size=size) as seen:
        for look in seen:
            rows, chips = look.describable(models.options)  # M of the look's N faces
            described = models.describer.describe(chips)
            counted = _decoded(medium)
            tally = look.tally() + (counted - before) + Tally(faces_described=len(described))
            before, nothing = counted, False
            table = tables.table(look.frames, look.faces, look.chips, described, rows, tally)
            yield look.frames, replace(table, canvas=_lit(watch, table))
            begin_s, end_s = medium.range_s
            _tell(progress, "observe", table.span_s[1] - begin_s, end_s - begin_s)
    if nothing:
        # What was decoded is counted all the same.
        nobody = replace(nothing_seen(models), tally=_decoded(medium), span_s=_NO_SPAN)
        yield (), replace(nobody, canvas=_lit(watch, nobody))


def _lit(watch: Watch | None, table: Observations) -> NDArray[Any]:
    """What of the pictures is lit, as far as it is known."""
    return watch.canvas.box.copy() if watch else table.canvas


def nothing_seen(models: Models) -> Observations:
    """A table without a row, at second 0."""
    frame = Frame(index=0, time_s=0.0, duration_s=0.0, image=np.zeros((1, 1, 3), np.uint8))
    (faces,) = models.tracker().track([frame], [Detections.empty()])
    chips = models.aligner.align(frame.image, faces.boxes, faces.landmarks)
    described = models.describer.describe(chips.images)
    return tables.table([frame], [faces], [chips], described, np.empty(0, np.int64), Tally())


def _decoded(medium: Medium) -> Tally:
    """What the decoder has counted so far."""
    return Tally(
        frames_decoded=medium.frames_decoded,
        damaged=medium.damaged,
        missing_s=medium.missing_s,
    )


def summarize(
    info: MediaInfo,
    observations: Observations,
    *,
    models: Models,
    progress: ProgressHook | None = None,
) -> MediaReport:
    """Turn the rows of a whole medium into persons.

    Raises:
        InputError: there was no frame in the range that the options name.
    """
    if observations.span_s[0] > observations.span_s[1]:
        raise InputError(f"{info.uri}: no frame to analyse; check --start and --stop")
    _tell(progress, "summarize", 0, 1)
    options, limit = models.options, _limit(models)
    table = _in_bounds(observations, options)
    table = replace(table, track_id=tracks.split(table, limit))
    table = _seen(table)
    table = replace(table, track_id=linking.link(table, limit))
    # Only now: until here a face that is not clear enough holds its track together.
    table = _keep(table, clear_enough(table.sharpness, table.frontality, options))
    table = replace(table, track_id=dense(table.track_id))
    found = tracks.embed(table)  # T tracks
    clear = tracks.clear(table, found, options.min_clarity)
    labels = models.clusterer.cluster(
        clear.embeddings, clear.weights, tracks.apart(table, clear.ids), limit
    )
    who = persons.identities(labels, clear, np.unique(table.track_id))
    who, dropped = persons.drop_small(who, table, options.min_faces)
    rows = who.person_ids[np.searchsorted(who.track_ids, table.track_id)]
    tally = replace(
        table.tally,
        faces_saved=len(table),
        faces_kept=int((rows >= 0).sum()),
        persons_dropped=dropped,
    )
    _tell(progress, "summarize", 1, 1)
    return MediaReport(
        info=info,
        observations=replace(table, tally=tally),
        identities=who,
        row_attributes=models.labeller.decode(table.heads, persons.views(table)),
        track_attributes=persons.average_tracks(table, who.track_ids, models.labeller),
        persons=persons.persons(table, rows, who, models.labeller),
        shots=_shots(table),
        provenance=_provenance(models),
    )


def _in_bounds(table: Observations, options: AnalysisOptions) -> Observations:
    """Leave out faces by their share of the picture without its black bars."""
    share = boxes.area(table.boxes) / (table.picture_px * letterbox.area(table.canvas))
    return _keep(table, (share >= options.min_area) & (share <= options.max_area))


def _keep(table: Observations, keep: NDArray[np.bool_]) -> Observations:
    """Leave out the rows where ``keep`` (N,) is false, and count them."""
    if keep.all():
        return table
    tally = replace(table.tally, faces_filtered=table.tally.faces_filtered + int((~keep).sum()))
    return replace(tables.take(table, keep), tally=tally)


def _seen(table: Observations) -> Observations:
    """Leave out what a tracker carried on without a detection, and count it no more."""
    left = tracks.drop_undetected(table)
    carried = table.tally.faces_tracked - (len(table) - len(left))
    return replace(left, tally=replace(table.tally, faces_tracked=carried))


def _shots(table: Observations) -> F64:
    """Start and end of each shot: (k, 2)."""
    start, end = table.span_s
    inner = table.cuts[(table.cuts > start) & (table.cuts < end)]
    edges = np.array([start, *inner, end], np.float64)
    return np.stack([edges[:-1], edges[1:]], axis=1)


def _limit(models: Models) -> float:
    """Distance below which two faces may be one person."""
    return models.options.cluster_threshold or models.describer.threshold


def _provenance(models: Models) -> Mapping[str, Any]:
    """What the results depend on: nothing of the machine, of the time or of who did what."""
    return {
        "analyzer": analyzer.__version__,
        "libraries": runtime.versions(),
        "options": models.options.shared(),
        "options_digest": models.options.digest(),
        "cluster_threshold": _limit(models),
        "models": {
            **models.detector.provenance,
            **models.aligner.provenance,
            **models.describer.provenance,
        },
        "ethnicity_asked_for": "ethnicity" in models.options.attributes,
    }


def _tell(progress: ProgressHook | None, stage: str, done: float, total: float | None) -> None:
    if progress is not None:
        progress(Progress(stage=stage, done=done, total=total))
