"""Data types: the values that pass between stages, pipeline, exporters and Python programs.

In: arrays and numbers. Out: frozen dataclasses that check their dtypes and shapes.
Used by every package of `analyzer` and by Python programs; it uses none of them.

The first axis of an array has one row per item. Boxes are `x1, y1, x2, y2` in pixels, half-open,
in the *upright, square-pixel* source frame (rotation and sample aspect ratio applied). Images are
RGB uint8. Times are seconds on the player's clock: the presentation timestamp minus the
container's start time.
"""

from analyzer.types.arrays import F32, F64, I64, U8, Arrays
from analyzer.types.corrections import Anchor, Correction, CorrectionsDocument
from analyzer.types.faces import Chips, Descriptions, Detections, Faces
from analyzer.types.media import Frame, MediaInfo
from analyzer.types.observations import Observations
from analyzer.types.people import Candidate, Gallery, Poster
from analyzer.types.progress import Progress, ProgressHook
from analyzer.types.report import Attribute, Decoded, MediaReport, Person, TrackPersons
from analyzer.types.tally import Tally

Identities = TrackPersons
"""Former name of `TrackPersons`, which Python programs may still use."""

__all__ = [
    "F32",
    "F64",
    "I64",
    "U8",
    "Anchor",
    "Arrays",
    "Attribute",
    "Candidate",
    "Chips",
    "Correction",
    "CorrectionsDocument",
    "Decoded",
    "Descriptions",
    "Detections",
    "Faces",
    "Frame",
    "Gallery",
    "Identities",
    "MediaInfo",
    "MediaReport",
    "Observations",
    "Person",
    "Poster",
    "Progress",
    "ProgressHook",
    "Tally",
    "TrackPersons",
]
