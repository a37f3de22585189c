"""Summarize a medium: its observations become tracks, persons and a report.

`observe` has streamed over the frames in constant memory; this step sees the whole medium.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer._version import __version__
from analyzer.attributes.labeller import Labeller
from analyzer.errors import InputError
from analyzer.imaging import boxes, letterbox
from analyzer.inference import runtime
from analyzer.observations import attachment, linking, persons, tracks
from analyzer.observations.table import take
from analyzer.observations.tracks import Tracks
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import Components
from analyzer.pipeline.frames import passes_quality
from analyzer.pipeline.segment import segment_of
from analyzer.stages.cluster import Clusterer, SpreadClusterer
from analyzer.types import (
    F64,
    I64,
    MediaInfo,
    MediaReport,
    Observations,
    ProgressHook,
    TrackPersons,
)
from analyzer.types.groups import dense
from analyzer.types.progress import report_progress


def summarize(
    info: MediaInfo,
    observations: Observations,
    *,
    components: Components,
    progress: ProgressHook | None = None,
) -> MediaReport:
    """Turn the observations of a whole medium into its report.

    Args:
        info: Facts of the medium.
        observations: All N rows, in order of time.
        components: From `load_components`.
        progress: Hook that is called at the start and the end.

    Raises:
        InputError: The range that the options name has no frame.
    """
    if _is_empty_segment(info, observations, components):
        observations = replace(observations, span_s=np.full(2, components.options.start or 0.0))
    if observations.span_s[0] > observations.span_s[1]:
        raise InputError(f"{info.uri}: no frame to analyse; check --start and --stop")
    report_progress(progress, "summarize", 0, 1)
    options, limit = components.options, _limit(components)
    table = _in_bounds(observations, options)
    table = replace(table, track_id=tracks.split_tracklets(table, limit))
    table = _drop_coasting(table)
    table = replace(table, track_id=linking.link_tracklets(table, limit))
    # Only now: until here a face that is not clear enough holds its track together.
    table = _filter(table, passes_quality(table.sharpness, table.frontality, options))
    young = components.labeller.too_young(table.heads, persons.views(table))
    table = replace(table, track_id=dense(table.track_id), too_young=young.astype(np.float32))
    report_progress(progress, "summarize", 1, 1)
    report = MediaReport(
        info=info,
        observations=table,
        identities=_nobody(table),
        row_attributes=components.labeller.decode(table.heads, persons.views(table)),
        track_attributes=persons.average_tracks(
            table, np.unique(table.track_id), components.labeller
        ),
        persons=(),
        shots=_shots(info, table),
        provenance=_provenance(components),
        notes=(
            *info.notes,
            *table.tally.clock_notes,
            *components.runtime.notes,
            *_notes(table, components),
        ),
    )
    grouped = group(
        report,
        clusterer=components.clusterer,
        labeller=components.labeller,
        options=options,
        limit=limit,
    )
    return segment_of(grouped) if components.is_segment else grouped


def _notes(table: Observations, components: Components) -> Iterator[str]:
    """Yield what labels lack that the options ask for."""
    if not len(table) or "sex" not in table.heads:
        return
    options = components.options
    if options.min_sex_age and "age" not in table.heads:
        yield "without ages, children have a label of sex, too: add age to --attributes"
    if options.min_sex_confidence and components.labeller.calibration is None:
        yield "this describer was not calibrated: sex has a label where it is unsure, too"


def _is_empty_segment(info: MediaInfo, table: Observations, components: Components) -> bool:
    """Return whether no sample belongs to a segment, though the medium is long enough."""
    start_s = components.options.start or 0.0
    is_empty = table.span_s[0] > table.span_s[1]
    return bool(components.is_segment and is_empty and start_s < info.duration_s)


def group(
    report: MediaReport,
    *,
    clusterer: Clusterer,
    labeller: Labeller,
    options: AnalysisOptions,
    limit: float,
) -> MediaReport:
    """Decide which tracks of a report are one person.

    Args:
        report: Report; its persons count for nothing.
        clusterer: Clusterer of the tracks.
        labeller: Decides on the attributes of persons.
        options: Options that say which tracks and persons count.
        limit: Distance below which two faces may be one person.
    """
    table = report.observations
    described = tracks.embed(table)  # T tracks
    clear = tracks.recognisable(table, described, options.min_clarity)  # at most T
    apart = tracks.cannot_link_pairs(table, clear.ids)  # (k, 2)
    labels = attachment.attach(_cluster(clear, apart, clusterer, limit), clear, apart, limit)
    track_persons = persons.identities(labels, clear, np.unique(table.track_id))
    track_persons = persons.drop_glimpses(track_persons, table)
    track_persons, dropped = persons.drop_small(track_persons, table, options.min_faces)
    rows = track_persons.person_ids[np.searchsorted(track_persons.track_ids, table.track_id)]
    tally = replace(
        table.tally,
        faces_saved=len(table),
        faces_kept=int((rows >= 0).sum()),
        persons_dropped=dropped,
    )
    return replace(
        report,
        observations=replace(table, tally=tally),
        identities=track_persons,
        persons=persons.persons(table, rows, track_persons, labeller),
    )


def _cluster(described: Tracks, apart: I64, clusterer: Clusterer, limit: float) -> I64:
    """Return the label (T,) of each track; see `Clusterer`."""
    means, weights = described.embeddings, described.weights
    if isinstance(clusterer, SpreadClusterer):
        return clusterer.cluster_spread(means, weights, described.spread(limit), apart, limit)
    return clusterer.cluster(means, weights, apart, limit)


def _nobody(table: Observations) -> TrackPersons:
    """Return the assignment of all tracks to no person."""
    ids = np.unique(table.track_id)
    return TrackPersons(
        track_ids=ids,
        person_ids=np.full(len(ids), -1, np.int64),
        centroids=np.empty((0, table.embeddings.shape[1]), np.float32),
    )


def _in_bounds(table: Observations, options: AnalysisOptions) -> Observations:
    """Leave out faces by their share of the picture without its black bars."""
    share = boxes.area(table.boxes) / (table.picture_px * letterbox.area(table.canvas))
    return _filter(table, (share >= options.min_area) & (share <= options.max_area))


def _filter(table: Observations, keep: NDArray[np.bool_]) -> Observations:
    """Leave out the rows where `keep` (N,) is false, and count them."""
    if keep.all():
        return table
    tally = replace(table.tally, faces_filtered=table.tally.faces_filtered + int((~keep).sum()))
    return replace(take(table, keep), tally=tally)


def _drop_coasting(table: Observations) -> Observations:
    """Remove the rows of tracks without a detection, and their counts."""
    left = tracks.drop_undetected(table)
    carried = table.tally.faces_tracked - (len(table) - len(left))
    return replace(left, tally=replace(table.tally, faces_tracked=carried))


def _shots(info: MediaInfo, table: Observations) -> F64:
    """Return start and end of each shot: (k, 2); a still is a shot of its own."""
    if not info.is_timed:
        return np.stack([table.cuts, table.cuts], axis=1)
    start, end = table.span_s
    inner = table.cuts[(table.cuts > start) & (table.cuts < end)]
    edges = np.array([start, *inner, end], np.float64)
    return np.stack([edges[:-1], edges[1:]], axis=1)


def _limit(components: Components) -> float:
    """Distance below which two faces may be one person."""
    return components.options.cluster_threshold or components.describer.threshold


def _provenance(components: Components) -> Mapping[str, Any]:
    """Return what the results depend on: nothing of machine, time or user."""
    return {
        "analyzer": __version__,
        "libraries": runtime.versions(),
        "arithmetic": components.runtime.arithmetic,
        "options": components.options.shared(),
        "options_digest": components.options.digest(),
        "cluster_threshold": _limit(components),
        "models": {
            **components.detector.provenance,
            **components.aligner.provenance,
            **components.describer.provenance,
        },
        "ethnicity_asked_for": "ethnicity" in components.options.attributes,
    }
