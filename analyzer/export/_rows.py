"""Rows that many exporters read off a report: boxes, tracks, appearances, shots."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from analyzer.errors import UsageError
from analyzer.files.columns import Column
from analyzer.observations import intervals
from analyzer.types import I64, Attribute, MediaReport, Person

UNIDENTIFIED = "unidentified faces"
"""What stands in place of the name of faces of no person."""
_SUMMARY_HEADS = ("sex", "age")


@dataclass(frozen=True)
class Track:
    """A face that was followed from picture to picture."""

    track_id: int
    person_id: int
    """-1 = of no person."""
    rows: I64
    """Rows of its faces in the table, in order of time."""
    labels: Mapping[str, str]
    """Head name -> label of the track alone; an empty label where the head is not sure."""
    shown: Mapping[str, str]
    """Head name -> label to be shown beside the face: of its person; see `shown_labels`."""
    intervals_s: tuple[tuple[float, float], ...]
    """Start and end of each stretch on screen, in seconds; none of stills."""


@dataclass(frozen=True)
class Appearance:
    """A stretch of time that shows a person."""

    person: Person
    number: int
    """Number among the person's appearances, from 0."""
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Shot:
    """A shot and the persons in it."""

    number: int
    start_s: float | None
    """Seconds; `None` for a still."""
    end_s: float | None
    """Seconds; `None` for a still."""
    person_ids: tuple[int, ...]
    still: str | None = None
    """Path of the picture that is the shot; `None` in a video."""

    @property
    def duration_s(self) -> float | None:
        """Length in seconds; `None` for a still."""
        if self.start_s is None or self.end_s is None:
            return None
        return self.end_s - self.start_s


def require_video(report: MediaReport, exporter: str) -> None:
    """Refuse stills, which have no times.

    Raises:
        UsageError: The report is not of a video.
    """
    if report.info.kind != "video":
        raise UsageError(
            f"{report.info.uri}: for {exporter} you need a video; export stills as csv, json, "
            "parquet, webannotation or xlsx"
        )


def boxes(report: MediaReport) -> I64:
    """Return the boxes (N, 4) in whole pixels, as in the csv."""
    return np.rint(report.observations.boxes).astype(np.int64)


def stored_boxes(report: MediaReport) -> I64:
    """Return the boxes (N, 4) in whole pixels of the file, which need not be square.

    Programs that show the decoded pictures as they are show these pixels.
    """
    info = report.info
    if info.stored_px is None:
        return boxes(report)
    scale = np.array(info.stored_px) / (info.width_px, info.height_px)
    return np.rint(report.observations.boxes * np.tile(scale, 2)).astype(np.int64)


def stored_size(report: MediaReport) -> tuple[int, int]:
    """Return width and height of the upright picture in the pixels of the file."""
    return report.info.stored_px or (report.info.width_px, report.info.height_px)


def name(person: Person) -> str:
    """Return the name of a person, or `person N`."""
    return person.name or f"person {person.person_id}"


def names(report: MediaReport) -> dict[int, str]:
    """Return the name of each person, or `person N`, by id."""
    return {person.person_id: name(person) for person in report.persons}


def summary(person: Person) -> str:
    """Return name, sex and age, such as `Grace, m, 40`, without those that are unknown."""
    sex, age = (
        person.attributes.get(head, Attribute(label="", value=0)) for head in _SUMMARY_HEADS
    )
    years = f"{float(age.label):.0f}" if age.label else ""
    return ", ".join(filter(None, (name(person), sex.label, years)))


