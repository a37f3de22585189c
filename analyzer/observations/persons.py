"""Persons of a medium: their tracks, screen time, intervals, size and attributes."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analyzer.attributes.calibration import Views
from analyzer.attributes.labeller import PLAIN, Labeller
from analyzer.imaging import boxes, letterbox
from analyzer.observations import intervals
from analyzer.observations.tracks import Tracks
from analyzer.types import (
    I64,
    Attribute,
    Decoded,
    Observations,
    Person,
    TrackPersons,
)
from analyzer.types.groups import dense, group_means

NOBODY = -1
"""Number of the faces of no person."""
_FAINT = 1.1
"""Recognisability below which a third of the faces are not recognised."""
_GLIMPSE_S = 0.5
"""A person of such faces alone must be on screen for so long."""


def identities(labels: I64, described: Tracks, track_ids: I64) -> TrackPersons:
    """Number the persons from 0 in order of their first tracks, and average their embeddings.

    Args:
        labels: (T,) cluster of each described track.
        described: T described tracks.
        track_ids: Ids of all tracks, ascending; tracks that were not described belong to no
            person.
    """
    of_described = dense(labels)
    count = int(of_described.max(initial=-1)) + 1
    centroids, _ = group_means(described.embeddings, of_described, described.weights, count)
    person_ids = np.full(len(track_ids), -1, np.int64)
    person_ids[np.searchsorted(track_ids, described.ids)] = of_described
    return TrackPersons(track_ids=track_ids, person_ids=person_ids, centroids=centroids)


def drop_glimpses(track_persons: TrackPersons, observations: Observations) -> TrackPersons:
    """Remove persons who can hardly be recognised and are not on screen for long.

    Their tracks then belong to no person: nobody could say who they are, or whether two of them are
    one. Where it is not known how far faces can be recognised, all persons stay.

    Args:
        track_persons: Assignment of tracks to persons.
        observations: All rows.
    """
    rows = track_persons.person_ids[np.searchsorted(track_persons.track_ids, observations.track_id)]
    count = len(track_persons.centroids)
    rated = (rows >= 0) & ~np.isnan(observations.recognisability)
    of_rated = rows[rated]
    known = np.bincount(of_rated, observations.recognisability[rated], count)
    mean = known / np.maximum(np.bincount(of_rated, minlength=count), 1)
    # Two tracks of a person are never in one picture.
    seen_s = np.bincount(rows[rows >= 0], observations.duration_s[rows >= 0], count)
    faint = (mean > 0) & (mean < _FAINT)
    return _keep(track_persons, ~faint | (seen_s >= _GLIMPSE_S))


def drop_small(
    track_persons: TrackPersons, observations: Observations, least: int
) -> tuple[TrackPersons, int]:
    """Remove persons with too few faces; their tracks then belong to no person.

    Args:
        track_persons: Assignment of tracks to persons.
        observations: All rows.
        least: Number of faces that a person must have.

    Returns:
        Assignment with the remaining persons, numbered from 0 in the same order, and the number
        of removed persons.
    """
    rows = track_persons.person_ids[np.searchsorted(track_persons.track_ids, observations.track_id)]
    keep = np.bincount(rows[rows >= 0], minlength=len(track_persons.centroids)) >= least
    return _keep(track_persons, keep), int((~keep).sum())


def _keep(track_persons: TrackPersons, keep: NDArray[np.bool_]) -> TrackPersons:
    """Return the assignment with some of the persons (P,), numbered anew in the same order."""
    # One entry more: -1, no person, stays so.
    number = np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1)
    return TrackPersons(
        track_ids=track_persons.track_ids,
        person_ids=number[track_persons.person_ids].astype(np.int64),
        centroids=track_persons.centroids[keep],
    )


def average_tracks(
    observations: Observations, track_ids: I64, labeller: Labeller = PLAIN
) -> dict[str, Decoded]:
    """Aggregate and decode the attributes of each track.

    Args:
        observations: All rows.
        track_ids: (T,) ids of the tracks, ascending.
        labeller: Aggregates faces and decodes heads.

    Returns:
        Head name -> T labels.
    """
    order = np.argsort(observations.track_id, kind="stable")
    bounds = np.searchsorted(observations.track_id[order], track_ids, side="right")
    groups = np.split(order, bounds[:-1]) if len(track_ids) else []
    quality, row_views, heads = observations.quality, views(observations), observations.heads
    aggregated = [
        labeller.average(
            {head: raw[rows] for head, raw in heads.items()}, row_views[rows], quality[rows]
        )
        for rows in groups
    ]
    averages = {
        head: np.array([values[head] for values, _ in aggregated], np.float32).reshape(
            -1, raw.shape[1]
        )
        for head, raw in heads.items()
    }
    return labeller.decode(averages, Views.join([view for _, view in aggregated]))


def views(observations: Observations) -> Views:
    """Return the views of the faces of all rows."""
    return Views(
        face_px=observations.face_px,
        sharpness=observations.sharpness,
        frontality=observations.frontality,
    )


def persons(
    observations: Observations,
    row_persons: I64,
    track_persons: TrackPersons,
    labeller: Labeller = PLAIN,
) -> tuple[Person, ...]:
    """Summarise each person of a medium, most screen time first.

    Args:
        observations: All rows.
        row_persons: (N,) person of each row, -1 = none.
        track_persons: Assignment of tracks to persons.
        labeller: Aggregates faces and decodes heads.
    """
    count = len(track_persons.centroids)
    return by_screen_time(
        [person(i, observations, row_persons, track_persons, labeller) for i in range(count)]
    )


def unidentified(
    observations: Observations, row_persons: I64, track_persons: TrackPersons
) -> Person | None:
    """Summarise the faces of no person as one, so that they are in the totals; `None` without any.

    They have no attributes: they are of several people who cannot be told apart.

    Args:
        observations: All rows.
        row_persons: (N,) person of each row, -1 = none.
        track_persons: Assignment of tracks to persons.
    """
    if not (row_persons == NOBODY).any():
        return None
    faces = replace(observations, heads={})
    return person(NOBODY, faces, row_persons, track_persons, PLAIN)


def by_screen_time(people: Iterable[Person]) -> tuple[Person, ...]:
    """Return persons sorted by screen time, longest first."""
    return tuple(sorted(people, key=lambda p: (-p.screen_time_s, -p.face_count, p.person_id)))


def person(
    person_id: int,
    observations: Observations,
    row_persons: I64,
    track_persons: TrackPersons,
    labeller: Labeller,
) -> Person:
    """Summarise one person.

    Args:
        person_id: Number of a person with at least one row; -1 for the faces of none.
        observations: All rows.
        row_persons: (N,) person of each row, -1 = none.
        track_persons: Assignment of tracks to persons.
        labeller: Aggregates faces and decodes heads.
    """
    rows = np.nonzero(row_persons == person_id)[0]
    ends = observations.time_s[rows] + observations.duration_s[rows]
    _, once = np.unique(observations.frame[rows], return_index=True)
    picture = observations.picture_px[rows] * letterbox.area(observations.canvas)
    return Person(
        person_id=person_id,
        name=None,
        name_distance=None,
        track_ids=tuple(track_persons.track_ids[track_persons.person_ids == person_id].tolist()),
        face_count=len(rows),
        first_s=float(observations.time_s[rows].min()),
        last_s=float(ends.max()),
        screen_time_s=float(observations.duration_s[rows][once].sum()),
        mean_area_ratio=float((boxes.area(observations.boxes[rows]) / picture).mean()),
        attributes=_attributes(observations, rows, labeller),
        intervals=intervals.merge(observations.time_s[rows], ends),
    )


def _attributes(observations: Observations, rows: I64, labeller: Labeller) -> dict[str, Attribute]:
    heads = {head: raw[rows] for head, raw in observations.heads.items()}
    return labeller.summarize(heads, views(observations)[rows], observations.quality[rows])
