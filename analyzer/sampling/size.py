"""How many segments give plus or minus so much, and what they cost."""

import math
from dataclasses import dataclass
from pathlib import Path

from analyzer.errors import UsageError
from ina_input import documents

Z = 1.96
LEAST_CLUSTERS = 30
"""Draws below which no interval of this kind is to be trusted."""
FILM_CORRELATION = 0.3
"""Assumed likeness of segments of one film: share of the spread that lies between films."""


@dataclass(frozen=True)
class Spread:
    """How much draws differ."""

    deviation: float
    """Standard deviation of a draw's share of faces, as the estimate's error has it."""
    per_film: int
    """Segments a draw."""

    @classmethod
    def assumed(cls, deviation: float) -> "Spread":
        """Return the spread of draws of one segment."""
        return cls(deviation, 1)

    @classmethod
    def of_pilot(cls, path: Path) -> "Spread":
        """Read the spread out of what `estimate --write` has written.

        Raises:
            UsageError: It is not such a file.
        """
        try:
            pilot = documents.read(path)["pilot"]
            spread = cls(float(pilot["deviation"]), int(pilot["per_film"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"--pilot {path}: not a file of estimates ({documents.fault(error)}): "
                "estimate --write makes one"
            ) from error
        if not 0 < spread.deviation < math.inf or spread.per_film < 1:
            raise UsageError(
                f"--pilot {path}: its segments do not differ: give --spread, or a larger pilot"
            )
        return spread

    def of_draws(self, per_film: int) -> float:
        """Return the deviation of draws of another number of segments."""
        return self.deviation * math.sqrt(_inflation(per_film) / _inflation(self.per_film))

    def draws(self, reach: float, per_film: int) -> int:
        """Return how many draws give an interval of plus or minus `reach`."""
        return max(LEAST_CLUSTERS, math.ceil((Z * self.of_draws(per_film) / reach) ** 2))

    def reach(self, draws: int, per_film: int) -> float:
        """Return half of the width of the interval that draws give."""
        return Z * self.of_draws(per_film) / math.sqrt(draws)


def _inflation(per_film: int) -> float:
    """Return the variance of a mean of segments of one film, where that of one is 1."""
    return FILM_CORRELATION + (1 - FILM_CORRELATION) / per_film
