"""The blur gate: sharpness that a picture needs to be worth a detector's time."""

import math
from dataclasses import dataclass

from analyzer.errors import UsageError

_FINEST = 64


@dataclass(frozen=True, kw_only=True)
class BlurGate:
    """Which pictures are too blurred to find faces in: those of few sharp cells.

    A cell is sharp where the variance of the Laplacian (Pech-Pacheco et al., ICPR 2000) reaches
    `var`. It is measured on the picture as it is, as the field does: the same scene has less of
    it in a larger picture, so a threshold belongs to a resolution.

    Raises:
        UsageError: A value out of range.
    """

    var: float = 100.0
    """Least variance of a sharp cell, in squared grey levels of 0 to 255."""
    grid: int = 1
    """The picture is cut into `grid` x `grid` cells; 1 measures it as a whole."""
    keep: float = 0.5
    """Least share of sharp cells of a picture that is kept."""

    def __post_init__(self) -> None:
        if not (self.var > 0 and math.isfinite(self.var)):
            raise UsageError(f"blur_gate: var={self.var}: must be above 0, such as 100")
        if not 1 <= self.grid <= _FINEST:
            raise UsageError(f"blur_gate: grid={self.grid}: must be 1 to {_FINEST}")
        if not 0 < self.keep <= 1:
            raise UsageError(f"blur_gate: keep={self.keep}: must be above 0 and at most 1")
