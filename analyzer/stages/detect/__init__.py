"""Stage: frames become boxes, scores and landmarks."""

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
            images: RGB pictures (H, W, 3) of one size.

        Returns:
            One `Detections` a picture, best score first, boxes inside the picture.
        """
        ...


@runtime_checkable
class FrameDetector(Protocol):
    """A `Detector` that has to know which frame of which medium a picture is."""

    def detect_frames(self, frames: Sequence[Frame], info: MediaInfo) -> list[Detections]:
        """Find the faces of each frame; asked instead of `Detector.detect`.

        Args:
            frames: of one size.
            info: of the medium, which frames are numbered in from its first.
        """
        ...
