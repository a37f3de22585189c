"""The report of one medium: its persons, their tracks and their attributes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from analyzer.types.arrays import F32, F64, I64, Arrays, check
from analyzer.types.corrections import Correction
from analyzer.types.media import MediaInfo
from analyzer.types.observations import Observations
from analyzer.types.people import Candidate, Poster
from analyzer.types.tally import Tally


@dataclass(frozen=True, kw_only=True, repr=False)
class TrackPersons(Arrays):
    """Which track belongs to which person."""

    track_ids: I64
    """(T,) ascending."""
    person_ids: I64
    """(T,) from 0, -1 = none; corrections may leave unused numbers."""
    centroids: F32
    """(P, D) quality-weighted mean embedding of each person, by number; zero where there is none,
    and of who was forgotten."""

    def __post_init__(self) -> None:
        check("Identities", "track_ids", self.track_ids, np.int64, (len(self.track_ids),))
        check("Identities", "person_ids", self.person_ids, np.int64, (len(self.track_ids),))
        check("Identities", "centroids", self.centroids, np.float32, (len(self.centroids), None))


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """One decoded head for one person."""

    label: str
    """`m` or `f`; years as text; an ethnicity class. Empty where the head does not know."""
    value: float
    """The averaged decision value: logit of m against f, age on 0..9, share of the class."""
    low: float | None = None
    """Lower end of the interval in the label's unit, where the head has one."""
    high: float | None = None
    """Upper end of the interval."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Decoded(Arrays):
    """One head, decoded for n rows."""

    value: F32
    """(n,) decision value: logit of m against f, age on 0..9, probability of the class."""
    label: tuple[str, ...]
    """n labels as they stand in files; empty where the head does not know."""

    def __post_init__(self) -> None:
        check("Decoded", "value", self.value, np.float32, (len(self.label),))


@dataclass(frozen=True, kw_only=True)
class Person:
    """A character of the medium: a cluster of tracks."""

    person_id: int
    name: str | None
    name_distance: float | None
    track_ids: tuple[int, ...]
    face_count: int
    first_s: float
    """When the person is first seen."""
    last_s: float
    """End of the last sample that shows the person."""
    screen_time_s: float
    """Sum of the durations of all samples that show the person."""
    mean_area_ratio: float
    """Mean share of the picture that the face covers, 0 to 1."""
    attributes: Mapping[str, Attribute]
    intervals: tuple[tuple[float, float], ...] = ()
    """When the person is on screen: start and end of each stretch, in seconds."""
    candidates: tuple[Candidate, ...] = ()
    """Candidates of the gallery for the person, the most probable first."""
    identity_id: int | None = None
    """Who it is in an identity store, the same in all media."""


@dataclass(frozen=True, kw_only=True, repr=False)
class MediaReport(Arrays):
    """The results of one medium: the only thing that an exporter reads."""

    info: MediaInfo
    observations: Observations
    identities: TrackPersons
    row_attributes: Mapping[str, Decoded]
    """Head name -> the N rows."""
    track_attributes: Mapping[str, Decoded]
    """Head name -> the T tracks, each as one face, in the order of `identities`."""
    persons: tuple[Person, ...]
    """Most screen time first."""
    shots: F64
    """(k, 2) start and end of each shot in seconds."""
    provenance: Mapping[str, Any]
    """Versions, options, hashes of the models."""
    poster: Poster | None = None
    notes: tuple[str, ...] = ()
    """What was skipped, or taken with a doubt, and why."""
    is_remembered: bool = False
    """Whether the persons were looked up in an identity store."""
    corrections: tuple[Correction, ...] = ()
    """What a reviewer has corrected, in order; see `analyzer.review.apply`."""
    uncorrected: "MediaReport | None" = None
    """The report as it was analysed, where there are corrections."""

    def __post_init__(self) -> None:
        check("MediaReport", "shots", self.shots, np.float64, (None, 2))

    @property
    def tally(self) -> Tally:
        """Counters of the run."""
        return self.observations.tally

    @property
    def partial(self) -> str:
        """What of the medium could not be analysed; empty when all could."""
        tally, stated_s = self.tally, self.info.duration_s + self.tally.missing_s
        missing = f"{self.info.duration_s:.1f} s of {stated_s:.1f} s could be decoded"
        damaged = f"{tally.damaged} damaged packets or pictures"
        parts = (missing if tally.missing_s else "", damaged if tally.damaged else "")
        return ", ".join(filter(None, parts))

    def row_tracks(self) -> I64:
        """(N,) index of each row's track in `identities`."""
        return np.searchsorted(self.identities.track_ids, self.observations.track_id)

    def row_persons(self) -> I64:
        """(N,) person of each row, -1 = none."""
        return self.identities.person_ids[self.row_tracks()]
