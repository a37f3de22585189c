"""Reports of a worker while its job goes from one step to the next."""

from typing import Any

import pytest

from analyzer.types import Progress
from ina.progress import ProgressReporter

STEPS = (
    *(Progress(stage="observe", done=done, total=20.0) for done in (0.0, 10.0, 20.0)),
    Progress(stage="summarize", done=0.0, total=1.0),
    *(Progress(stage="mp4", done=done, total=20.0) for done in (0.0, 10.0, 20.0)),
)


@pytest.mark.parametrize(
    ("long_steps", "shares"),
    [
        (["observe"], [0, 0.5, 1]),
        (["observe", "mp4"], [0, 0.25, 0.5, 0.5, 0.75, 1]),
    ],
)
def test_the_share_that_is_done_never_falls(long_steps: list[str], shares: list[float]) -> None:
    reports: list[dict[str, Any]] = []
    reporter = ProgressReporter(lambda values: reports.append(dict(values)), long_steps=long_steps)
    for step in STEPS:
        reporter(step)
    assert [report["done"] for report in reports if "done" in report] == shares
    # The display has the share of each step, too.
    assert [report["fraction"] for report in reports] == [0, 0.5, 1, 0, 0, 0.5, 1]
