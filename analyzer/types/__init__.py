"""The data that flows between the stages.

Arrays have one row per item on their first axis, and check their own dtype and shape.
Boxes are ``x1, y1, x2, y2`` in pixels, half-open, in the *upright, square-pixel* source frame
(rotation and sample aspect ratio applied). Images are RGB uint8. Times are seconds on the
player's clock: the presentation timestamp less the container's start time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.reports.corrections_file import Correction
from analyzer.types.arrays import Arrays, check
from analyzer.types.people import Candidate, Poster
from analyzer.types.tally import Tally

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class MediaInfo:
    """What is known of a medium before its pictures are decoded."""

    uri: str
    """The path as the caller gave it."""
    kind: str
    """``video`` or ``image``; ``none`` where it could not be read, and its poster alone was."""
    width_px: int
    """Width of the upright, square-pixel frame."""
    height_px: int
    """Height of the upright, square-pixel frame."""
    frame_rate: Fraction | None
    """Average frame rate as the container states it; ``None`` for images."""
    duration_s: float
    """Length on the player's clock, in seconds; 0 for images."""
    stills: tuple[str, ...] = ()
    """Path of each picture, by its number, where the medium is made of stills."""
    size_bytes: int | None = None
    """Of the file; ``None`` where the medium is made of stills."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Frame(Arrays):
    """One sampled picture."""

    index: int
    """0-based number of the frame in presentation order, as ``ffprobe -show_frames`` lists them."""
    time_s: float
    """When a player shows it."""
    duration_s: float
    """The time that this sample stands for: until the next sample, or the end."""
    image: U8
    """(H, W, 3) RGB."""
    cut: bool = False
    """Whether a cut lies between the sample before and this one."""

    def __post_init__(self) -> None:
        check("Frame", "image", self.image, np.uint8, (None, None, 3))


@dataclass(frozen=True, kw_only=True, repr=False)
class Detections(Arrays):
    """The faces found in one frame."""

    boxes: F32
    """(n, 4)."""
    scores: F32
    """(n,) confidence, 0 to 1."""
    landmarks: F32 | None = None
    """(n, 5, 2) eyes (left in the image first), nose, mouth corners; pixels."""

    def __post_init__(self) -> None:
        n = len(self.boxes)
        check("Detections", "boxes", self.boxes, np.float32, (n, 4))
        check("Detections", "scores", self.scores, np.float32, (n,))
        if self.landmarks is not None:
            check("Detections", "landmarks", self.landmarks, np.float32, (n, 5, 2))

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: Any) -> "Detections":
        marks = None if self.landmarks is None else self.landmarks[rows]
        return Detections(boxes=self.boxes[rows], scores=self.scores[rows], landmarks=marks)

    @classmethod
    def empty(cls) -> "Detections":
        """No face."""
        return cls(boxes=np.empty((0, 4), np.float32), scores=np.empty(0, np.float32))


@dataclass(frozen=True, kw_only=True, repr=False)
class Faces(Arrays):
    """The faces of one frame after tracking."""

    boxes: F32
    """(n, 4)."""
    landmarks: F32 | None
    """(n, 5, 2), or ``None`` where the detector gives none; NaN while coasting."""
    track_id: I64
    """(n,) dense from 0 within one run of the tracker."""
    detect_conf: F32
    """(n,) detector's confidence; NaN while coasting (tracked, not detected)."""
    track_conf: F32
    """(n,) tracker's confidence in the link to the frame before; NaN when fresh."""

    def __post_init__(self) -> None:
        n = len(self.boxes)
        check("Faces", "boxes", self.boxes, np.float32, (n, 4))
        check("Faces", "track_id", self.track_id, np.int64, (n,))
        check("Faces", "detect_conf", self.detect_conf, np.float32, (n,))
        check("Faces", "track_conf", self.track_conf, np.float32, (n,))
        if self.landmarks is not None:
            check("Faces", "landmarks", self.landmarks, np.float32, (n, 5, 2))

    def __len__(self) -> int:
        return len(self.boxes)


@dataclass(frozen=True, kw_only=True, repr=False)
class Chips(Arrays):
    """Aligned face crops, ready for a network."""

    images: U8
    """(n, S, S, 3) RGB."""
    sharpness: F32
    """(n,) 0 (blurred) to 1 (sharp)."""
    frontality: F32
    """(n,) 0 (profile) to 1 (looking into the camera)."""
    face_px: F32
    """(n,) face size in source pixels: the square root of the box's area."""

    def __post_init__(self) -> None:
        n = len(self.images)
        size = self.images.shape[1] if self.images.ndim == 4 else None
        check("Chips", "images", self.images, np.uint8, (n, size, size, 3))
        for name in ("sharpness", "frontality", "face_px"):
            check("Chips", name, getattr(self, name), np.float32, (n,))

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, kw_only=True, repr=False)
class Descriptions(Arrays):
    """What a network says of chips: who and what."""

    embeddings: F32
    """(n, D) identity vectors; smaller Euclidean distance means more alike."""
    heads: Mapping[str, F32]
    """Head name -> (n, k) raw decision values (logits)."""

    def __post_init__(self) -> None:
        n = len(self.embeddings)
        check("Descriptions", "embeddings", self.embeddings, np.float32, (n, None))
        for name, values in self.heads.items():
            check("Descriptions", f"heads[{name}]", values, np.float32, (n, None))

    def __len__(self) -> int:
        return len(self.embeddings)


