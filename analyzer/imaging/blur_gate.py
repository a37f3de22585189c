"""Blur gate: sharpness that a picture must have for the detector to run on it."""

import math
from dataclasses import dataclass

from analyzer.errors import UsageError

_MAX_GRID = 64


@dataclass(frozen=True, kw_only=True)
class BlurGate:
    """Condition that leaves out blurred pictures: those with few sharp cells.

    A cell is sharp if the variance of its Laplacian (Pech-Pacheco et al., ICPR 2000) is at least
    `var`. As usual for this measure, the picture is not scaled first: the same scene has a lower
    variance in a larger picture, so a threshold is valid for one resolution.

    Raises:
        UsageError: A value out of range.
    """

    var: float = 100.0
    """Least variance of a sharp cell, in squared grey levels (0 to 255)."""
    grid: int = 1
    """Number of cells on each side of the picture; 1, and 0 as some tools write it: the whole
    picture is one cell."""
    keep: float = 0.5
    """Least share of sharp cells in a picture that is kept."""

    def __post_init__(self) -> None:
        if not (self.var > 0 and math.isfinite(self.var)):
            raise UsageError(f"blur_gate: var={self.var}: must be above 0, such as 100")
        if not 0 <= self.grid <= _MAX_GRID:
            raise UsageError(
                f"blur_gate: grid={self.grid}: must be 0, the whole picture, to {_MAX_GRID}"
            )
        object.__setattr__(self, "grid", max(1, self.grid))
        if not 0 < self.keep <= 1:
            raise UsageError(f"blur_gate: keep={self.keep}: must be above 0 and at most 1")
