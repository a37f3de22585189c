"""Options as values: one form of a number, and a sentence for what is none."""

from typing import Any

import numpy as np
import pytest

from analyzer.errors import UsageError
from analyzer.options import AnalysisOptions


@pytest.mark.parametrize("value", [5, 5.0, np.float32(5), np.int64(5)])
def test_a_number_in_any_form_has_the_digest_of_the_command_line(value: Any) -> None:
    assert AnalysisOptions(fps=value).digest() == AnalysisOptions.from_dict({"fps": "5"}).digest()


def test_a_default_that_is_given_is_the_default() -> None:
    given = AnalysisOptions.from_dict({"bbox_expand": "1", "min_faces": "1", "min_area": "0"})
    assert given.digest() == AnalysisOptions().digest()
    assert given.to_dict() == AnalysisOptions().to_dict()


@pytest.mark.parametrize(
    ("name", "value", "cure"),
    [
        ("fps", "5", "give a number"),
        ("fps", float("inf"), "must be above 0, and finite"),
        ("start", float("nan"), "must be 0 or more, and finite"),
        ("min_faces", 1.5, "give a whole number"),
        ("frame_step", [2], "give a whole number"),
    ],
)
def test_what_is_no_number_is_named(name: str, value: Any, cure: str) -> None:
    with pytest.raises(UsageError, match=rf"^{name}\b.*: {cure}$"):
        AnalysisOptions(**{name: value})


@pytest.mark.parametrize(
    ("engine", "name", "value", "cure"),
    [
        ("image", "fps", 5, "--frame_step"),
        ("image", "start", 0, "--frame_step"),
        ("image", "stop", 5, "--frame_step"),
        ("videokeyframes", "frame_step", 3, "--fps"),
    ],
)
def test_an_engine_refuses_what_it_cannot_honour(
    engine: str, name: str, value: float, cure: str
) -> None:
    with pytest.raises(UsageError, match=rf"^{name}: .*{cure}"):
        AnalysisOptions(**{"engine": engine, name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ["video", "videotracking", "videokeyframes"])
def test_the_engines_of_videos_take_rate_and_range(engine: str) -> None:
    options = AnalysisOptions(engine=engine, fps=5, start=1, stop=2)
    assert (options.fps, options.start, options.stop) == (5, 1, 2)
