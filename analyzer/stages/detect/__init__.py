"""Stage: frames become boxes, scores and landmarks.

In: pictures of one size. Out: `Detections` for each.
Used by the pipeline.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from analyzer.types import U8, Detections, Frame, MediaInfo


class Detector(Protocol):
    """Finds faces in pictures."""

    provenance: Mapping[str, str]
    """Model file -> sha256, for the report."""

    def detect(self, images: Sequence[U8]) -> list[Detections]:
        """Find the faces of each picture.

        Args:
            images: Pictures (H, W, 3) uint8, RGB, of one size.

        Returns:
            One `Detections` for each picture, best score first, boxes inside the picture.
        """
        ...


@runtime_checkable
class FrameDetector(Protocol):
    """A `Detector` that needs to know which frame of which medium a picture is."""

    def detect_frames(self, frames: Sequence[Frame], info: MediaInfo) -> list[Detections]:
        """Find the faces of each frame; called instead of `Detector.detect`.

        Args:
            frames: Frames of one size, numbered from the first frame of the medium.
            info: Facts about the medium.

        Returns:
            One `Detections` for each frame.
        """
        ...


@runtime_checkable
class FaintDetector(Detector, Protocol):
    """A `Detector` that can also tell what may be a face, but is too faint to be one by itself."""

    def detect_faint(self, images: Sequence[U8]) -> list[Detections]:
        """Find the faces of each picture, and faint ones; see `Detections.faint`.

        Args:
            images: Pictures (H, W, 3) uint8, RGB, of one size.

        Returns:
            One `Detections` for each picture; those that are not faint are those of `detect`.
        """
        ...
