"""What a worker tells of its job while it goes from one stage to the next."""

from typing import Any

import pytest

import ina_worker
from analyzer.types import Progress

STEPS = (
    *(Progress(stage="observe", done=done, total=20.0) for done in (0.0, 10.0, 20.0)),
    Progress(stage="summarize", done=0.0, total=1.0),
    *(Progress(stage="mp4", done=done, total=20.0) for done in (0.0, 10.0, 20.0)),
)


@pytest.mark.parametrize(
    ("stages", "shares"),
    [
        (["observe"], [0, 0.5, 1]),
        (["observe", "mp4"], [0, 0.25, 0.5, 0.5, 0.75, 1]),
    ],
)
def test_the_share_that_is_done_never_falls(stages: list[str], shares: list[float]) -> None:
    told: list[dict[str, Any]] = []
    hook = ina_worker.progress_hook(lambda progress: told.append(dict(progress)), stages=stages)
    for step in STEPS:
        hook(step)
    assert [one["done"] for one in told if "done" in one] == shares
    # The display has the share of each stage, too.
    assert [one["fraction"] for one in told] == [0, 0.5, 1, 0, 0, 0.5, 1]
