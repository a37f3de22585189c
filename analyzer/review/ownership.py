"""Apply corrections one by one to the track -> person assignment."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from analyzer.review.anchors import Anchors
from analyzer.types import MediaReport
from analyzer.types.corrections import Anchor, Correction

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
    """The track -> person assignment, which corrections change."""

    def __init__(self, report: MediaReport) -> None:
        self.owner = report.identities.person_ids.copy()
        """(T,) person of each track, or one of `NOBODY`, `NO_FACE`."""
        self.renamed: dict[int, str] = {}
        self._table = report.observations
        self._stills = report.info.stills
        self._anchors = Anchors(report)
        self._tracks = report.identities.track_ids
        self._rows = report.row_tracks()
        self._next = len(report.identities.centroids)

    def make(self, correction: Correction) -> Step:
        """Make one correction, or say why it cannot be made."""
        correction = self._with_anchors(correction)
        if correction.op in ("split", "not_a_face"):
            return self._make_of_track(correction)
        people = [
            self._person_of(number, faces)
            for number, faces in zip(correction.numbers, correction.anchors, strict=True)
        ]
        fault = _missing(correction, [i for i, p in enumerate(people) if p is None])
        present = list(dict.fromkeys(p for p in people if p is not None))
        doubt = ""
        if correction.op == "rename" and present:
            self.renamed[present[0]] = correction.name
        elif correction.op == "merge" and present:
            doubt = self._merge(present)
        if len(present) == len(people):
            correction = replace(correction, numbers=tuple(present))
        return Step(correction=correction, fault=fault, doubt=doubt)

    def _make_of_track(self, correction: Correction) -> Step:
        """Make one that is of a track; of all that another analysis has made of it."""
        track_rows = self._tracks_of_anchors(correction.numbers[0], correction.anchors[0])
        if not track_rows:
            return Step(correction=correction, fault=_missing(correction, [0]))
        self._assign(track_rows, self._new_person_id() if correction.op == "split" else NO_FACE)
        return Step(correction=replace(correction, numbers=(int(self._tracks[track_rows[0]]),)))

    def _merge(self, people: Sequence[int]) -> str:
        """Make one person of some; says when two of them are seen at once."""
        frames = Counter[int]()
        for person in people:
            frames.update(set(self._table.frame[self.owner[self._rows] == person].tolist()))
        twice = [frame for frame, count in frames.items() if count > 1]
        for person in people[1:]:
            self._assign(np.nonzero(self.owner == person)[0].tolist(), people[0])
            self.renamed.pop(person, None)
        if not twice:
            return ""
        frame = min(twice)
        first = f"at {self._table.time_s[self._table.frame == frame][0]:.1f} s"
        if self._stills:
            first = f"in {Path(self._stills[frame]).name}"
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
            return np.nonzero(self._tracks == number)[0].tolist()
        pieces: list[int] = []
        seen: set[int] = set()
        votes = Counter(self._tracks_at(faces, [number]))
        for track, _ in sorted(votes.items(), key=lambda item: (-item[1], item[0])):
            frames = set(self._table.frame[self._rows == track].tolist())
            if seen.isdisjoint(frames):
                pieces.append(track)
                seen |= frames
        return sorted(pieces)

    def _tracks_at(self, faces: Sequence[Anchor], named: Sequence[int]) -> list[int]:
        """Return the track at each anchor that has one, as an index; see `Anchors.tracks_at`."""
        return np.searchsorted(self._tracks, self._anchors.tracks_at(faces, named)).tolist()

    def _person_of(self, number: int, faces: Sequence[Anchor]) -> int | None:
        """Return the person who owns most of some faces; faces without one become a new person."""
        if not faces:
            return number if number >= 0 and (self.owner == number).any() else None
        own = self._tracks[self.owner == number] if number >= 0 else self._tracks[:0]
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
        pairs = zip(correction.numbers, correction.anchors, strict=True)
        return replace(
            correction,
            anchors=tuple(faces or self._sample_anchors(correction.op, n) for n, faces in pairs),
        )

    def _sample_anchors(self, op: str, number: int) -> tuple[Anchor, ...]:
        is_person = op in ("rename", "merge") and number >= 0
        own = self._tracks[self.owner == number] if is_person else np.array([number])
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
    kind = "track" if correction.op in ("split", "not_a_face") else "person"
    faults = []
    for i in missing:
        where = _places(correction.anchors[i])
        faults.append(
            f"no face is where {kind} {correction.numbers[i]} was {where}"
            if where
            else f"there is no {kind} {correction.numbers[i]}"
        )
    return "; ".join(faults)
