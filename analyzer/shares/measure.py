"""Shares of a medium's screen time, observed and corrected, each with its interval."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from analyzer.attributes.calibration import Views
from analyzer.shares import answers as network
from analyzer.shares import confusion
from analyzer.shares.confusion import Confusion
from analyzer.shares.interval import LEAST_CLUSTERS, Interval, ratio_interval
from analyzer.types import F64, I64, MediaReport

FACE_TIME, PERSONS = "face_time", "persons"
"""Names of the measures: seconds of all faces; number of persons."""


@dataclass(frozen=True)
class GroupShare:
    """Share of one group."""

    measure: str
    """`face_time`: every face on screen counts for as long as it is seen, also those of nobody;
    `persons`: every character counts once."""
    head: str
    group: str
    amount: float
    """Seconds of faces, or number of persons, of all groups together."""
    observed: float
    """Share of the labels, 0 to 1."""
    corrected: float | None
    """Share that explains the network's answers best; `None` where there is no table for it."""
    interval: Interval
    """Interval of `corrected`, or of `observed` where that is `None`."""
    note: str = ""
    """Why a figure is missing."""


@dataclass(frozen=True)
class _Faces:
    """The n faces of a medium that a head was asked for."""

    labels: I64
    """(n,) groups that they are labelled with."""
    answers: I64
    """(n,) cells of `analyzer.shares.answers`."""
    sizes: I64
    """(n,) classes of size."""
    weights: F64
    """(n,) seconds; 1 for each face of a still."""
    shots: I64
    """(n,) shots."""


def shares(report: MediaReport, tables: Mapping[str, Confusion]) -> Iterator[GroupShare]:
    """Yield the shares of a medium: of face time, and of persons.

    Args:
        report: Report of the medium.
        tables: Head -> what its network confuses.
    """
    for head in report.observations.heads:
        faces = _faces(report, head)
        if faces.weights.sum() > 0:
            yield from _face_time(head, faces, tables.get(head))
        yield from _persons(head, report)


def _faces(report: MediaReport, head: str) -> _Faces:
    table = report.observations
    raw = table.heads[head]
    known = ~np.isnan(raw).any(axis=1)
    views = Views(face_px=table.face_px, sharpness=table.sharpness, frontality=table.frontality)[
        known
    ]
    seconds = table.duration_s if report.info.is_timed else np.ones(len(table))
    shots = np.searchsorted(report.shots[:, 0], table.time_s, side="right") - 1
    return _Faces(
        labels=network.observed(head, raw[known]),
        answers=network.answers(head, raw[known]),
        sizes=network.size_class(views),
        weights=seconds[known],
        shots=np.maximum(shots[known], 0),
    )


def _face_time(head: str, faces: _Faces, table: Confusion | None) -> Iterator[GroupShare]:
    groups = network.GROUPS[head]
    whole = faces.weights.sum()
    count = int(faces.shots.max()) + 1
    wholes = confusion.added_up(faces.shots, faces.weights, count)
    labelled = np.eye(len(groups))[faces.labels]
    observed = faces.weights @ labelled / whole
    parts, spread = labelled, np.zeros(len(groups))
    corrected = None
    if table is not None:
        corrected, parts, spread = _corrected(faces, table)
    for number, group in enumerate(groups):
        part = confusion.added_up(faces.shots, faces.weights * parts[:, number], count)
        seen = confusion.added_up(faces.shots, faces.weights * labelled[:, number], count)
        interval = ratio_interval(part, wholes, seen=seen, spread=float(spread[number]))
        yield GroupShare(
            measure=FACE_TIME,
            head=head,
            group=group,
            amount=float(whole),
            observed=float(observed[number]),
            corrected=None if corrected is None else float(corrected[number]),
            interval=interval,
            note=_too_few(interval),
        )


def _corrected(faces: _Faces, table: Confusion) -> tuple[F64, F64, F64]:
    """Return shares (G,), what each face adds to them (n, G), and their error of the table (G,)."""
    likelihoods = table.likelihoods()
    sizes, _, cells = likelihoods.shape
    sums = confusion.amounts(faces.sizes, faces.answers, faces.weights, (sizes, cells))
    corrected = confusion.prevalence(likelihoods, sums)
    moves = confusion.influences(likelihoods, sums, corrected)
    return corrected, corrected + moves[faces.sizes, faces.answers], confusion.spread(table, sums)


def _persons(head: str, report: MediaReport) -> Iterator[GroupShare]:
    """Yield the shares of the persons with a label; there is no table of what is confused then."""
    labels = [person.attributes[head].label for person in report.persons]
    labels = [label for label in labels if label]
    if not labels:
        return
    groups, numbers = network.GROUPS[head], network.groups_of_labels(head, labels)
    for number, group in enumerate(groups):
        parts = (numbers == number).astype(np.float64)
        interval = ratio_interval(parts, np.ones(len(parts)))
        yield GroupShare(
            measure=PERSONS,
            head=head,
            group=group,
            amount=float(len(parts)),
            observed=float(parts.mean()),
            corrected=None,
            interval=interval,
            note=_too_few(interval, "persons"),
        )


def _too_few(interval: Interval, what: str = "shots") -> str:
    if interval.low is not None:
        return ""
    return f"no interval: fewer than {LEAST_CLUSTERS} {what} with this group, or without it"
