"""Table of observations: a row for each face in each sampled frame."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analyzer.types.arrays import F32, F64, I64, Arrays, check
from analyzer.types.tally import Tally

_FLOAT_COLUMNS = (
    *("picture_px", "detect_conf", "track_conf"),
    *("sharpness", "frontality", "face_px"),
)
_LATER_COLUMNS = ("inside", "recognisability", "too_young")
"""Columns that older files lack: NaN there."""
_CLEAR = 1.4
"""Recognisability of a clear face: the mean of LFW."""
_BLANK = 0.8
"""Recognisability below which more than half of the faces are not recognised."""
_EDGE_POWER = 2
"""How much less a face counts that the picture's edge cuts."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Observations(Arrays):
    """Table of N rows, one per face and sampled frame, in order of time."""

    frame: I64
    """(N,) frame numbers."""
    time_s: F64
    """(N,) times of the frames."""
    duration_s: F64
    """(N,) time that the row's sample stands for."""
    track_id: I64
    """(N,) track ids."""
    boxes: F32
    """(N, 4) pixels."""
    picture_px: F32
    """(N,) area of the row's picture, in pixels."""
    detect_conf: F32
    """(N,) detector's confidence; NaN while coasting (tracked, not detected)."""
    track_conf: F32
    """(N,) tracker's confidence; NaN in a new track."""
    sharpness: F32
    """(N,) 0 (blurred) to 1 (sharp)."""
    frontality: F32
    """(N,) 0 (profile) to 1 (looking into the camera)."""
    face_px: F32
    """(N,) face size in pixels."""
    heads: Mapping[str, F32]
    """Head name -> (N, k) raw decision values; NaN in rows that were not described."""
    embeddings: F32
    """(M, D) identity vectors of the described rows, M <= N."""
    embedding_rows: I64
    """(M,) row of each embedding, ascending."""
    inside: F32 = field(default_factory=lambda: np.empty(0, np.float32))
    """(N,) share of the face that lies in the picture, 0 to 1; NaN where unknown."""
    recognisability: F32 = field(default_factory=lambda: np.empty(0, np.float32))
    """(N,) distance of the row's embedding from that of chips without a face, as a share of the
    describer's threshold; NaN where unknown."""
    too_young: F32 = field(default_factory=lambda: np.empty(0, np.float32))
    """(N,) 1 where a face looks too young for a label of sex, or else 0; NaN where it was not
    asked."""
    cuts: F64 = field(default_factory=lambda: np.empty(0))
    """(k,) times of the first pictures of new shots, ascending."""
    cut_frames: I64 = field(default_factory=lambda: np.empty(0, np.int64))
    """(k,) frame numbers of `cuts`."""
    span_s: F64 = field(default_factory=lambda: np.zeros(2))
    """(2,) start and end of the analysed part, in seconds; inverted if no frame was analysed."""
    canvas: F32 = field(default_factory=lambda: np.array([1, 1, 0, 0], np.float32))
    """(4,) box of the picture without black bars, as shares of the stored picture's sides;
    inverted if unknown."""
    tally: Tally = field(default_factory=Tally)
    """Counters of the run."""

    def __post_init__(self) -> None:
        n, m = len(self.frame), len(self.embedding_rows)
        for name in _LATER_COLUMNS:
            if n and not len(getattr(self, name)):
                object.__setattr__(self, name, np.full(n, np.nan, np.float32))
        columns = {
            np.int64: ("frame", "track_id"),
            np.float64: ("time_s", "duration_s"),
            np.float32: _FLOAT_COLUMNS + _LATER_COLUMNS,
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

    @classmethod
    def empty(cls, dimensions: int, head_sizes: Mapping[str, int]) -> "Observations":
        """Return a table without rows, at second 0.

        Args:
            dimensions: Length of an embedding.
            head_sizes: Head name -> number of its values.
        """
        columns: dict[str, Any] = {name: np.empty(0, np.float32) for name in _FLOAT_COLUMNS}
        return cls(
            **columns,
            frame=np.empty(0, np.int64),
            time_s=np.empty(0, np.float64),
            duration_s=np.empty(0, np.float64),
            track_id=np.empty(0, np.int64),
            boxes=np.empty((0, 4), np.float32),
            heads={head: np.empty((0, size), np.float32) for head, size in head_sizes.items()},
            embeddings=np.empty((0, dimensions), np.float32),
            embedding_rows=np.empty(0, np.int64),
        )

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def quality(self) -> F32:
        """Weight (N,) of each row in averages.

        Confident, recognisable and frontal faces that lie in the picture count most. Where it is
        not known how far a face can be recognised, its sharpness counts.
        """
        confidence = np.where(np.isnan(self.detect_conf), self.track_conf, self.detect_conf)
        clear = np.clip((self.recognisability - _BLANK) / (_CLEAR - _BLANK), 0, 1)
        weight = (
            np.nan_to_num(confidence, nan=0.5)
            * np.where(np.isnan(clear), self.sharpness, clear)
            * self.frontality
            * np.nan_to_num(self.inside, nan=1) ** _EDGE_POWER
        )
        return np.maximum(weight, 1e-3).astype(np.float32)
