"""Counts of a live session, for its last line."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.live.stream import LiveFrame


class Counts:
    """Counts of frames, faces and tracks so far."""

    def __init__(self) -> None:
        self._frames = self._faces = 0
        self._tracks: set[int] = set()
        self.start()

    def start(self) -> None:
        """Start the clock."""
        self._started = time.monotonic()

    def add(self, live_frame: "LiveFrame") -> None:
        """Count a frame."""
        self._frames += 1
        self._faces += len(live_frame.faces)
        self._tracks.update(live_frame.faces.track_id.tolist())

    def __str__(self) -> str:
        elapsed = max(time.monotonic() - self._started, 1e-9)
        return (
            f"{self._frames} frames, {self._faces} faces, {len(self._tracks)} tracks; "
            f"{elapsed:.1f} s, {self._frames / elapsed:.1f} frames a second"
        )
