"""Stage: the detections of successive frames become tracks.

In: frames and their `Detections`. Out: `Faces` with the numbers of their tracks.
Used by the pipeline.
"""

from collections.abc import Sequence
from typing import ClassVar, Protocol, runtime_checkable

from analyzer.types import Detections, Faces, Frame


class Tracker(Protocol):
    """Follows faces from frame to frame; one instance for one medium."""

    def track(
        self, frames: Sequence[Frame], detections: Sequence[Detections | None]
    ) -> list[Faces]:
        """Take the next sampled frames.

        Args:
            frames: The frames. No track goes on across a frame with `cut` set.
            detections: Detections of each frame; `None` where the detector did not run, so that
                the tracker coasts. It may look back from a detection, but not beyond this call.

        Returns:
            The faces of each frame, with their tracks.
        """
        ...


@runtime_checkable
class FaintTracker(Tracker, Protocol):
    """A `Tracker` that takes faint detections, too, and leaves those out that carry on no track."""

    takes_faint: ClassVar[bool]
    """Whether it does."""
