"""Options `--shards` and `--shard_minutes`: the shards of a medium."""

from analyzer.errors import UsageError
from joblist.shard import Shard

MAX_SHARDS = 1000


def plan(
    count: int | None, minutes: float | None, *, engine: str, shots: str, detector: str
) -> tuple[Shard, ...] | None:
    """Return the requested shards; `None` if media are not divided.

    Args:
        count: Greatest number of shards; `None` to divide no media.
        minutes: Least length of a shard, in minutes; `None` for no limit.
        engine: Engine of the analysis.
        shots: Spec of its shot detector, or `none`.
        detector: Spec of its detector.

    Raises:
        UsageError: Media cannot be divided with these options.
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
