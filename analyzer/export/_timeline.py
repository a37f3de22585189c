"""Who is on screen when, as clips of a timeline, in whole pictures: for editing programs.

All clips of a person are a track. A cut list has the clips of one person alone, one after the
other. PySceneDetect's writers fit neither: they have one track, no names, and no drop frame.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import numpy as np

from analyzer.export import _rows, _xml
from analyzer.export._timecode import Timecode, timecode_of
from analyzer.types import F64, I64, MediaReport, Person, ProgressHook

_LOG = logging.getLogger(__name__)
_BEGIN_OF_CUT_LIST = "01:00:00:00"
"""Where editing programs begin, as a rule."""
_CHOSEN = ", person="
"""Between the medium and the person in the title of a cut list, from which it is read again."""
_STEADY_FRAMES, _STEADY_SHARE = 1.0, 1e-4
"""Frames by which a number may differ from its time times the rate, and share of the number."""


@dataclass(frozen=True)
class PersonClip:
    """A stretch of the medium on a timeline; all positions are pictures from 00:00:00:00 on."""

    person: Person
    source: int
    """Position in the medium: its first picture has the position of its timecode."""
    record: int
    """Position on the timeline."""
    length: int


@dataclass(frozen=True)
class PersonTrack:
    """Clips that do not overlap, in order of time."""

    name: str
    clips: tuple[PersonClip, ...]


@dataclass(frozen=True)
class PersonTimeline:
    """Tracks of persons over one medium."""

    title: str
    counts: Timecode
    """How pictures are counted."""
    source_start: int
    """Position of the medium's first picture."""
    source_length: int
    """Pictures of the medium, as far as known."""
    record_start: int
    """Position at which the timeline begins."""
    record_length: int
    tracks: tuple[PersonTrack, ...]
    is_cut_list: bool
    """Whether it is the cut list of one person."""


