"""The schema of calls: every verb takes what fits, and nothing else, whatever JSON says."""

import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import CallRefused
from jobs.server.operator import Operator
from jobs.server.service import JobService
from jobs.wire.calls import (
    OPERATOR_VERBS,
    VERBS,
    WORKER_VERBS,
    fitting_progress,
    require_call,
    require_message,
)
from tests.support.jobs import GOOD, JSON, arguments

FILE = {"part": "/x.csv.part.1.1", "path": "/x.csv", "sha256": "0" * 64, "size": 3}


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_what_a_good_worker_says_is_accepted(verb: str) -> None:
    require_call(verb, GOOD[verb])
    # One value more than the verb has is what tells that it was checked at all.
    with pytest.raises(CallRefused):
        require_call(verb, [*GOOD[verb], None])


@pytest.mark.parametrize(
    ("owner", "verbs"), [(JobService, WORKER_VERBS), (Operator, OPERATOR_VERBS)]
)
def test_what_is_exposed_has_a_schema_and_the_other_way_round(owner: type, verbs: Any) -> None:
    exposed = {name for name, value in vars(owner).items() if getattr(value, "_pyroExposed", False)}
    assert exposed == set(verbs)


BAD = {
    "manifest that is a text": ("prepare", 3, {"files": "x"}, "manifest: a dict of 1 is not"),
    "files that are a text": (
        "prepare",
        3,
        {"files": "x", "statistics": {}},
        "manifest: files: 'x' is not a table",
    ),
    "size that is a text": (
        "prepare",
        3,
        {"files": {"csv": {**FILE, "size": "3"}}, "statistics": {}},
        "files: csv: size: '3' is not a whole number from 0",
    ),
    "statistic without end": (
        "prepare",
        3,
        {"files": {"csv": FILE}, "statistics": {"media_s": math.inf}},
        "statistics: media_s: inf is not a number from",
    ),
    "process of 2^40": ("hello", 0, {**GOOD["hello"][0], "pid": 2**40}, "pid: 1099511627776"),
    "stage 5": ("beat", 1, [[1, 1, {"stage": 5}]], "held: 0: progress: stage: 5 is not a text"),
    "half": ("beat", 1, [[1, 1, {"fraction": "half"}]], "fraction: 'half' is not a number"),
    "no speed": ("beat", 1, [[1, 1, {"speed": None}]], "speed: None is not a number"),
    "done without end": ("beat", 1, [[1, 1, {"done": math.inf}]], "done: inf is not"),
    "done nan": ("beat", 1, [[1, 1, {"done": math.nan}]], "done: nan is not"),
    "pair without progress": ("beat", 1, [[1, 1]], "a list of 2 is not a list of job, token"),
    "minus one job": ("claim", 2, -1, "n: -1 is not a whole number from 1 to 64"),
    "true jobs": ("claim", 2, True, "n: True is not"),
    "all workers": ("bye", 0, None, "bye: worker: None is not a text of 1 to 200"),
    "nul in a name": ("bye", 0, "a\0b", "without NUL"),
    "half a letter": ("bye", 0, "\udc80", "is not a text that is Unicode"),
    "kind that is none": ("fail", 3, "odd", "kind: 'odd' is not one of input, transient"),
    "reason of a book": ("fail", 4, "x" * 5000, "of 5000 characters is not a text of 0 to 4000"),
    "job of 64 bits": ("published", 1, 2**64, "a number of 65 bits"),
    "jobs in a text": ("retry", 0, "12", "jobs: '12' is not a list"),
    "pause of none": ("pause", 0, None, "paused: None is not true or false"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_named(name: str) -> None:
    verb, position, value, message = BAD[name]
    args = list(GOOD[verb])
    args[position] = value
    with pytest.raises(CallRefused) as refusal:
        require_call(verb, args)
    assert str(refusal.value).startswith(f"{verb}: ")
    assert message in str(refusal.value)


def test_a_wrong_number_of_values_is_named() -> None:
    with pytest.raises(CallRefused, match="claim takes worker, request, n: 1 values are not that"):
        require_call("claim", ["w"])


def refusal_of(verb: str, args: list[Any]) -> str:
    try:
        require_call(verb, args)
    except CallRefused as refusal:
        return str(refusal)
    return ""


@given(st.data())
def test_json_values_fit_or_are_refused_in_a_short_line(data: st.DataObject) -> None:
    verb = data.draw(st.sampled_from(sorted(VERBS)))
    args = data.draw(arguments(verb))
    refusal = refusal_of(verb, args)
    assert refusal.isprintable()
    assert len(refusal) < 600
    if not refusal:
        assert list(map(type, args)) == list(map(type, GOOD[verb]))


@given(st.sampled_from(["progress", "outcome", "other"]) | JSON, JSON)
def test_messages_of_a_child_fit_or_are_refused(name: Any, value: Any) -> None:
    try:
        require_message(name, value)
    except CallRefused:
        return
    assert isinstance(value, dict)


@given(st.dictionaries(st.text(max_size=5) | st.sampled_from(["stage", "speed"]), JSON))
def test_progress_that_cannot_be_said_is_left_out(values: dict[str, Any]) -> None:
    fitting = fitting_progress(values)
    require_message("progress", fitting)
    assert fitting.items() <= values.items() or values != values


def test_checks_are_cheap() -> None:
    """A call over a socket takes some hundred microseconds."""
    started = time.process_time()
    for _ in range(1000):
        for verb in ("claim", "beat", "prepare", "published"):
            require_call(verb, GOOD[verb])
    # One value more than the verb has is what tells that it was checked at all.
    with pytest.raises(CallRefused):
        require_call(verb, [*GOOD[verb], None])
    assert time.process_time() - started < 0.3


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("partial", 1),
        ("medium_skipped", 1),
        ("poster_skipped", 1),
        ("media_s", 1e6),
        ("missing_s", 1e6),
        ("frames_decoded", 1e9),
        ("damaged", 1e9),
        ("faces_detected", 1e11),
        ("persons", 1e11),
    ],
)
def test_counts_of_one_medium_are_bounded_by_what_they_count(name: str, most: float) -> None:
    for good in (0, most):
        require_message("statistics", {name: good})
    for bad in (-1, most * 1.01, 1e15):
        with pytest.raises(CallRefused, match=name):
            require_message("statistics", {name: bad})


def test_progress_beyond_all_measure_is_left_out() -> None:
    values = {"speed": 1e15, "duration_s": 1e15, "media_s": -1e15, "stage": "detect"}
    assert fitting_progress(values) == {"stage": "detect"}
