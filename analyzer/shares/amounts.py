"""What clusters hold of each group: shots of a medium, persons, or media of a collection."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analyzer.attributes.calibration import Views
from analyzer.shares import answers as network
from analyzer.types import F64, I64, MediaReport

FACE_TIME, PERSONS, PEOPLE_PER_MINUTE = "face_time", "persons", "people_per_minute"
"""Names of the measures."""
_MINUTE_S = 60.0


@dataclass(frozen=True)
class Amounts:
    """Amounts of the G groups of a head in n clusters, in one measure."""

    measure: str
    head: str
    clusters: str
    """Name of the clusters: `shots`, `persons` or `films`."""
    labelled: F64
    """(n, G) amount with each label."""
    answers: F64 | None = None
    """(n, S, K) amount with each answer of the network, by class of size; `None` where a label has
    several answers behind it."""
    minutes: F64 | None = None
    """(n,) length of the clusters, where the amounts are those of a minute."""

    def total(self) -> "Amounts":
        """Return all clusters as a single one, a film."""
        answers, minutes = self.answers, self.minutes
        return Amounts(
            self.measure,
            self.head,
            "films",
            self.labelled.sum(axis=0, keepdims=True),
            None if answers is None else answers.sum(axis=0, keepdims=True),
            None if minutes is None else minutes.sum(keepdims=True),
        )


def of_report(report: MediaReport) -> Iterator[Amounts]:
    """Yield the amounts of a medium, by shots and by persons; none of heads without labels."""
    for head in report.observations.heads:
        for amounts in (_face_time(head, report), _persons(head, report), _people(head, report)):
            if amounts is not None and amounts.labelled.sum() > 0:
                yield amounts


def of_collection(media: Iterable[Sequence[Amounts]]) -> list[Amounts]:
    """Return the amounts of a collection, a cluster for each medium.

    Args:
        media: Amounts of each medium, from `Amounts.total`.
    """
    alike: dict[tuple[str, str], list[Amounts]] = {}
    for medium in media:
        for amounts in medium:
            alike.setdefault((amounts.head, amounts.measure), []).append(amounts)
    return [_joined(parts) for parts in alike.values()]


def _joined(parts: Sequence[Amounts]) -> Amounts:
    first = parts[0]
    answers = [part.answers for part in parts if part.answers is not None]
    minutes = [part.minutes for part in parts if part.minutes is not None]
    return Amounts(
        first.measure,
        first.head,
        first.clusters,
        np.concatenate([part.labelled for part in parts]),
        np.concatenate(answers) if answers else None,
        np.concatenate(minutes) if minutes else None,
    )


def _face_time(head: str, report: MediaReport) -> Amounts | None:
    """Return the seconds of faces by shot; of stills, the number of faces by picture."""
    table = report.observations
    raw = table.heads[head]
    known = ~np.isnan(raw).any(axis=1)
    if not known.any():
        return None
    views = Views(face_px=table.face_px, sharpness=table.sharpness, frontality=table.frontality)
    seconds = table.duration_s if report.info.is_timed else np.ones(len(table))
    shots, weights = _shots(report, table.time_s)[known], seconds[known]
    count = int(shots.max()) + 1
    groups, kinds = len(network.GROUPS[head]), network.count(head)
    labels = network.observed(head, raw[known])
    sizes, cells = network.size_class(views[known]), network.answers(head, raw[known])
    return Amounts(
        FACE_TIME,
        head,
        "shots",
        added_up((shots, labels), weights, (count, groups)),
        added_up((shots, sizes, cells), weights, (count, len(network.SIZES_PX), kinds)),
    )


def _persons(head: str, report: MediaReport) -> Amounts | None:
    """Return the persons with a label, each a cluster."""
    groups = np.array(list(_labels(head, report).values()), np.int64)
    return Amounts(PERSONS, head, "persons", np.eye(len(network.GROUPS[head]))[groups])


def _people(head: str, report: MediaReport) -> Amounts | None:
    """Return the characters on screen in each minute, by shot.

    A character who is seen in a minute counts once; where that is in several shots of the minute,
    each shot has the share of the time there. A minute is one of even parts of the medium, as near
    to a minute as goes.
    """
    groups = _labels(head, report)
    if not groups or not report.info.is_timed or not len(report.shots):
        return None
    table, owners = report.observations, report.row_persons()
    counted = np.isin(owners, list(groups)) & (table.duration_s > 0)
    if not counted.any():
        return None
    start_s, end_s = float(report.shots[0, 0]), float(report.shots[-1, 1])
    count = max(1, round((end_s - start_s) / _MINUTE_S))
    minute_s = max(end_s - start_s, 1e-9) / count
    times, seconds = table.time_s[counted], table.duration_s[counted]
    minutes = np.clip((times - start_s) // minute_s, 0, count - 1).astype(np.int64)
    shots = _shots(report, times)
    pairs, at = np.unique(np.stack([minutes, owners[counted]]), axis=1, return_inverse=True)
    at = at.reshape(-1)
    parts = seconds / np.bincount(at, seconds)[at]
    of_person = np.array([groups[person] for person in pairs[1].tolist()], np.int64)
    lengths = np.diff(report.shots, axis=1)[:, 0] / minute_s
    return Amounts(
        PEOPLE_PER_MINUTE,
        head,
        "shots",
        added_up((shots, of_person[at]), parts, (len(lengths), len(network.GROUPS[head]))),
        minutes=lengths,
    )


def _labels(head: str, report: MediaReport) -> Mapping[int, int]:
    """Return the group of each person with a label."""
    labels = {person.person_id: person.attributes[head].label for person in report.persons}
    labels = {person: label for person, label in labels.items() if label}
    groups = network.groups_of_labels(head, list(labels.values()))
    return dict(zip(labels, groups.tolist(), strict=True))


def _shots(report: MediaReport, times: F64) -> I64:
    """Return the shot (n,) of each time."""
    at = np.searchsorted(report.shots[:, 0], times, side="right") - 1
    return np.maximum(at, 0)


def added_up(places: Sequence[I64], weights: F64, shape: tuple[int, ...]) -> F64:
    """Return the sum of the weights (n,) at each place of a table of this shape.

    Args:
        places: Index (n,) for each axis.
        weights: (n,)
        shape: Lengths of the axes.
    """
    at = np.ravel_multi_index(tuple(places), shape)
    return np.asarray(np.bincount(at, weights, minlength=int(np.prod(shape))), np.float64).reshape(
        shape
    )
