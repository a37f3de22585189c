"""Identities of a collection: their media, screen time and mean metrics."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from math import fsum, isnan
from statistics import fmean, stdev

import numpy as np

from analyzer.attributes import heads
from analyzer.collection import grouping
from analyzer.collection.media import AnalysedMedium, Skipped
from analyzer.stages.cluster import Clusterer
from analyzer.types import I64, Person, Progress, ProgressHook


@dataclass(frozen=True)
class MediumAppearance:
    """One identity in one medium."""

    seen: AnalysedMedium
    persons: tuple[Person, ...]
    """Who of the medium it is: one person, or several who were not on screen at the same time."""

    @property
    def is_timed(self) -> bool:
        """Whether the medium has times: stills have none."""
        return self.seen.summary.info.is_timed

    @property
    def face_count(self) -> int:
        """Rows of the medium's table."""
        return sum(person.face_count for person in self.persons)

    @property
    def stretches(self) -> int:
        """How often it comes on screen."""
        return sum(len(person.intervals) for person in self.persons)

    @property
    def screen_time_s(self) -> float:
        """Seconds on screen."""
        return fsum(person.screen_time_s for person in self.persons)

    @property
    def first_s(self) -> float | None:
        """When it is first seen; `None` in stills."""
        if not self.is_timed:
            return None
        return min(person.first_s for person in self.persons)

    @property
    def last_s(self) -> float | None:
        """When it is last seen; `None` in stills."""
        if not self.is_timed:
            return None
        return max(person.last_s for person in self.persons)

    @property
    def main(self) -> Person:
        """The person with most faces."""
        return max(self.persons, key=lambda person: (person.face_count, -person.person_id))


@dataclass(frozen=True)
class Metric:
    """One metric over the media of an identity, each counted once."""

    mean: float | None
    count: int
    spread: float | None
    """Sample standard deviation; `None` below two values."""

    @classmethod
    def of(cls, values: Sequence[float]) -> "Metric":
        """Sum up some values."""
        return cls(
            mean=fmean(values) if values else None,
            count=len(values),
            spread=stdev(values) if len(values) > 1 else None,
        )


@dataclass(frozen=True, kw_only=True)
class CollectedPerson:
    """One person across media."""

    identity_id: int
    name: str | None
    sex: str
    age: str
    """In years."""
    appearances: tuple[MediumAppearance, ...]
    """One a medium, in the order of the joblist."""
    metrics: Mapping[str, Metric]

    @property
    def face_count(self) -> int:
        """Faces in all media."""
        return sum(appearance.face_count for appearance in self.appearances)

    @property
    def stretches(self) -> int:
        """How often it comes on screen."""
        return sum(appearance.stretches for appearance in self.appearances)

    @property
    def screen_time_s(self) -> float:
        """Seconds on screen in all media."""
        return fsum(appearance.screen_time_s for appearance in self.appearances)

    @property
    def best(self) -> MediumAppearance:
        """Where most of its faces are."""
        return max(self.appearances, key=lambda appearance: appearance.main.face_count)


@dataclass(frozen=True, kw_only=True)
class Collection:
    """Everybody of some media."""

    identities: tuple[CollectedPerson, ...]
    """Most screen time first. A number is that of the identity store with which a report was
    matched, or one after all of these, in this order."""
    seen: tuple[AnalysedMedium, ...]
    skipped: tuple[Skipped, ...]
    metrics: tuple[str, ...]
    """The columns of metrics."""

    def unmatched(self) -> int:
        """Return how many media no store has numbered the persons of, where it has of others."""
        numbered = [
            any(person.identity_id is not None for person in medium.summary.persons)
            for medium in self.seen
            if medium.summary.persons
        ]
        return numbered.count(False) if any(numbered) else 0


def collect(
    media: Sequence[AnalysedMedium],
    skipped: Sequence[Skipped],
    metrics: Sequence[str],
    *,
    clusterer: Clusterer,
    threshold: float | None = None,
    progress: ProgressHook | None = None,
) -> Collection:
    """Find the identities of some media.

    Who is who does not depend on the order of the media; only the order of appearances does.

    Args:
        media: The media.
        skipped: Those that could not be read.
        metrics: Columns of the joblist to be averaged.
        clusterer: Groups the persons.
        threshold: Distance below which two persons may be one; by default the least that the
            media were analysed with.
        progress: Hook that is called with each step.
    """
    if progress is not None:
        progress(Progress(stage="group", done=0, total=1))
    order = sorted(media, key=lambda medium: medium.medium.source_path)
    people = [(medium, person) for medium in order for person in medium.summary.persons]
    stated = (medium.summary.provenance.get("cluster_threshold") for medium in order)
    limits = [limit for limit in stated if limit]
    labels = _labels(order, clusterer, threshold or min(limits, default=1.0))
    groups: dict[int, list[tuple[AnalysedMedium, Person]]] = {}
    for label, member in zip(labels.tolist(), people, strict=True):
        groups.setdefault(label, []).append(member)
    line = {id(medium): number for number, medium in enumerate(media)}
    collected = [_identity(members, line, metrics) for members in groups.values()]
    collected.sort(key=lambda person: -person.screen_time_s)  # stable: as in the sorted media
    numbers = count(1 + max((person.identity_id for person in collected), default=-1))
    if progress is not None:
        progress(Progress(stage="group", done=1, total=1))
    return Collection(
        identities=tuple(
            replace(person, identity_id=next(numbers)) if person.identity_id < 0 else person
            for person in collected
        ),
        seen=tuple(media),
        skipped=tuple(skipped),
        metrics=tuple(metrics),
    )


