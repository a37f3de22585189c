"""Apply corrections one by one to the track -> person assignment."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analyzer.review import drawn
from analyzer.review.anchors import ANCHOR_TIME_TOLERANCE_S, Anchors
from analyzer.types import MediaReport
from analyzer.types.corrections import OF_TRACKS, Anchor, Correction

NOBODY, NO_FACE = -1, -2


@dataclass(frozen=True, kw_only=True)
class Step:
    """What became of one correction."""

    correction: Correction
    """With anchors, where it had none, and with the numbers that they mean here."""
    fault: str = ""
    """Why it was not made; empty where it was."""
    doubt: str = ""
    """What speaks against it."""


class Ownership:
    """The track -> person assignment and the table, which corrections change.

    Args:
        report: Report as it was analysed.
    """

    def __init__(self, report: MediaReport) -> None:
        self.owner = report.identities.person_ids.copy()
        """(T,) person of each track, or one of `NOBODY`, `NO_FACE`."""
        self.tracks = report.identities.track_ids
        """(T,) ids of the tracks, ascending; new ones follow the others."""
        self.source = np.arange(len(self.tracks))
        """(T,) track of the report that each was a part of, as an index; -1: drawn."""
        self.recut: set[int] = set()
        """Indices of tracks with other rows than in the report."""
        self.table = report.observations
        self.origin = np.arange(len(self.table))
        """(N,) row of the report that each row of the table was; -1: drawn."""
        self.renamed: dict[int, str] = {}
        self.described: dict[int, dict[str, str]] = {}
        """Person -> head -> label that a reviewer gave."""
        self.touched = Counter[int]()
        """Person -> number of corrections that have changed it."""
        self._report = report
        self._next = len(report.identities.centroids)
        self._see()

    def _see(self) -> None:
        """Look the table's rows up anew."""
        self.rows = np.searchsorted(self.tracks, self.table.track_id)
        self._anchors = Anchors(replace(self._report, observations=self.table))

    def make(self, correction: Correction) -> Step:
        """Make one correction, or say why it cannot be made."""
        correction = self._with_anchors(correction)
        if correction.op in OF_TRACKS:
            return self._make_of_track(correction)
        if correction.op == "add_face":
            return self._add_face(correction)
        people = [
            self._person_of(number, faces)
            for number, faces in zip(correction.numbers, correction.anchors, strict=True)
        ]
        fault = _missing(correction, [i for i, p in enumerate(people) if p is None])
        present = list(dict.fromkeys(p for p in people if p is not None))
        doubt = self._make_of_persons(correction, present) if present else ""
        if len(present) == len(people):
            correction = replace(correction, numbers=tuple(present))
        return Step(correction=correction, fault=fault, doubt=doubt)

    def _make_of_persons(self, correction: Correction, present: Sequence[int]) -> str:
        """Make a correction of persons; returns what speaks against it."""
        first = present[0]
        if correction.op == "not_same":
            return "" if len(present) > 1 else "they are one here"
        self.touched[first] += 1
        if correction.op == "rename":
            self.renamed[first] = correction.name
        elif correction.op == "merge":
            return self._merge(present)
        else:
            self.described.setdefault(first, {})[correction.op] = correction.label
        return ""

    def _make_of_track(self, correction: Correction) -> Step:
        """Make one that is of a track; of all that another analysis has made of it."""
        track_rows = self._tracks_of_anchors(correction.numbers[0], correction.anchors[0])
        if not track_rows:
            return Step(correction=correction, fault=_missing(correction, [0]))
        number = int(self.tracks[track_rows[0]])
        owners = set(self.owner[track_rows].tolist())
        if correction.op == "split_at":
            assert correction.time_s is not None
            track_rows = self._cut(track_rows, correction.time_s)
            if not track_rows:
                fault = f"the track is not on both sides of {correction.time_s:.1f} s"
                return Step(correction=correction, fault=fault)
        others = {"not_a_face": NO_FACE, "not_this_person": NOBODY}
        person = others[correction.op] if correction.op in others else self._new_person_id()
        self._assign(track_rows, person)
        self.touched.update({*owners, person})
        return Step(correction=replace(correction, numbers=(number,)))

    def _cut(self, track_rows: Sequence[int], time_s: float) -> list[int]:
        """Cut tracks at a time; return what lies after it, nothing where none lies before it."""
        later = self.table.time_s >= time_s - ANCHOR_TIME_TOLERANCE_S
        after, before = [], False
        for track in track_rows:
            own = self.rows == track
            before |= bool((own & ~later).any())
            if not (own & later).any():
                continue
            is_cut = bool((own & ~later).any())
            after.append(self._new_track(track, own & later) if is_cut else track)
        return after if before else []

    def _new_track(self, track: int, rows: NDArray[np.bool_]) -> int:
        """Make a new track of some rows of a track; return its index."""
        number = self._add_track(int(self.source[track]))
        ids = self.table.track_id.copy()
        ids[rows] = self.tracks[number]
        self.table = replace(self.table, track_id=ids)
        self.recut |= {track, number}
        self._see()
        return number

    def _add_track(self, source: int) -> int:
        """Add a track without rows; return its index."""
        free = int(self.tracks.max(initial=-1)) + 1
        self.tracks = np.append(self.tracks, free)
        self.source = np.append(self.source, source)
        self.owner = np.append(self.owner, NOBODY)
        return len(self.tracks) - 1

    def _add_face(self, correction: Correction) -> Step:
        """Add the face that was drawn; where there is one by now, it is the person's."""
        number, anchors = correction.numbers[0], correction.anchors[0]
        person = self._person_of(number, anchors) if number >= 0 else None
        if person is None and number >= 0:
            return Step(correction=correction, fault=_missing(correction, [0]))
        if self._is_cut(correction.drawn):
            return Step(correction=correction, fault="there is a cut between its boxes")
        found = self._tracks_at(correction.drawn, [])
        here = sorted({track for track in found if self.owner[track] != NO_FACE})
        person = self._new_person_id() if person is None else person
        if not here:
            here = [self._add_track(-1)]
            track = int(self.tracks[here[0]])
            self.table, origin = drawn.insert(
                self.table, self._report.info, correction.drawn, track
            )
            self.origin = np.append(self.origin, -1)[origin]
            self._see()
        self.touched.update({*self.owner[here].tolist(), person})
        self._assign(here, person)
        numbers = (person,) if number >= 0 else (-1,)
        return Step(correction=replace(correction, numbers=numbers))

    def _is_cut(self, faces: Sequence[Anchor]) -> bool:
        """Return whether drawn boxes are of more than one shot."""
        times = np.array([face.time_s for face in faces]) + ANCHOR_TIME_TOLERANCE_S
        shots = np.searchsorted(self._report.shots[:, 0], times, side="right")
        return bool((shots != shots[0]).any())

    def _merge(self, people: Sequence[int]) -> str:
        """Make one person of some; says when two of them are seen at once."""
        frames = Counter[int]()
        for person in people:
            frames.update(set(self.table.frame[self.owner[self.rows] == person].tolist()))
        twice = [frame for frame, count in frames.items() if count > 1]
        for person in people[1:]:
            self._assign(np.nonzero(self.owner == person)[0].tolist(), people[0])
            self.renamed.pop(person, None)
            self.described.pop(person, None)
            self.touched[people[0]] += self.touched.pop(person, 0)
        if not twice:
            return ""
        frame = min(twice)
        first = f"at {self.table.time_s[self.table.frame == frame][0]:.1f} s"
        stills = self._report.info.stills
        if stills:
            first = f"in {Path(stills[frame]).name}"
        return f"they are seen at once, first {first}, in {len(twice)} pictures"

    def _assign(self, track_rows: Sequence[int], person: int) -> None:
        self.owner[list(track_rows)] = person

    def _new_person_id(self) -> int:
        self._next += 1
        return self._next - 1

    def _tracks_of_anchors(self, number: int, faces: Sequence[Anchor]) -> list[int]:
        """Return the tracks at the anchors, as indices; of this number, without anchors.

        Several are the pieces that another analysis has made of one track. Pieces share no picture:
        of those that do, the one with most anchors is meant.
        """
        if not faces:
            return np.nonzero(self.tracks == number)[0].tolist()
        pieces: list[int] = []
        seen: set[int] = set()
        votes = Counter(self._tracks_at(faces, [number]))
        for track, _ in sorted(votes.items(), key=lambda item: (-item[1], item[0])):
            frames = set(self.table.frame[self.rows == track].tolist())
            if seen.isdisjoint(frames):
                pieces.append(track)
                seen |= frames
        return sorted(pieces)

    def _tracks_at(self, faces: Sequence[Anchor], named: Sequence[int]) -> list[int]:
        """Return the track at each anchor that has one, as an index; see `Anchors.tracks_at`."""
        return np.searchsorted(self.tracks, self._anchors.tracks_at(faces, named)).tolist()

    def _person_of(self, number: int, faces: Sequence[Anchor]) -> int | None:
        """Return the person who owns most of some faces; faces without one become a new person."""
        if not faces:
            return number if number >= 0 and (self.owner == number).any() else None
        own = self.tracks[self.owner == number] if number >= 0 else self.tracks[:0]
        tracks = self._tracks_at(faces, own.tolist())
        votes = Counter(o for o in self.owner[tracks].tolist() if o >= 0)
        if votes:
            return votes.most_common(1)[0][0]
        unowned = [track for track in tracks if self.owner[track] == NOBODY]
        if not unowned:
            return None
        person = self._new_person_id()
        self._assign(unowned, person)
        return person

    def _with_anchors(self, correction: Correction) -> Correction:
        """Return a correction by numbers alone with the faces that anchor it."""
        if correction.op == "add_face" and correction.numbers == (NOBODY,):
            return correction
        pairs = zip(correction.numbers, correction.anchors, strict=True)
        return replace(
            correction,
            anchors=tuple(faces or self._sample_anchors(correction.op, n) for n, faces in pairs),
        )

    def _sample_anchors(self, op: str, number: int) -> tuple[Anchor, ...]:
        is_person = op not in OF_TRACKS and number >= 0
        own = self.tracks[self.owner == number] if is_person else np.array([number])
        return self._anchors.sample(own.tolist())


def _places(faces: Sequence[Anchor]) -> str:
    """Return where anchors are: `at 0.4, 1.2 s`, or `in a.jpg, b.jpg`."""
    pictures = [str(anchor.picture) for anchor in faces if anchor.picture is not None]
    if pictures:
        return f"in picture {', '.join(pictures)}"
    times = ", ".join(f"{anchor.time_s:.1f}" for anchor in faces)
    return f"at {times} s" if times else ""


def _missing(correction: Correction, missing: Sequence[int]) -> str:
    """Return which persons or tracks of a correction are missing; empty where none is."""
    kind = "track" if correction.op in OF_TRACKS else "person"
    faults = []
    for i in missing:
        where = _places(correction.anchors[i])
        faults.append(
            f"no face is where {kind} {correction.numbers[i]} was {where}"
            if where
            else f"there is no {kind} {correction.numbers[i]}"
        )
    return "; ".join(faults)
