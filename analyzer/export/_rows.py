"""Rows that many exporters read off a report: boxes, tracks, appearances, shots."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np

from analyzer.errors import UsageError
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
    """Head name -> label; an empty label where the head is not sure."""
    intervals_s: tuple[tuple[float, float], ...]
    """Start and end of each stretch on screen, in seconds."""


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
    start_s: float
    end_s: float
    person_ids: tuple[int, ...]


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


def labels(report: MediaReport) -> list[dict[str, str]]:
    """Return each row's labels by head name; of its track's average where faces are tracked."""
    tracking = report.provenance["options"]["engine"] == "videotracking"
    heads = report.track_attributes if tracking else report.row_attributes
    rows = report.row_tracks() if tracking else np.arange(len(report.observations))
    return [
        {head: decoded.label[row] for head, decoded in sorted(heads.items())}
        for row in rows.tolist()
    ]


def tracks(report: MediaReport) -> Iterator[Track]:
    """Yield the T tracks in the order of their ids."""
    table = report.observations
    order = np.argsort(table.track_id, kind="stable")
    ids = report.identities.track_ids
    bounds = np.searchsorted(table.track_id[order], ids, side="right")
    groups = np.split(order, bounds[:-1]) if len(ids) else []
    owners = zip(ids.tolist(), report.identities.person_ids.tolist(), groups, strict=True)
    for number, (track, person, rows) in enumerate(owners):
        starts = table.time_s[rows]
        yield Track(
            track_id=track,
            person_id=person,
            rows=rows,
            labels={
                head: decoded.label[number] for head, decoded in report.track_attributes.items()
            },
            intervals_s=intervals.merge(starts, starts + table.duration_s[rows]),
        )


def appearances(report: MediaReport) -> list[Appearance]:
    """Return every stretch of time that shows a person, in order of time.

    Times are whole milliseconds; none is empty; those of one person do not overlap.
    """
    unsorted = chain.from_iterable(map(_person_appearances, report.persons))
    return sorted(unsorted, key=lambda a: (a.start_ms, a.end_ms, a.person.person_id))


def shots(report: MediaReport) -> Iterator[Shot]:
    """Yield the shots in order."""
    times, persons = report.observations.time_s, report.row_persons()
    for number, (start, end) in enumerate(report.shots.tolist()):
        person_ids = set(persons[(times >= start) & (times < end)].tolist())
        yield Shot(number, start, end, tuple(sorted(person_ids - {-1})))


def _person_appearances(person: Person) -> Iterator[Appearance]:
    last = 0
    for number, (start_s, end_s) in enumerate(person.intervals):
        start = max(round(start_s * 1000), last)
        last = max(round(end_s * 1000), start + 1)
        yield Appearance(person, number, start, last)
