"""What clusters hold of each group: shots of a medium, persons, or media of a collection."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.attributes.calibration import Views
from analyzer.shares import answers as network
from analyzer.types import F32, F64, I64, MediaReport

FACE_TIME, PERSONS, PEOPLE_PER_MINUTE = "face_time", "persons", "people_per_minute"
"""Names of the measures."""
_MINUTE_S = 60.0
_SURE_LOGIT = 10.0
"""Logit of m against f that stands for what a reviewer said."""


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
    not_given: F64 | None = None
    """(n,) amount without a label, as those of sex of children; `None`: nothing."""

    @property
    def unlabelled(self) -> F64:
        """Amount (n,) without a label."""
        return np.zeros(len(self.labelled)) if self.not_given is None else self.not_given

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
            self.unlabelled.sum(keepdims=True),
        )


def of_report(report: MediaReport) -> Iterator[Amounts]:
    """Yield the amounts of a medium, by shots and by persons; none of heads without labels."""
    for head in report.observations.heads:
        for amounts in (_face_time(head, report), _persons(head, report), _people(head, report)):
            if amounts is not None and amounts.labelled.sum() + amounts.unlabelled.sum() > 0:
                yield amounts


def answer_seconds(report: MediaReport, head: str) -> F64:
    """Return the seconds (S, K) of faces with each answer of a head, in each class of size.

    Those of segments of a medium add up to those of the whole. A face of a still counts as 1.
    """
    amounts = _face_time(head, report)
    if amounts is None or amounts.answers is None:
        return np.zeros((len(network.SIZES_PX), network.count(head)))
    return np.asarray(amounts.answers.sum(axis=0), np.float64)


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
        np.concatenate([part.unlabelled for part in parts]),
    )


def sex_given_from(report: MediaReport) -> float:
    """Return the age in years from which on the faces of a report have a label of sex; 0: all."""
    options = report.provenance.get("options", {})
    return float(options.get("min_sex_age", 0.0)) if "age" in report.observations.heads else 0.0


def _face_time(head: str, report: MediaReport) -> Amounts | None:
    """Return the seconds of faces by shot; of stills, the number of faces by picture."""
    table = report.observations
    raw, not_given = _answers_of(head, report)
    described = ~np.isnan(raw).any(axis=1)
    if not described.any():
        return None
    unlabelled, known = described & not_given, described & ~not_given
    views = Views(face_px=table.face_px, sharpness=table.sharpness, frontality=table.frontality)
    seconds = table.duration_s if report.info.is_timed else np.ones(len(table))
    shots, weights = _shots(report, table.time_s), seconds
    count = int(shots[described].max()) + 1
    left_out = added_up((shots[unlabelled],), weights[unlabelled], (count,))
    shots, weights = shots[known], weights[known]
    groups, kinds = len(network.GROUPS[head]), network.count(head)
    labels = network.observed(head, raw[known])
    sizes, cells = network.size_class(views[known]), network.answers(head, raw[known])
    return Amounts(
        FACE_TIME,
        head,
        "shots",
        added_up((shots, labels), weights, (count, groups)),
        added_up((shots, sizes, cells), weights, (count, len(network.SIZES_PX), kinds)),
        not_given=left_out,
    )


def _answers_of(head: str, report: MediaReport) -> tuple[F32, NDArray[np.bool_]]:
    """Return raw values (N, k), and of which faces the label is not given: sex of children.

    What a reviewer said of a person's sex counts as a sure answer for each of its described faces,
    those that look too young and the others alike.

    Args:
        head: `sex`, `age` or `ethnicity`.
        report: Report with that head.
    """
    table = report.observations
    raw, young = table.heads[head], table.too_young == 1
    if head != "sex":
        return raw, np.zeros(len(table), bool)
    own = report.row_attributes[head]
    labels = np.array(own.label, object)
    # A label without a value is a reviewer's; faces that one drew have no value at all.
    said = np.isnan(own.value) & (labels != "") & ~np.isnan(raw[:, 0])
    sure = np.where(labels == "m", _SURE_LOGIT, -_SURE_LOGIT).astype(np.float32)
    return np.where(said[:, None], sure[:, None], raw), young & ~said


def _persons(head: str, report: MediaReport) -> Amounts | None:
    """Return the persons, each a cluster."""
    groups = np.array(list(_labels(head, report).values()), np.int64)
    count = len(network.GROUPS[head])
    each = np.eye(count + 1)[groups]
    return Amounts(PERSONS, head, "persons", each[:, :count], not_given=each[:, count])


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
    group_count = len(network.GROUPS[head])
    each = added_up((shots, of_person[at]), parts, (len(lengths), group_count + 1))
    labelled, not_given = each[:, :group_count], each[:, group_count]
    return Amounts(PEOPLE_PER_MINUTE, head, "shots", labelled, minutes=lengths, not_given=not_given)


def _labels(head: str, report: MediaReport) -> Mapping[int, int]:
    """Return the group of each person; one beyond the groups for those without a label."""
    labels = {person.person_id: person.attributes[head].label for person in report.persons}
    given = {person: label for person, label in labels.items() if label}
    groups = network.groups_of_labels(head, list(given.values()))
    group_of = dict(zip(given, groups.tolist(), strict=True))
    return {person: group_of.get(person, len(network.GROUPS[head])) for person in labels}


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
