"""Facts of a medium, and its sampled frames."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from analyzer.types.arrays import U8, Arrays, check

SAME_TIME_S = 1e-6
"""Seconds by which two equal times may differ after rounding."""


@dataclass(frozen=True, kw_only=True)
class MediaInfo:
    """Facts of a medium, from its header, before frames are decoded."""

    uri: str
    """Path as the caller gave it."""
    kind: str
    """`video` or `image`; `none` where the medium could not be read, only its poster."""
    width_px: int
    """Width of the upright, square-pixel frame."""
    height_px: int
    """Height of the upright, square-pixel frame."""
    frame_rate: Fraction | None
    """Average frame rate as the container states it; `None` for images."""
    duration_s: float
    """Length on the player's clock, in seconds; 0 for images."""
    stills: tuple[str, ...] = ()
    """Path of each picture, by its number, where the medium consists of stills."""
    size_bytes: int | None = None
    """Size of the file; `None` where the medium consists of stills."""
    stored_px: tuple[int, int] | None = None
    """Width and height of the upright frame in the pixels of the file, which need not be square;
    `None` where the medium consists of stills, or where an older version made the report."""
    notes: tuple[str, ...] = ()
    """What is doubtful about the medium, each with the reason."""
    timecode: str | None = None
    """Timecode of the first picture, as the container states it, such as `01:00:00;00`; `None`
    where it states none, or where an older version made the report."""
    start_s: float | None = None
    """Stamp at which the container starts, in seconds: the zero of the player's clock; `None`
    where the medium consists of stills, or where an older version made the report."""
    created: str | None = None
    """Date on which the container says it was made, ISO 8601 in UTC, such as `2024-05-03`; `None`
    where it says none, or where an older version made the report."""

    @property
    def is_timed(self) -> bool:
        """Whether its pictures have times; the time of a still is its number, and no second."""
        return self.kind != "image"


@dataclass(frozen=True, kw_only=True, repr=False)
class Frame(Arrays):
    """Sampled picture of a medium."""

    index: int
    """0-based number of the frame in presentation order, as `ffprobe -show_frames` lists them."""
    time_s: float
    """Time at which a player shows the frame; of a still, its number."""
    duration_s: float
    """Time that this sample stands for: until the next sample, or the end."""
    image: U8
    """(H, W, 3) RGB."""
    cut: bool = False
    """True if a cut lies between the sample before and this one."""

    def __post_init__(self) -> None:
        check("Frame", "image", self.image, np.uint8, (None, None, 3))