@dataclass(frozen=True, kw_only=True, repr=False)
class Observations(Arrays):
    """One row per face and sampled frame, in order of time; N rows."""

    frame: I64
    """(N,) frame numbers."""
    time_s: F64
    """(N,)."""
    duration_s: F64
    """(N,) the time that the row's sample stands for."""
    track_id: I64
    """(N,)."""
    boxes: F32
    """(N, 4)."""
    picture_px: F32
    """(N,) area of the row's picture."""
    detect_conf: F32
    """(N,) NaN while coasting."""
    track_conf: F32
    """(N,) NaN when fresh."""
    sharpness: F32
    """(N,) 0 to 1."""
    frontality: F32
    """(N,) 0 to 1."""
    face_px: F32
    """(N,) face size in pixels."""
    heads: Mapping[str, F32]
    """Head name -> (N, k)."""
    embeddings: F32
    """(M, D), M <= N."""
    embedding_rows: I64
    """(M,) the row of each embedding, ascending."""
    cuts: F64 = field(default_factory=lambda: np.empty(0))
    """(k,) times of the first pictures of new shots, ascending."""
    cut_frames: I64 = field(default_factory=lambda: np.empty(0, np.int64))
    """(k,) their frame numbers."""
    span_s: F64 = field(default_factory=lambda: np.zeros(2))
    """(2,) start and end of what was looked at; inverted where nothing was."""
    canvas: F32 = field(default_factory=lambda: np.array([1, 1, 0, 0], np.float32))
    """(4,) box that holds the picture without black bars, as shares of the stored picture's
    sides; inverted where that is not known."""
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        n, m = len(self.frame), len(self.embedding_rows)
        columns = {
            np.int64: ("frame", "track_id"),
            np.float64: ("time_s", "duration_s"),
            np.float32: (
                *("picture_px", "detect_conf", "track_conf"),
                *("sharpness", "frontality", "face_px"),
            ),
        }
        for dtype, names in columns.items():
            for name in names:
                check("Observations", name, getattr(self, name), dtype, (n,))
        check("Observations", "boxes", self.boxes, np.float32, (n, 4))
        check("Observations", "embeddings", self.embeddings, np.float32, (m, None))
        check("Observations", "embedding_rows", self.embedding_rows, np.int64, (m,))
        check("Observations", "cuts", self.cuts, np.float64, (None,))
        check("Observations", "cut_frames", self.cut_frames, np.int64, (None,))
        check("Observations", "span_s", self.span_s, np.float64, (2,))
        check("Observations", "canvas", self.canvas, np.float32, (4,))
        for name, values in self.heads.items():
            check("Observations", f"heads[{name}]", values, np.float32, (n, None))

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def quality(self) -> F32:
        """(N,) weight of each row in averages: confident, sharp and frontal faces count most."""
        confidence = np.where(np.isnan(self.detect_conf), self.track_conf, self.detect_conf)
        weight = np.nan_to_num(confidence, nan=0.5) * self.sharpness * self.frontality
        return np.maximum(weight, 1e-3).astype(np.float32)


@dataclass(frozen=True, kw_only=True, repr=False)
class Identities(Arrays):
    """Which track belongs to which person."""

    track_ids: I64
    """(T,) ascending."""
    person_ids: I64
    """(T,) from 0, -1 = none; corrections may leave numbers that nobody has."""
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
    """``m`` or ``f``; years as text; an ethnicity class. Empty where the head does not know."""
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
    """Whom of a gallery the person may be, the most probable first."""
    identity_id: int | None = None
    """Who it is in an identity store, the same in all media."""


@dataclass(frozen=True, kw_only=True, repr=False)
class MediaReport(Arrays):
    """All that is known of one medium: the only thing an exporter reads."""

    info: MediaInfo
    observations: Observations
    identities: Identities
    row_attributes: Mapping[str, Decoded]
    """Head name -> the N rows."""
    track_attributes: Mapping[str, Decoded]
    """Head name -> the T tracks, each as one face, in the order of ``identities``."""
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
        """(N,) index of each row's track in ``identities``."""
        return np.searchsorted(self.identities.track_ids, self.observations.track_id)

    def row_persons(self) -> I64:
        """(N,) person of each row, -1 = none."""
        return self.identities.person_ids[self.row_tracks()]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """All that the pipeline tells the outside while it works."""

    stage: str
    """``observe``, ``summarize``, ``portraits``, or the name of an exporter."""
    done: float
    """Seconds of the medium (or items) done."""
    total: float | None
    """Of how many; ``None`` where nobody knows."""


ProgressHook = Callable[[Progress], None]
"""Called often; must return at once."""
