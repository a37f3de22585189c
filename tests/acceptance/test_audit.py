"""From the sample to shares that people have put right: analysed, drawn, labelled, read, used."""

import json
from pathlib import Path
from typing import Any

import pytest

from analyzer.__main__ import main
from analyzer.audit import audit_file
from tests.support import browser
from tests.support.servers import table

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]


def test_the_sample_from_analysis_to_shares(
    sample: Path, chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rater takes everybody for a man: then none of the time is women's."""
    monkeypatch.chdir(tmp_path)
    film = str(sample / "sample.mp4")
    words = ["-o", "results", "--fps", "5", "--export", "csv,report"]
    assert main(["analyze", film, *words]) == 0
    (tmp_path / "list.csv").write_text(f"source_path,decade\n{film},2020\n")
    strata = ["--catalogue", "list.csv", "--strata", "sex,age,size,darkness,decade"]
    draw = ["audit", "draw", "results", "-o", "audit.json", "--faces", "60", "--per_person", "40"]
    assert main([*draw, *strata]) == 0
    audit = audit_file.read(tmp_path / "audit.json")
    faces = table(tmp_path / "results" / "sample.csv")
    assert sum(face.weight for face in audit.faces) == pytest.approx(len(faces))
    assert {face.groups["decade"] for face in audit.faces} == {"2020"}
    assert {face.groups["darkness"] for face in audit.faces} <= {"dark", "medium", "light"}
    assert main(["audit", "page", "audit.json", "-o", "audit.html"]) == 0

    context = chromium.new_context(accept_downloads=True)
    shown = browser.Review(context.new_page(), tmp_path / "audit.html")
    shown.page.fill("#name", "Ada")
    shown.page.keyboard.press("Enter")
    while shown.page.evaluate("document.querySelector('#done').hidden"):
        assert shown.page.evaluate("document.querySelector('#crop').naturalWidth") == 360
        shown.page.keyboard.press("m")
        shown.page.keyboard.press("3")
    with shown.page.expect_download() as started:
        shown.page.click("#done [data-save=csv]")
    started.value.save_as(tmp_path / "ada.csv")
    context.close()
    assert shown.errors == []

    assert main(["audit", "report", "audit.json", "ada.csv", "--write", "confusion.json"]) == 0
    figures = json.loads((tmp_path / "confusion.json").read_text())["report"]["heads"]["sex"]
    women = figures["shares"][0]
    assert women["predicted"] == pytest.approx(
        sum(float(row["sex_decfunc"]) < 0 for row in faces) / len(faces), abs=0.02
    )
    assert women["share"] == pytest.approx(0, abs=0.02)
    spec = "shares:confusion=confusion.json"
    assert main(["export", "results/sample.report.zip", "-o", ".", "--export", spec]) == 0
    row = table(tmp_path / "sample.shares.csv")[0]
    assert (row["measure"], row["group"]) == ("face_time", "f")
    assert row["confusion"] == str(tmp_path / "confusion.json")
    assert float(row["corrected"]) < float(row["observed"])
