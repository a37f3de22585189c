"""Forms on the wire, errors between processes, times of leases and retries."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np

from jobs.errors import JobFailed
from jobs.retry import Timing, backoff, may_retry
from jobs.types import Lease, Manifest, Outcome
from jobs.worker.messages import built_in, decode, encode
from tests.support.jobs import make_lease, write_parts


def test_wire_forms(tmp_path: Path) -> None:
    lease = make_lease(tmp_path)
    publishing = Lease(**{**lease.__dict__, "kind": "publish", "manifest": write_parts(lease, "y")})
    for each in (lease, publishing):
        assert Lease.from_dict(each.to_dict()) == each


def test_a_manifest_tells_what_is_missing_and_older_ones_have_no_such_field(
    tmp_path: Path,
) -> None:
    lease = make_lease(tmp_path)
    whole = write_parts(lease, "y")
    assert "faults" not in whole.to_dict(), "older servers refuse fields that they do not know"
    lacking = replace(whole, faults={"mp4": "its sound is odd", "eaf": "why"})
    assert lacking.lacks == "no mp4: its sound is odd; no eaf: why"
    for manifest in (whole, lacking):
        assert Manifest.from_dict(manifest.to_dict()) == manifest
        outcome = decode(encode("outcome", Outcome(manifest=manifest)))
        assert isinstance(outcome, Outcome)
        assert outcome.manifest == manifest
    odd = Manifest.from_dict({**whole.to_dict(), "faults": "odd"})
    assert odd == whole


def test_failures_travel_between_processes() -> None:
    error = pickle.loads(pickle.dumps(JobFailed("input", "broken")))
    assert (error.kind, error.message) == ("input", "broken")


def test_the_fence_falls_before_the_lease_ends() -> None:
    timing = Timing(120)
    assert (timing.beat_s, timing.fence_s, timing.call_timeout_s) == (20, 90, 30)
    assert timing.fence_s + timing.call_timeout_s <= timing.lease_s


def test_backoff_grows_to_a_cap() -> None:
    assert all(backoff(1) <= 30 for _ in range(100))
    assert max(backoff(50) for _ in range(200)) <= 3600
    assert max(backoff(50) for _ in range(200)) > 1000


def test_max_attempts_bounds_every_kind() -> None:
    assert not any(may_retry(kind, 1, max_attempts=1) for kind in ("input", "bug", "transient"))


def test_numbers_of_arrays_become_plain() -> None:
    numbers = built_in(
        {"a": np.float64(0.5), "b": np.float32(2), "c": np.int64(3), "d": 4, "e": "x"}
    )
    assert numbers == {"a": 0.5, "b": 2.0, "c": 3.0, "d": 4, "e": "x"}
    assert {type(value) for value in numbers.values()} == {float, int, str}
