"""Match by distance: persons to named portraits, a poster's faces to persons."""

from dataclasses import replace

import numpy as np

from analyzer.types import F32, F64, I64, MediaReport, Person
from analyzer.types.people import Candidate, Gallery

NEAREST = 5
"""How many neighbours vote."""
SOFTNESS = 1 / 36
"""By which share of the threshold a portrait must be nearer for its vote to count e times more:
the slope of a logistic regression on pairs of LFW pictures, as they are, of 25 pixels, and cut."""
SURE = 0.55
"""Least probability of a name that is given."""
_SHOWN = 5
"""How many candidates a person has at most."""


def name_persons(report: MediaReport, gallery: Gallery, threshold: float) -> MediaReport:
    """Give persons the names of the portraits that they look like; strangers stay without.

    A vote of nearest neighbours with room for the unknown: the portraits nearest to a person's mean
    vote for their names, the nearer the louder, and "somebody else" has the vote of a portrait at
    the threshold. So the margin to the next name decides, and tracks that are seen badly do not
    outvote others. A name is given where its probability is at least `SURE` and its nearest
    portrait is closer to the person's mean than the threshold. Two persons who share a picture
    never have one name: the more probable one keeps it. Who was forgotten has no embeddings, and
    gets no name.

    Args:
        report: Report of a medium.
        gallery: G portraits, described by the same network.
        threshold: Euclidean distance.
    """
    if not gallery.names:
        return report
    described = set(report.row_persons()[report.observations.embedding_rows].tolist())
    named = []
    for person in report.persons:
        centroid = report.identities.centroids[person.person_id]
        if person.person_id not in described or not centroid.any():
            named.append(person)
            continue
        shares = _votes(centroid[None], gallery, threshold)[0]
        named.append(replace(person, candidates=_candidates(centroid, shares, gallery)))
    return replace(report, persons=_apart(report, tuple(_decide(p, threshold) for p in named)))


def _votes(queries: F32, gallery: Gallery, threshold: float) -> F64:
    """Probability of each name for each of the queries (T, D): (T, U), U different names."""
    distance = distances(queries, gallery.embeddings)
    names, name_of = np.unique(np.array(gallery.names, object), return_inverse=True)
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :NEAREST]
    closeness = (threshold - np.take_along_axis(distance, nearest, axis=1)) / threshold
    loudness = np.exp(closeness / SOFTNESS)
    votes = np.zeros((len(queries), len(names)))
    rows = np.arange(len(queries))[:, None].repeat(nearest.shape[1], axis=1)
    np.add.at(votes, (rows, name_of[nearest]), loudness)
    return votes / (1 + votes.sum(axis=1, keepdims=True))


def _candidates(centroid: F32, shares: F64, gallery: Gallery) -> tuple[Candidate, ...]:
    """Return the likeliest names, the most probable first; equally probable ones by distance."""
    distance = distances(centroid[None], gallery.embeddings)[0]
    names, name_of = np.unique(np.array(gallery.names, object), return_inverse=True)
    nearest = np.full(len(names), np.inf)
    np.minimum.at(nearest, name_of, distance)
    order = np.lexsort((nearest, -shares))[:_SHOWN]
    return tuple(
        Candidate(name=str(names[i]), probability=float(shares[i]), distance=float(nearest[i]))
        for i in order.tolist()
    )


def _decide(person: Person, threshold: float) -> Person:
    if not person.candidates:
        return person
    best = person.candidates[0]
    if best.probability < SURE or best.distance >= threshold:
        return person
    return replace(person, name=best.name, name_distance=best.distance)


def _apart(report: MediaReport, persons: tuple[Person, ...]) -> tuple[Person, ...]:
    """Take a name from a person who shares a picture with a more probable bearer of it."""
    rows = report.row_persons()
    frames: dict[str, list[I64]] = {}
    keep = set()
    for person in sorted(persons, key=lambda p: -_certainty(p)):
        mine = np.unique(report.observations.frame[rows == person.person_id])
        taken = frames.setdefault(person.name or "", [])
        if person.name and not any(np.isin(mine, other).any() for other in taken):
            taken.append(mine)
            keep.add(person.person_id)
    return tuple(
        p if p.person_id in keep else replace(p, name=None, name_distance=None) for p in persons
    )


def _certainty(person: Person) -> float:
    """Probability of the likeliest name."""
    return max((candidate.probability for candidate in person.candidates), default=0.0)


def match(embeddings: F32, report: MediaReport, threshold: float) -> tuple[I64, F32]:
    """Find which characters of a medium some faces are: the vote of the nearest of their faces.

    Only faces that clustering gave to a character take part; who was forgotten has none that have
    embeddings. That the threshold is one for two pictures, not for means, follows from that.

    Args:
        embeddings: (n, D) of the faces.
        report: Report of the medium.
        threshold: Euclidean distance below which a face is the character.

    Returns:
        The person of each face (n,), -1 = none, and how far the nearest face of the likeliest
        person is (n,), NaN where the medium has no persons.
    """
    owners = report.row_persons()[report.observations.embedding_rows]
    known_embeddings, owners = report.observations.embeddings[owners >= 0], owners[owners >= 0]
    persons = np.full(len(embeddings), -1, np.int64)
    distance = np.full(len(embeddings), np.nan, np.float32)
    if not len(known_embeddings):
        return persons, distance
    for i, row in enumerate(distances(embeddings, known_embeddings)):
        nearest = np.argsort(row, kind="stable")[:NEAREST]
        ids, first, votes = np.unique(owners[nearest], return_index=True, return_counts=True)
        best = np.lexsort((first, -votes))[0]  # of as many votes, the nearest
        distance[i] = row[nearest[first[best]]]
        if distance[i] < threshold:
            persons[i] = ids[best]
    return persons, distance


def distances(first: F32, second: F32) -> F64:
    """Euclidean distance of each of `first` (n, D) from each of `second` (m, D): (n, m)."""
    a, b = first.astype(np.float64), second.astype(np.float64)
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * a @ b.T
    return np.sqrt(np.maximum(squared, 0))
