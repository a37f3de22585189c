"""Stage: frames become boxes, scores and landmarks."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from analyzer.types import U8, Detections


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
