"""Stage: the detections of successive frames become tracks."""

from typing import Protocol

from analyzer.types import Detections, Faces, Frame


class Tracker(Protocol):
    """Follows faces from frame to frame; one instance for one medium."""

    def update(self, frame: Frame, detections: Detections | None) -> Faces:
        """Take the next sampled frame.

        Args:
            frame: the picture.
            detections: what the detector found in it; ``None`` where it was not asked, so that
                the tracker coasts.

        Returns:
            The faces of this frame, each with its track.
        """
        ...
