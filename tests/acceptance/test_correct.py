"""Somebody corrects who is who in a browser; it is in all files, and stays when analysed again."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from lxml import etree

from analyzer.reports import report_file
from tests.support import browser
from tests.support.processes import run_module
from tests.support.servers import serve, table

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
ENDS = {
    "csv": "csv", "characters": "characters.csv", "eaf": "eaf", "html": "html", "vtt": "vtt",
    "ass": "ass", "json": "json", "report": "report.zip",
}  # fmt: skip
NAME = "Eileen & Co"
TRUTH = {NAME: 8.0, "": 10.5}
"""Seconds on screen: hers but for the last shot, which is the other's now."""


def analyze(folder: Path, medium: Path, *options: str) -> str:
    code, text = run_module(
        "analyzer", "analyze", medium, "-o", "out", "--export", ",".join(ENDS), *options, cwd=folder
    )
    assert code == 0, text
    return text


def on_screen(out: Path) -> dict[str, float]:
    return {
        row["name"]: float(row["screen_time_s"]) for row in table(out / "sample.characters.csv")
    }


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.glob("[!.]*"))}


def correct_in_browser(page: browser.Review, target: Path) -> None:
    """Name her, take the last shot from her, and give it to the other."""
    page.page.click("[data-key='edit 0']")
    page.page.keyboard.type(NAME)
    page.page.keyboard.press("Enter")
    page.page.click("[data-key='tracks 0']")
    page.page.get_by_label("Split off track 4").click()
    page.page.check("[data-key='select 1']")
    page.page.check("[data-key='select 2']")
    page.page.click("#merge")
    with page.page.expect_download() as waiting:
        page.page.click("#save")
    waiting.value.save_as(target)


def test_from_the_page_to_every_file_and_back(
    sample: Path, tmp_path: Path, review: Callable[[Path], browser.Review]
) -> None:
    medium, out = sample / "sample.mp4", tmp_path / "out"
    analyze(tmp_path, medium, "--fps", "5")
    first = contents(out)
    correct_in_browser(review(out / "sample.html").playable(), tmp_path / "corrections.json")
    code, text = run_module(
        "analyzer", "correct", out / "sample.report.zip", "corrections.json", cwd=tmp_path
    )
    assert code == 0, text
    assert on_screen(out) == pytest.approx(TRUTH, abs=0.3)
    rows = pd.read_csv(out / "sample.csv", keep_default_na=False)
    assert rows.loc[rows["name"] == NAME, "time_s"].max() < 11.6
    assert any(NAME in tier for tier in etree.parse(out / "sample.eaf").xpath("//@TIER_ID"))
    shown = review(out / "sample.html").playable()
    assert set(shown.page.locator(".name").all_text_contents()) == {NAME, "person 1"}
    corrected = contents(out)

    # Analysed again, everything is as it was corrected, to the byte; sampled otherwise, too.
    assert "are made again" in analyze(tmp_path, medium, "--fps", "5")
    assert contents(out) == corrected
    analyze(tmp_path, medium, "--fps", "2")
    assert on_screen(out) == pytest.approx(TRUTH, abs=0.6)
    report = report_file.load(out / "sample.report.zip")
    assert report.notes == ()
    assert len(report.corrections) == 3
    analyze(tmp_path, medium, "--fps", "2", "--no-corrections")
    assert NAME not in on_screen(out)

    analyze(tmp_path, medium, "--fps", "5")
    code, text = run_module(
        "analyzer", "correct", out / "sample.report.zip", "--revert", cwd=tmp_path
    )
    assert code == 0, text
    reverted = contents(out)
    assert json.loads(reverted.pop("sample.corrections.json"))["corrections"] == []
    assert reverted == first


def test_a_worker_makes_them_again(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    out, corrections = tmp_path / "out", tmp_path / "kept.json"
    out.mkdir()
    row: dict[str, object] = {f"dest_{name}": out / f"sample.{end}" for name, end in ENDS.items()}
    row |= {"source_path": sample / "sample.mp4", "corrections": corrections}
    code, text = serve(tmp_path, [row], "--fps", "2")
    assert code == 0, text
    source = report_file.summary(out / "sample.report.zip")
    steps = [
        {"op": "rename", "person": 0, "name": NAME},
        {"op": "split", "track": 4},
        {"op": "merge", "persons": [1, 2]},
    ]
    about = {
        "uri": source.info.uri,
        "name": "sample.mp4",
        "options": source.provenance["options_digest"],
    }
    whole = {"format": "ina-corrections", "version": 1, "source": about, "corrections": steps}
    (tmp_path / "corrections.json").write_text(json.dumps(whole))
    joblist, ledger = tmp_path / "jobs.csv", ("--ledger", tmp_path / "jobs.ledger")
    code, text = run_module("analyzer", "correct", joblist, "corrections.json", cwd=tmp_path)
    assert code == 0, text
    changes = joblist.with_suffix(".changes.csv")
    code, text = run_module("jobs", "accept", *ledger, "--changes", changes, cwd=tmp_path)
    assert (code, text) == (0, "1 jobs with changed outputs accepted\n")
    corrected = contents(out)
    code, text = serve(tmp_path, [row], "--fps", "2")
    assert "1 jobs done before and skipped" in text
    assert contents(out) == corrected

    for file in out.glob("[!.]*"):
        file.unlink()
    code, text = serve(tmp_path, [row], "--fps", "2", "--shards", "2")
    assert code == 0, text
    assert contents(out) == corrected, "server and worker give the same"
    code, text = serve(tmp_path, [row], "--fps", "5")
    assert code == 0, text
    assert on_screen(out) == pytest.approx(TRUTH, abs=0.3)

    corrections.write_text("{")
    code, text = serve(tmp_path, [row], "--fps", "3")
    assert code == 1
    assert "kept.json: not JSON (line 1)" in text
