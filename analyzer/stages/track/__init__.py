"""Stage: the detections of successive frames become tracks."""

from collections.abc import Sequence
from typing import Protocol

from analyzer.types import Detections, Faces, Frame


class Tracker(Protocol):
    """Follows faces from frame to frame; one instance for one medium."""

    def track(
        self, frames: Sequence[Frame], detections: Sequence[Detections | None]
    ) -> list[Faces]:
        """Take the next sampled frames.

        Args:
            frames: the pictures. No track goes on across a frame whose ``cut`` is set.
            detections: what the detector found in each; ``None`` where it was not asked, so that
                the tracker coasts. It may look back from a detection, but not beyond this call.

        Returns:
            The faces of each frame, with their tracks.
        """
        ...
