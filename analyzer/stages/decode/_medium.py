"""Base class of open media: the counters that every medium has."""

from typing import TypeVar

from analyzer.types import MediaInfo

M = TypeVar("M", bound="OpenMedium")


class OpenMedium:
    """Counters of an open medium, all at their first values.

    The attributes are those of `analyzer.stages.decode.Medium`.

    Args:
        info: Facts about the medium.
        damaged: Number of damages that are known before the first picture is read.
    """

    def __init__(self, info: MediaInfo, *, damaged: int = 0) -> None:
        self.info = info
        self.frames_decoded = 0
        self.damaged = damaged
        self.missing_s = 0.0
        self.clock_back = self.clock_ahead = self.untimed = 0
        self.reached_end = False
        self.needs_care = False

    def __enter__(self: M) -> M:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release what the medium holds open; in this base class, that is nothing."""
