"""The share so far while segments are analysed: the same as `estimate` says at the end."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from analyzer.errors import UsageError
from analyzer.sampling import estimate, watch
from analyzer.sampling.watch import SampleWatch

DRAWS = [[1], [2, 5], [2], [3], [4, 6], [7], [8]]
"""Draws that hit each segment: of the second draw there are two segments, some are hit twice."""


def joblist(path: Path, draws: Sequence[Sequence[int]]) -> Path:
    with path.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(
            [
                *("source_path", "start_s", "stop_s", "stratum"),
                *("weight", "draw", "draw_weight", "dest_json"),
            ]
        )
        for number, of_row in enumerate(draws):
            names = " ".join(map(str, of_row))
            dest = path.parent / f"{number}.json"
            rows.writerow([f"{number}.mp4", 0, 60, "all", 2.0, names, 1, dest])
    return path


def analyse(folder: Path, number: int) -> None:
    rng = np.random.default_rng(number)
    tracks = [
        {"labels": {"sex": sex}, "intervals_s": [[0, float(rng.gamma(2, 10))]]} for sex in "fm"
    ]
    (folder / f"{number}.json").write_text(json.dumps({"tracks": tracks, "persons": []}))


def watching(path: Path) -> SampleWatch:
    return SampleWatch(path, reach=0.4, most_faces=5.0)


def ends_of_estimate(path: Path) -> tuple[float, float]:
    found = estimate.of_joblist(
        path,
        head="sex",
        over="faces",
        ages=(10.0, 20.0, 40.0, 60.0),
        by=None,
        reach=0.4,
        most_faces=5.0,
        skip_missing=False,
        merge_strata=True,
    )
    (ends,) = [share.sequence for share in found.shares if share.group == "f"]
    assert ends is not None
    return ends


def test_each_look_says_what_estimate_says(tmp_path: Path) -> None:
    path = joblist(tmp_path / "sample.csv", DRAWS)
    followed = watching(path)
    counts = []
    for number in range(len(DRAWS)):
        assert not followed.advance(5.0)
        analyse(tmp_path, number)
        followed.advance(5.0)
        state = followed.state()
        counts.append(state["draws"])
        if state["draws"] > 1:
            assert (state["low"], state["high"]) == pytest.approx(ends_of_estimate(path), abs=2e-3)
    assert counts == [1, 1, 2, 3, 6, 7, 8]
    assert [point[0] for point in state["points"]] == list(range(1, 9))


def test_a_result_that_is_missing_ends_it(tmp_path: Path) -> None:
    path = joblist(tmp_path / "sample.csv", [[n] for n in range(1, 9)])
    for number in (0, 1, 2, 4, 5, 6, 7):
        analyse(tmp_path, number)
    followed = watching(path)
    followed.advance(5.0)
    assert followed.state()["draws"] == 3


def test_it_says_when_one_can_stop(tmp_path: Path) -> None:
    path = joblist(tmp_path / "sample.csv", [[n] for n in range(1, 301)])
    for number in range(300):
        analyse(tmp_path, number)
    followed = SampleWatch(path, reach=0.2, most_faces=5.0)
    followed.advance(60.0)
    state = followed.state()
    assert state["draws"] == 300
    assert state["low"] < state["share"] < state["high"]
    assert state["can_stop"] == (state["high"] - state["low"] <= 0.4)
    assert state["can_stop"]


def test_the_chart_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "MOST_POINTS", 8)
    path = joblist(tmp_path / "sample.csv", [[n] for n in range(1, 52)])
    for number in range(51):
        analyse(tmp_path, number)
    followed = watching(path)
    followed.advance(60.0)
    counts = [point[0] for point in followed.state()["points"]]
    assert counts == [8, 16, 24, 32, 40, 48, 51]


def test_one_look_takes_no_longer_than_it_may(tmp_path: Path) -> None:
    path = joblist(tmp_path / "sample.csv", [[n] for n in range(1, 52)])
    for number in range(51):
        analyse(tmp_path, number)
    followed = watching(path)
    assert followed.advance(0.0)
    assert followed.state()["draws"] == 0


def test_damaged_results_are_told(tmp_path: Path) -> None:
    path = joblist(tmp_path / "sample.csv", DRAWS)
    (tmp_path / "0.json").write_text("{")
    with pytest.raises(UsageError, match="no results that can be read"):
        watching(path).advance(5.0)
