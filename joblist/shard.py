"""One of the parts into which a medium, and so a job, is divided."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from joblist.errors import UsageError


@dataclass(frozen=True)
class Shard:
    """One of several parts of a medium.

    The frames are divided evenly; a shard owns the shots that begin in its share, to their end.
    So every shot belongs to one shard, from its first frame, as without shards. Every worker
    computes the same bounds by itself.

    Raises:
        UsageError: No such part.
    """

    number: int
    """From 0."""
    count: int
    """Number of parts that are wanted."""
    least_s: float = 0.0
    """Least length of a share, in seconds; then there are fewer, and the last ones own nothing."""

    def __post_init__(self) -> None:
        if not 0 <= self.number < self.count or not self.least_s >= 0:
            raise UsageError(
                f"shard {self.number} of {self.count}, at least {self.least_s} s: "
                "number shards from 0, and give no negative length"
            )

    def __str__(self) -> str:
        return f"shard {self.number + 1} of {self.count}"

    def shares(self, length_s: Fraction) -> int:
        """Return the number of shares into which a medium of this length is divided."""
        if not self.least_s:
            return self.count
        return max(1, min(self.count, int(length_s / Fraction(self.least_s))))