class TimelineExporter(ABC):
    """Base class of exporters for editing programs; see `analyzer.export.KeepsOptions`.

    Args:
        person: Name or number of the person of a cut list; `None` for tracks of all persons.
    """

    name: ClassVar[str]
    """Name of the exporter."""
    suffix: ClassVar[str]

    def __init__(self, person: str | None) -> None:
        self._person = person

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the timeline; a medium without persons gives one without clips.

        Raises:
            UsageError: The report is of stills.
            ResourceError: The file cannot be written.
        """
        _rows.require_video(report, self.name)
        self._write(timeline(report, self._person), report, path)

    def spec_of(self, path: Path) -> str:
        """Return the spec of the exporter that wrote a file; without options if it tells none."""
        try:
            _, chosen, person = self._title(path).partition(_CHOSEN)
        except (OSError, ValueError):
            return self.name
        return f"{self.name}:person={person}" if chosen and "," not in person else self.name

    @abstractmethod
    def _write(self, whole: PersonTimeline, report: MediaReport, path: Path) -> None:
        """Write the timeline of a report; see `write`."""

    @abstractmethod
    def _title(self, path: Path) -> str:
        """Return the title in a file.

        Raises:
            OSError: The file cannot be read.
            ValueError: It is none of this format.
        """


def one_line(text: str) -> str:
    """Return a text without line ends, and without what XML has no form for."""
    return " ".join(_xml.valid_text(text).split())


def timeline(report: MediaReport, person: str | None = None) -> PersonTimeline:
    """Return the tracks of all persons, most screen time first, or the cut list of one.

    Args:
        report: Report of a video.
        person: Name or number of the person of a cut list.
    """
    info = report.info
    counts = timecode_of(info.frame_rate, info.timecode)
    start = counts.frames(info.timecode or "")
    first, last = _frames(report, counts.rate)
    stated = round((info.duration_s - _first_picture_s(report)) * counts.rate)
    length = max(stated, int(last.max(initial=0)))
    title = one_line(Path(info.uri).name).replace(_CHOSEN, " ")
    if person is not None:
        title += f"{_CHOSEN}{one_line(person)}"
    record_start = start if person is None else counts.frames(_BEGIN_OF_CUT_LIST)
    tracks = []
    for each, ids in _shown(report, person):
        rows = np.isin(report.row_persons(), ids)
        stretches = _merged(first[rows], last[rows])
        clips = [PersonClip(each, start + a, start + a, b - a) for a, b in stretches]
        if person is not None:
            clips = list(_one_after_the_other(clips, record_start))
        tracks.append(PersonTrack(one_line(_rows.name(each)), tuple(clips)))
    return PersonTimeline(
        title=title,
        counts=counts,
        source_start=start,
        source_length=length,
        record_start=record_start,
        record_length=length if person is None else sum(c.length for t in tracks for c in t.clips),
        tracks=tuple(tracks),
        is_cut_list=person is not None,
    )


def _one_after_the_other(clips: Sequence[PersonClip], record: int) -> Iterator[PersonClip]:
    """Yield clips without the time between them, from a position on."""
    for clip in clips:
        yield replace(clip, record=record)
        record += clip.length


def _shown(report: MediaReport, person: str | None) -> list[tuple[Person, list[int]]]:
    """Return the person of each track, with the ids of all persons in it.

    Args:
        report: Report of a video.
        person: Name of a cut list's persons, or `person 3`, or the number 3; warn if nobody has it.
    """
    if person is None:
        return [(each, [each.person_id]) for each in report.persons]
    wanted = one_line(person)
    named = [each for each in report.persons if one_line(_rows.name(each)) == wanted]
    chosen = named or [each for each in report.persons if str(each.person_id) == wanted]
    if chosen:
        return [(chosen[0], [each.person_id for each in chosen])]
    there = ", ".join(one_line(name) for name in _rows.names(report).values())
    _LOG.warning(
        "%s: nobody is called %s: the cut list is empty; there are: %s",
        report.info.uri,
        wanted,
        there or "no persons",
    )
    return []


def _merged(first: I64, last: I64) -> Iterator[tuple[int, int]]:
    """Yield start and end of the stretches that samples (n,) make, in order of time."""
    order = np.argsort(first, kind="stable")
    stretch: tuple[int, int] | None = None
    for begin, end in zip(first[order].tolist(), last[order].tolist(), strict=True):
        if stretch is not None and begin <= stretch[1]:
            stretch = stretch[0], max(stretch[1], end)
            continue
        if stretch is not None:
            yield stretch
        stretch = begin, end
    if stretch is not None:
        yield stretch


def _frames(report: MediaReport, rate: Fraction) -> tuple[I64, I64]:
    """Return the picture (n,) with which each row's sample begins, and the one after its last.

    They are the medium's own numbers. Where the rate varies, they are those of a timeline of the
    average rate, into which editing programs fit such a medium by its times.
    """
    table = report.observations
    if _is_steady(report, float(rate)):
        guesses = table.frame + _lasting(table.duration_s, float(rate))
        ends_s = table.time_s + table.duration_s
        ends = zip(end_frames(report, ends_s), guesses.tolist(), strict=True)
        return table.frame, np.array([g if end is None else end for end, g in ends], np.int64)
    begin_s = table.time_s - _first_picture_s(report)
    first = np.rint(begin_s * float(rate)).astype(np.int64)
    last = np.rint((begin_s + table.duration_s) * float(rate)).astype(np.int64)
    return first, np.maximum(last, first + 1)


def _is_steady(report: MediaReport, rate: float) -> bool:
    """Return whether the numbers of the pictures follow from their times at a rate."""
    table = report.observations
    if not len(table):
        return True
    numbers = table.frame - table.frame[0]
    expected = (table.time_s - table.time_s[0]) * rate
    allowed = _STEADY_FRAMES + _STEADY_SHARE * np.abs(numbers)
    return bool((np.abs(numbers - expected) <= allowed).all())


def _first_picture_s(report: MediaReport) -> float:
    """Return when the first picture is shown, as far as is known: a range may begin later."""
    options = report.provenance["options"]
    return 0.0 if options.get("start") is not None else float(report.observations.span_s[0])


def end_frames(report: MediaReport, ends_s: F64) -> Sequence[int | None]:
    """Return the frame at which each row ends; `None` at the end of the medium.

    Where neither a face nor a cut gives its number, it is computed from the frame rate, and is an
    estimate where the rate varies.

    Args:
        report: Report of a video.
        ends_s: (N,) times at which the rows end, in seconds.
    """
    table, rate = report.observations, float(report.info.frame_rate or 25)
    frame_of_cut = dict(zip(_microseconds(table.cuts), table.cut_frames.tolist(), strict=True))
    frame_of_cut.update(zip(_microseconds(table.time_s), table.frame.tolist(), strict=True))
    guesses = (table.frame + _lasting(ends_s - table.time_s, rate)).tolist()
    at_end = ends_s > (report.info.duration_s or np.inf) - 0.5 / rate
    rows = zip(_microseconds(ends_s), guesses, at_end.tolist(), strict=True)
    return [None if last else frame_of_cut.get(key, guess) for key, guess, last in rows]


def _lasting(durations: F64, rate: float) -> I64:
    """Return the pictures (n,) that samples stand for, at least one each."""
    return np.maximum(1, np.rint(durations * rate)).astype(np.int64)


def _microseconds(times: F64) -> list[int]:
    """Return times in whole microseconds, as keys for a look-up."""
    return np.rint(times * 1e6).astype(np.int64).tolist()
