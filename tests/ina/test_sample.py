"""The thread of a server that looks at the share so far, and its line in the terminal."""

import json
from pathlib import Path

from analyzer.sampling.draws import has_draws
from ina.sample import SampleThread
from tests.support.processes import until


def joblist(folder: Path, count: int) -> Path:
    path = folder / "sample.csv"
    rows = ["source_path,start_s,stop_s,weight,draw,draw_weight,dest_json"]
    for number in range(1, count + 1):
        dest = folder / f"{number}.json"
        rows.append(f"a.mp4,{60 * number},{60 * number + 60},1,{number},1,{dest}")
        women = 20 + number % 3
        tracks = [
            {"labels": {"sex": "f"}, "intervals_s": [[0, women]]},
            {"labels": {"sex": "m"}, "intervals_s": [[0, 40]]},
        ]
        dest.write_text(json.dumps({"tracks": tracks, "persons": []}))
    path.write_text("\n".join(rows))
    return path


def test_only_joblists_with_draws_are_followed(tmp_path: Path) -> None:
    plain = tmp_path / "plain.csv"
    plain.write_text("source_path,dest_csv\na.mp4,a.csv\n")
    assert not has_draws(plain)
    assert not has_draws(tmp_path / "none.csv")
    assert has_draws(joblist(tmp_path, 1))


def test_the_line_tells_when_one_can_stop(tmp_path: Path) -> None:
    sample = SampleThread(joblist(tmp_path, 400), 0.1)
    try:
        until(lambda: "after 400 draws" in sample.line())
        line = sample.line()
    finally:
        sample.stop()
    assert line.startswith("sample: 34.4 % women, at all times ")
    assert line.endswith(": plus or minus 10 points reached, one can stop")


def test_results_without_sex_say_what_lacks(tmp_path: Path) -> None:
    path = joblist(tmp_path, 3)
    tracks = [{"labels": {}, "intervals_s": [[0, 20]]}]
    for number in (1, 2, 3):
        document = {"tracks": tracks, "persons": []}
        (tmp_path / f"{number}.json").write_text(json.dumps(document))
    sample = SampleThread(path, None)
    try:
        until(lambda: "needs --attributes sex" in sample.line())
        state = sample.state()
    finally:
        sample.stop()
    assert state is not None
    assert (state["draws"], state["share"]) == (3, None)


def test_damaged_results_are_named(tmp_path: Path) -> None:
    path = joblist(tmp_path, 3)
    (tmp_path / "1.json").write_text("{")
    sample = SampleThread(path, None)
    try:
        until(lambda: "no results that can be read" in sample.line())
    finally:
        sample.stop()