def _labels(media: Sequence[AnalysedMedium], clusterer: Clusterer, threshold: float) -> I64:
    """Return the identity of each person of each medium, in their order."""
    apart: list[tuple[int, int]] = []
    centroids, count = [], 0
    for medium in media:
        persons = medium.summary.persons
        rows = [person.person_id for person in persons]
        centroids += [medium.summary.identities.centroids[rows]] if rows else []
        apart += [(a + count, b + count) for a, b in grouping.together(persons)]
        count += len(persons)
    people = [person for medium in media for person in medium.summary.persons]
    if not people:
        return np.empty(0, np.int64)
    return grouping.identities(
        np.concatenate(centroids),
        np.array([person.face_count for person in people], np.float32),
        _known(people),
        np.array(apart, np.int64).reshape(-1, 2),
        clusterer=clusterer,
        threshold=threshold,
    )


def _known(people: Sequence[Person]) -> list[grouping.Known | None]:
    """Return what is known of each person: the number in a store, else a name.

    A name without a number is that of the only number with it.
    """
    numbers: dict[str, set[int]] = defaultdict(set)
    for person in people:
        if person.identity_id is not None and person.name is not None:
            numbers[person.name].add(person.identity_id)
    return [_known_of(person, numbers) for person in people]


def _known_of(person: Person, numbers: Mapping[str, set[int]]) -> grouping.Known | None:
    if person.identity_id is not None:
        return person.identity_id, ""
    if person.name is None:
        return None
    of_name = numbers.get(person.name, ())
    return (next(iter(of_name)), "") if len(of_name) == 1 else (-1, person.name)


def _identity(
    members: Sequence[tuple[AnalysedMedium, Person]],
    line: Mapping[int, int],
    metrics: Sequence[str],
) -> CollectedPerson:
    """Make one identity of its persons; -1 is the number of one that no store has."""
    media: dict[int, list[Person]] = {}
    by_line = {line[id(medium)]: medium for medium, _ in members}
    for medium, person in members:
        media.setdefault(line[id(medium)], []).append(person)
    appearances = tuple(MediumAppearance(by_line[n], tuple(media[n])) for n in sorted(media))
    people = [person for _, person in members]
    values = [appearance.seen.medium.metrics for appearance in appearances]
    return CollectedPerson(
        identity_id=next((p.identity_id for p in people if p.identity_id is not None), -1),
        name=next((person.name for person in people if person.name is not None), None),
        sex=_sex(people),
        age=_age(people),
        appearances=appearances,
        metrics={name: Metric.of([v[name] for v in values if name in v]) for name in metrics},
    )


def _sex(people: Sequence[Person]) -> str:
    said, value = _said("sex", people), _pooled("sex", people)
    return said or ("" if value is None else "m" if value > 0 else "f")


def _age(people: Sequence[Person]) -> str:
    said, value = _said("age", people), _pooled("age", people)
    return said or ("" if value is None else f"{float(heads.years(value)):.1f}")


def _said(head: str, people: Sequence[Person]) -> str:
    """Label that reviewers gave to most faces; empty where they gave none."""
    faces: Counter[str] = Counter()
    for person in people:
        given = person.attributes.get(head)
        if given is not None and given.label and isnan(given.value):
            faces[given.label] += person.face_count
    return max(sorted(faces), key=faces.__getitem__, default="")


def _pooled(head: str, people: Sequence[Person]) -> float | None:
    """Mean decision value of the persons who have a label, each counting by its faces."""
    attributed = [
        (person.attributes[head].value, person.face_count)
        for person in people
        if head in person.attributes
        and person.attributes[head].label
        and not isnan(person.attributes[head].value)
    ]
    total = sum(faces for _, faces in attributed)
    return fsum(value * faces for value, faces in attributed) / total if total else None
