"""Report of one medium: its persons, their tracks and their attributes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from analyzer.types.arrays import F32, F64, I64, Arrays, check
from analyzer.types.corrections import Correction
from analyzer.types.media import MediaInfo
from analyzer.types.observations import Observations
from analyzer.types.people import ArchiveNames, Candidate, Poster
from analyzer.types.tally import Tally


@dataclass(frozen=True, kw_only=True, repr=False)
class TrackPersons(Arrays):
    """Assignment of T tracks to P persons."""

    track_ids: I64
    """(T,) track ids, ascending."""
    person_ids: I64
    """(T,) number of each track's person, from 0, -1 = none; corrections may leave unused
    numbers."""
    centroids: F32
    """(P, D) quality-weighted mean embedding of each person, by number; zero for unused numbers
    and for erased persons."""

    def __post_init__(self) -> None:
        check("Identities", "track_ids", self.track_ids, np.int64, (len(self.track_ids),))
        check("Identities", "person_ids", self.person_ids, np.int64, (len(self.track_ids),))
        check("Identities", "centroids", self.centroids, np.float32, (len(self.centroids), None))


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """Decoded attribute head of one person."""

    label: str
    """`m` or `f`; years as text; an ethnicity class. Empty if unknown."""
    value: float
    """Averaged decision value: logit of m against f, age on 0..9, share of the class."""
    low: float | None = None
    """Lower end of the interval in the label's unit, where the head has one."""
    high: float | None = None
    """Upper end of the interval."""
    distribution: tuple[float, ...] = ()
    """Of an age, the probability of each bin between `analyzer.attributes.heads.AGE_EDGES`; empty
    where it is not known."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Decoded(Arrays):
    """Decoded attribute head of n rows."""

    value: F32
    """(n,) decision value: logit of m against f, age on 0..9, probability of the class."""
    label: tuple[str, ...]
    """n labels as they are written to files; empty if unknown."""

    def __post_init__(self) -> None:
        check("Decoded", "value", self.value, np.float32, (len(self.label),))


@dataclass(frozen=True, kw_only=True)
class Person:
    """Character of the medium: a cluster of tracks."""

    person_id: int
    """Number of the person in this medium, from 0."""
    name: str | None
    """Name in the gallery, or from a correction; `None` if unknown."""
    name_distance: float | None
    """Euclidean distance from the nearest portrait of that name; `None` where none was compared."""
    track_ids: tuple[int, ...]
    """Tracks of the person, ascending."""
    face_count: int
    """Number of the person's rows in the table."""
    first_s: float
    """Start of the first sample that shows the person; of stills, the number of the picture."""
    last_s: float
    """End of the last sample that shows the person; of stills, the number of the picture."""
    screen_time_s: float
    """Sum of the durations of all samples that show the person."""
    mean_area_ratio: float
    """Mean share of the picture that the face covers, 0 to 1."""
    attributes: Mapping[str, Attribute]
    """Head name -> decoded attribute."""
    intervals: tuple[tuple[float, float], ...] = ()
    """Start and end of each interval in which the person is on screen, in seconds; of stills, the
    number of each picture, twice."""
    candidates: tuple[Candidate, ...] = ()
    """Candidates of the gallery for the person, the most probable first."""
    identity_id: int | None = None
    """Number of the person in an identity store, the same in all media."""
    corrected: int = 0
    """Corrections of a reviewer that have changed the person."""


@dataclass(frozen=True, kw_only=True, repr=False)
class MediaReport(Arrays):
    """Results of one medium: the only input of an exporter."""

    info: MediaInfo
    """Facts of the medium."""
    observations: Observations
    """Table of N rows, one per face and sampled frame."""
    identities: TrackPersons
    """Assignment of the T tracks to persons."""
    row_attributes: Mapping[str, Decoded]
    """Head name -> labels of the N rows."""
    track_attributes: Mapping[str, Decoded]
    """Head name -> labels of the T tracks, in the order of `identities`."""
    persons: tuple[Person, ...]
    """Persons, most screen time first."""
    shots: F64
    """(k, 2) start and end of each shot in seconds; of stills, each picture's number, twice."""
    provenance: Mapping[str, Any]
    """Versions, options, hashes of the models."""
    poster: Poster | None = None
    """Faces of the medium's poster, if there is one."""
    notes: tuple[str, ...] = ()
    """What was skipped or is doubtful, each with the reason."""
    is_remembered: bool = False
    """True if the persons were looked up in an identity store."""
    corrections: tuple[Correction, ...] = ()
    """Corrections of a reviewer, in order; see `analyzer.review.apply`."""
    uncorrected: "MediaReport | None" = None
    """Report before the corrections; `None` where there are no corrections."""
    archive_names: ArchiveNames | None = None
    """Names and numbers that the identity store has by now; files of the report do not keep it, as
    it may change there."""
    notebook_view: ClassVar[Callable[["MediaReport"], str | None]] = lambda _: None
    """Function that makes the HTML for notebooks; the API sets it, as types know no pictures."""

    def __post_init__(self) -> None:
        check("MediaReport", "shots", self.shots, np.float64, (None, 2))

    def __repr__(self) -> str:
        return (
            f"<MediaReport {self.info.uri}: {len(self.persons)} persons, "
            f"{len(self.observations)} faces, {self.length}>"
        )

    @property
    def length(self) -> str:
        """Length in words: seconds, or the number of stills."""
        if self.info.is_timed:
            return f"{self.info.duration_s:.1f} s"
        count = len(self.info.stills)
        return f"{count} picture{'s' if count != 1 else ''}"

    def _repr_html_(self) -> str | None:
        """Return what a notebook shows; `None`, and so the line above, without the Python API."""
        return type(self).notebook_view(self)

    @property
    def tally(self) -> Tally:
        """Counters of the run."""
        return self.observations.tally

    @property
    def partial(self) -> str:
        """Description of the part that could not be analysed; empty for a complete analysis."""
        tally, stated_s = self.tally, self.info.duration_s + self.tally.missing_s
        missing = f"{self.info.duration_s:.1f} s of {stated_s:.1f} s could be decoded"
        damaged = f"{tally.damaged} damaged packets or pictures"
        parts = (missing if tally.missing_s else "", damaged if tally.damaged else "")
        return ", ".join(filter(None, parts))

    def as_archived(self) -> "MediaReport":
        """Return it with the names and numbers of the identity store, as files show it.

        A name that a reviewer gave in this medium stays.
        """
        known = self.archive_names
        if known is None:
            return self
        before = {p.person_id: p.name for p in (self.uncorrected or self).persons}

        def archived(person: Person) -> Person:
            number = known.numbers.get(person.person_id)
            name = None if number is None else known.names.get(number)
            given_here = person.corrected and person.name != before.get(person.person_id)
            if name is None or (given_here and person.name):
                return replace(person, identity_id=number)
            return replace(person, identity_id=number, name=name, name_distance=None)

        return replace(self, persons=tuple(map(archived, self.persons)))

    def row_tracks(self) -> I64:
        """Return the index (N,) of each row's track in `identities`."""
        return np.searchsorted(self.identities.track_ids, self.observations.track_id)

    def row_persons(self) -> I64:
        """Return the person (N,) of each row; -1 = none."""
        return self.identities.person_ids[self.row_tracks()]