def shown_labels(report: MediaReport) -> list[dict[str, str]]:
    """Return the labels, by head name, to be shown beside the faces of each of the T tracks.

    They are the person's, so that nobody changes sex or age from picture to picture. A track of
    nobody has its own; so has one of a person without attributes, as in reports that are made of a
    table. What was seen in one picture alone is in the csv only.
    """
    people = {person.person_id: person.attributes for person in report.persons}
    shown = []
    for track, owner in enumerate(report.identities.person_ids.tolist()):
        of_person = people.get(owner, {})
        own = {head: decoded.label[track] for head, decoded in report.track_attributes.items()}
        known = {head: attribute.label for head, attribute in of_person.items()}
        shown.append(dict(sorted({**own, **known}.items())))
    return shown


def row_labels(report: MediaReport) -> list[dict[str, str]]:
    """Return the labels to be shown beside each of the N faces; see `shown_labels`."""
    of_tracks = shown_labels(report)
    return [of_tracks[track] for track in report.row_tracks().tolist()]


def sex_and_age(shown: Mapping[str, str]) -> str:
    """Return `f 34`, or what of it is known.

    Args:
        shown: Head name -> label, from `shown_labels`.
    """
    age = shown.get("age", "")
    return " ".join(filter(None, (shown.get("sex", ""), f"{float(age):.0f}" if age else "")))


def tracks(report: MediaReport) -> Iterator[Track]:
    """Yield the T tracks in the order of their ids."""
    table = report.observations
    order = np.argsort(table.track_id, kind="stable")
    ids = report.identities.track_ids
    bounds = np.searchsorted(table.track_id[order], ids, side="right")
    groups = np.split(order, bounds[:-1]) if len(ids) else []
    owners = report.identities.person_ids.tolist()
    every = zip(ids.tolist(), owners, groups, shown_labels(report), strict=True)
    for number, (track, person, rows, shown) in enumerate(every):
        starts = table.time_s[rows]
        yield Track(
            track_id=track,
            person_id=person,
            rows=rows,
            labels={
                head: decoded.label[number] for head, decoded in report.track_attributes.items()
            },
            shown=shown,
            intervals_s=intervals.merge(starts, starts + table.duration_s[rows])
            if report.info.is_timed
            else (),
        )


def appearances(report: MediaReport) -> list[Appearance]:
    """Return every stretch of time that shows a person, in order of time.

    Times are whole milliseconds; none is empty; those of one person do not overlap.
    """
    unsorted = chain.from_iterable(map(_person_appearances, report.persons))
    return sorted(unsorted, key=lambda a: (a.start_ms, a.end_ms, a.person.person_id))


def shots(report: MediaReport) -> Iterator[Shot]:
    """Yield the shots in order; each still that was analysed is one."""
    if not report.info.is_timed:
        yield from _stills(report)
        return
    times, persons = report.observations.time_s, report.row_persons()
    for number, (start, end) in enumerate(report.shots.tolist()):
        person_ids = set(persons[(times >= start) & (times < end)].tolist())
        yield Shot(number, start, end, tuple(sorted(person_ids - {-1})))


def still_columns(report: MediaReport, listed: Sequence[Shot]) -> list[Column]:
    """Return the column of the pictures' paths, as the csv has it, where the shots are stills."""
    if report.info.is_timed:
        return []
    return [Column("frame", "text", [shot.still for shot in listed])]


def _stills(report: MediaReport) -> Iterator[Shot]:
    """Yield a shot for each still: its first picture is the whole of it."""
    table, persons = report.observations, report.row_persons()
    people: dict[int, set[int]] = {frame: set() for frame in table.cut_frames.tolist()}
    for frame, person in zip(table.frame.tolist(), persons.tolist(), strict=True):
        people.setdefault(frame, set()).add(person)
    for number, frame in enumerate(sorted(people)):
        shown = tuple(sorted(people[frame] - {-1}))
        yield Shot(number, None, None, shown, still=report.info.stills[frame])


def _person_appearances(person: Person) -> Iterator[Appearance]:
    last = 0
    for number, (start_s, end_s) in enumerate(person.intervals):
        start = max(round(start_s * 1000), last)
        last = max(round(end_s * 1000), start + 1)
        yield Appearance(person, number, start, last)
