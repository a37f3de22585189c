"""Which part of a medium a shard looks at; every worker finds the same answer by itself."""

from dataclasses import dataclass
from fractions import Fraction

from analyzer.errors import UsageError

MAX_SHARDS = 1000


@dataclass(frozen=True, kw_only=True)
class Shard:
    """One of several parts of a medium.

    The pictures are divided evenly; a shard owns the shots that begin in its share, to their end.
    So every shot is looked at by one shard, from its first picture, as without shards.

    Raises:
        UsageError: there is no such part.
    """

    number: int
    """From 0."""
    count: int
    """Of parts that are wanted."""
    least_s: float = 0.0
    """No share is shorter than this: then there are fewer, and the last shards own nothing."""

    def __post_init__(self) -> None:
        if not 0 <= self.number < self.count or not self.least_s >= 0:
            raise UsageError(
                f"shard {self.number} of {self.count}, at least {self.least_s} s: "
                "number shards from 0, and give no negative length"
            )

    def shares(self, length_s: Fraction) -> int:
        """Into how many shares a medium of this length is divided."""
        if not self.least_s:
            return self.count
        return max(1, min(self.count, int(length_s / Fraction(self.least_s))))


def plan(
    count: int | None, minutes: float | None, *, engine: str, shots: str, detector: str
) -> tuple[Shard, ...] | None:
    """The shards that a user asks for; ``None`` where media are to be looked at as wholes.

    Args:
        count: of shards, ``None`` for no shards.
        minutes: that a share has at least, ``None`` for no bound.
        engine: of the analysis.
        shots: its shot detector, or ``none``.
        detector: its detector's spec.

    Raises:
        UsageError: media cannot be divided so.
    """
    if count is None:
        if minutes is not None:
            raise UsageError("--shard_minutes: say into how many shards at most, with --shards")
        return None
    if not 1 <= count <= MAX_SHARDS or (minutes is not None and not minutes > 0):
        raise UsageError(f"--shards: give 1 to {MAX_SHARDS}; --shard_minutes: give more than 0")
    if engine not in ("video", "videotracking"):
        raise UsageError(f"--shards: there is nothing to gain with --engine {engine}; leave it out")
    if shots == "none":
        raise UsageError("--shards: media are divided at cuts; leave out --shots none")
    if detector.partition(":")[0] == "precomputed":
        # The frames of a shard are numbered from the first that belongs to it.
        raise UsageError("--shards: precomputed boxes are those of whole media; leave out --shards")
    least_s = 60 * (minutes or 0)
    return tuple(Shard(number=n, count=count, least_s=least_s) for n in range(count))
