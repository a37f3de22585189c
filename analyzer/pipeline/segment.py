"""The part of a report that belongs to a segment of a medium."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analyzer.observations import persons
from analyzer.observations.table import take
from analyzer.types import Decoded, MediaReport, TrackPersons


def segment_of(report: MediaReport) -> MediaReport:
    """Return what is seen within the span of a report.

    Tracks and persons keep the attributes that they have with what is seen around the segment.

    Args:
        report: Report, with rows around its span.
    """
    table, (start_s, end_s) = report.observations, report.observations.span_s
    inside = (table.time_s >= start_s) & (table.time_s < end_s)
    cuts = (table.cuts >= start_s) & (table.cuts < end_s)
    ids, numbers = np.unique(table.track_id[inside], return_inverse=True)
    tracks = np.isin(report.identities.track_ids, ids)
    owners = report.identities.person_ids[tracks]
    known = np.unique(owners[owners >= 0])
    number = np.full(len(report.identities.centroids) + 1, persons.NOBODY)
    number[known] = np.arange(len(known))
    identities = TrackPersons(
        track_ids=np.arange(len(ids)),
        person_ids=number[owners].astype(np.int64),
        centroids=report.identities.centroids[known],
    )
    kept = replace(
        take(table, inside),
        track_id=numbers.astype(np.int64),
        cuts=table.cuts[cuts],
        cut_frames=table.cut_frames[cuts],
    )
    rows = identities.person_ids[kept.track_id]
    tally = replace(table.tally, faces_saved=len(kept), faces_kept=int((rows >= 0).sum()))
    attributes = {int(number[p.person_id]): p.attributes for p in report.persons}
    people = persons.persons(replace(kept, heads={}), rows, identities)
    return replace(
        report,
        observations=replace(kept, tally=tally),
        identities=identities,
        row_attributes={h: _some(d, inside) for h, d in report.row_attributes.items()},
        track_attributes={h: _some(d, tracks) for h, d in report.track_attributes.items()},
        persons=tuple(replace(p, attributes=attributes[p.person_id]) for p in people),
    )


def _some(decoded: Decoded, keep: NDArray[np.bool_]) -> Decoded:
    """Return the labels of some rows or tracks."""
    label = tuple(text for text, kept in zip(decoded.label, keep.tolist(), strict=True) if kept)
    return Decoded(value=decoded.value[keep], label=label)
