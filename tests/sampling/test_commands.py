"""plan and estimate as a user gives them, on results with known shares."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analyzer import registry
from analyzer.__main__ import main
from analyzer.sampling.results import AmountReader
from tests.support.servers import table

FILMS = 400


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue of 400 films in two channels and four decades."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    with open("archive.csv", "w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["source_path", "duration_s", "channel", "decade", "title"])
        for film in range(FILMS):
            length = f"{rng.lognormal(8, 0.5):.1f}"
            rows.writerow([f"films/{film}.mp4", length, f"c{film % 2}", 1950 + film % 4, "a, b"])
    return tmp_path


def document(women_s: float, men_s: float) -> dict[str, Any]:
    """A report of one woman of 34 and one man of 8."""
    people = [("f", "34", women_s), ("m", "8", men_s)]
    return {
        "tracks": [
            {"labels": {"sex": sex, "age": age}, "intervals_s": [[0, length], [50, 50]]}
            for sex, age, length in people
        ],
        "persons": [
            {
                "attributes": {"sex": {"label": sex}, "age": {"label": age}},
                "screen_time_s": length / 2,
            }
            for sex, age, length in people
        ],
    }


def analyse(joblist: str, *, leave: int = 0) -> None:
    """Write results: a quarter women in one channel, three quarters in the other."""
    rows = table(Path(joblist))
    for row in rows[: len(rows) - leave]:
        share = 0.25 if row["group_channel"] == "c0" else 0.75
        wobble = 10 * np.random.default_rng(int(row["draw"].split()[0])).random()
        path = Path(row["dest_json"])
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document(share * 40 + wobble, (1 - share) * 40 + 10 - wobble)))


def estimate(*words: str) -> dict[tuple[str | None, str], dict[str, Any]]:
    """The shares that estimate writes, by value and group."""
    assert main(["estimate", "sample.csv", "--write", "out.json", *words]) == 0
    shares = json.loads(Path("out.json").read_text())["shares"]
    return {(share["where"], share["group"]): share for share in shares}


def plan(*words: str) -> int:
    return main(["plan", "archive.csv", "-o", "sample.csv", *words])


def test_from_catalogue_to_shares(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan("--strata", "channel", "--groups", "decade", "--within", "5", "--speed", "4") == 0
    text = capsys.readouterr().out
    assert "archive: 400 films" in text
    assert "expected: plus or minus 5.0 points, at 95 %" in text
    rows = table(Path("sample.csv"))
    assert len({row["dest_csv"] for row in rows}) == len(rows)
    assert {row["stratum"] for row in rows} == {"c0", "c1"}
    analyse("sample.csv")
    shares = estimate("--by", "group_channel")
    whole = shares[None, "f"]
    assert whole["low"] < whole["share"] < whole["high"]
    assert whole["at_all_times"][0] < whole["share"] < whole["at_all_times"][1]
    assert shares["c0", "f"]["share"] == pytest.approx(0.3, abs=0.02)
    assert shares["c1", "f"]["share"] == pytest.approx(0.7, abs=0.02)
    # The strata are known: what is left is the spread within them.
    assert whole["high"] - whole["low"] < 0.02
    assert whole["strata"] == 2


def test_age_groups_and_person_time(archive: Path) -> None:
    assert plan("--segments", "60", "--strata", "channel") == 0
    analyse("sample.csv")
    by_age = estimate("--of", "age", "--ages", "10,30")
    assert set(by_age) == {(None, "0-9"), (None, "30+")}
    assert estimate("--over", "persons")[None, "f"]["share"] == pytest.approx(
        by_age[None, "30+"]["share"]
    )


def test_a_pilot_says_how_many_segments_are_needed(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan("--segments", "60", "--strata", "channel") == 0
    analyse("sample.csv")
    estimate()
    deviation = json.loads(Path("out.json").read_text())["pilot"]["deviation"]
    capsys.readouterr()
    assert main(["plan", "archive.csv", "-o", "more.csv", "--pilot", "out.json"]) == 0
    draws = max(30, int(np.ceil((1.96 * deviation / 0.02) ** 2)))
    assert f"{draws} draws from 1 strata" in capsys.readouterr().out


def test_one_may_look_while_the_run_goes_on(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan("--segments", "900", "--groups", "channel") == 0
    analyse("sample.csv", leave=800)
    assert main(["estimate", "sample.csv", "--until", "5"]) == 1
    shown = capsys.readouterr()
    assert "have no results: the others of their strata stand for them" in shown.err
    assert "plus or minus 5 points at all times: go on" in shown.out
    analyse("sample.csv")
    assert main(["estimate", "sample.csv", "--until", "8"]) == 0
    assert "at all times: one can stop" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["estimate", "archive.csv"], "no column start_s: take the joblist that plan has written"),
        (["estimate", "sample.csv"], "no segment has results yet: serve the joblist first"),
        (
            ["estimate", "sample.csv", "--by", "genre"],
            "no column genre: take the joblist that plan has written; there are stratum, "
            "group_channel",
        ),
        (["estimate", "sample.csv", "--ages", "9,3"], "--ages 9,3: give rising ages"),
        (
            ["plan", "archive.csv", "-o", "archive.csv"],
            "is the catalogue: give the joblist another",
        ),
        (
            ["plan", "archive.csv", "-o", "b.csv", "--pilot", "archive.csv"],
            "not a file of estimates",
        ),
        (["plan", "archive.csv", "-o", "b.csv", "--strata", "x"], "no column x: add it"),
        (
            ["plan", "archive.csv", "-o", "b.csv", "--speed", "1", "--film", "a"],
            "leave out --speed",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_cure(
    words: list[str], message: str, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan("--segments", "40", "--strata", "channel") == 0
    assert main(words) == 2
    assert message in capsys.readouterr().err


def test_strata_with_results_of_one_draw(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan("--segments", "12", "--strata", "channel,decade") == 0
    analyse("sample.csv", leave=len(table(Path("sample.csv"))) - 3)
    assert main(["estimate", "sample.csv"]) == 2
    assert "results of one draw only, which tell nothing of its spread" in capsys.readouterr().err
    assert main(["estimate", "sample.csv", "--merge_strata"]) == 0
    assert "strata put together" in capsys.readouterr().err


def test_results_of_other_exports(tmp_path: Path) -> None:
    """Parquet has the report in its metadata; of the csv, samples are counted."""
    pa = pytest.importorskip("pyarrow")
    whole = tmp_path / "a.parquet"
    metadata = {"ina": json.dumps(document(6, 2))}
    table_of_none = pa.table({"frame": pa.array([], pa.int64())}).replace_schema_metadata(metadata)
    registry.module("formats", "parquet").save(whole, table_of_none)
    faces = tmp_path / "a.csv"
    faces.write_text("frame,sex_label_avg\n0,f\n0,m\n1,m\n2,\n")
    reader = AmountReader("sex", "faces")
    assert reader.result({"parquet": str(whole), "csv": str(faces)}).amounts == {"f": 6, "m": 2}
    assert reader.result({"csv": str(faces)}).amounts == {"f": 1, "m": 2, "": 1}
    assert reader.result({"json": str(tmp_path / "none.json")}) is None


def test_no_interval_costs_more_than_the_archive(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (archive / "archive.csv").write_text(
        "source_path,duration_s,channel,decade\na,30,c0,1950\nb,30,c1,1960\n"
    )
    assert plan("--segment_s", "6") == 0
    cells = [line.split("│") for line in capsys.readouterr().out.splitlines() if "points  " in line]
    assert {row[2].strip() for row in cells} == {"10"}
