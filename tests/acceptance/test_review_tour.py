"""The tour of docs/review.md: each step is done as it says there, on the sample video.

The pictures of the document are those that a run leaves: `tour-N.jpg`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analyzer.__main__ import main
from tests.support import browser
from tests.support.processes import ROOT

pytestmark = pytest.mark.acceptance


class Tour:
    """Somebody who follows the document."""

    def __init__(self, chromium: Any, folder: Path, sample: Path) -> None:
        self.folder, self.sample = folder, sample / "sample.mp4"
        self.context = chromium.new_context(
            viewport={"width": 1240, "height": 700}, accept_downloads=True
        )
        self.analyze()

    def analyze(self) -> None:
        words = ["analyze", str(self.sample), "-o", str(self.folder), "--fps", "5"]
        assert main([*words, "--device", "cpu", "--export", "csv,characters,html,report"]) == 0

    def open(self) -> browser.Review:
        self.review = browser.Review(self.context.new_page(), self.folder / "sample.html")
        return self.review.playable()

    def names(self) -> list[str]:
        return self.review.page.locator(".name").all_text_contents()

    def picture(self, number: int) -> None:
        path = self.folder / f"tour-{number}.jpg"
        self.review.page.screenshot(path=str(path), type="jpeg", quality=70)


@pytest.fixture
def tour(chromium: Any, sample: Path, tmp_path: Path) -> Iterator[Tour]:
    walked = Tour(chromium, tmp_path, sample)
    yield walked
    walked.context.close()


def look(tour: Tour) -> None:
    page = tour.open().page
    page.click("[data-key='go 1']")
    tour.review.settle()
    assert "person 1" in tour.review.text("#seen")
    assert tour.review.in_view()
    tour.picture(1)


def say_who(tour: Tour) -> None:
    page = tour.review.page
    page.click("[data-key='edit 0']")
    page.fill("[data-key='name 0']", "Ada")
    page.fill("[data-key='age 0']", "44")
    tour.picture(2)
    page.keyboard.press("Enter")
    assert tour.names() == ["Ada", "person 1"]
    assert "age 44" in tour.review.text("[data-person='0'] .go")


def split(tour: Tour) -> None:
    page = tour.review.page
    page.click("[data-key='tracks 0']")
    places = page.locator("[data-person='0'] .place")
    track = str(places.first.get_attribute("data-key")).split()[1]
    places.first.focus()
    tour.review.seek(1.0)
    tour.picture(3)
    page.click(f"[data-key='cut {track}']")
    tour.review.until_said("is somebody else from")
    assert tour.names() == ["Ada", "person 1", "person 2"]


def not_here(tour: Tour) -> None:
    page = tour.review.page
    page.locator("[data-person='1'] .bar").click(position={"x": 200, "y": 5})
    tour.review.settle()
    page.keyboard.press("b")
    page.keyboard.press("x")
    tour.review.until_said("is not this person")
    page.keyboard.press("Control+z")
    assert "Undone" in tour.review.text("#said")


def add_face(tour: Tour) -> None:
    page = tour.review.page
    tour.review.seek(2.0)
    page.keyboard.press("d")
    page.keyboard.press("ArrowRight")
    tour.picture(5)
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("d")
    page.keyboard.press("Enter")
    tour.review.until_said("Corrected: a face of")
    page.keyboard.press("Control+z")


def apply(tour: Tour) -> None:
    page = tour.review.page
    with page.expect_download() as waiting:
        page.keyboard.press("Control+s")
    saved = tour.folder / waiting.value.suggested_filename
    waiting.value.save_as(saved)
    assert main(["correct", str(tour.folder / "sample.report.zip"), str(saved)]) == 0
    table = pd.read_csv(tour.folder / "sample.characters.csv", index_col="person_id")
    assert table.loc[0, ["name", "age_label"]].tolist() == ["Ada", 44.0]
    assert table["corrected"].tolist()[0] == 3


def alike(tour: Tour) -> None:
    page = tour.open().page
    page.click("[data-key='go 0']")
    page.keyboard.press("a")
    assert page.locator("[data-alike='2']").count() == 1
    tour.picture(7)
    page.keyboard.press("y")
    tour.review.until_said("persons 0, 2 are one")
    assert tour.names() == ["Ada", "person 1"]


def again(tour: Tour) -> None:
    tour.analyze()
    table = pd.read_csv(tour.folder / "sample.characters.csv", index_col="person_id")
    assert table.loc[0, "name"] == "Ada"
    assert main(["correct", str(tour.folder / "sample.report.zip"), "--revert"]) == 0


STEPS = {
    "Look": look,
    "Say who it is": say_who,
    "Split where the person changes": split,
    "Not here": not_here,
    "Add a face that was missed": add_face,
    "Save and apply": apply,
    "Who is alike": alike,
    "Analyse again, or take it back": again,
}


def test_every_step_of_the_tour_is_done(tour: Tour) -> None:
    text = (ROOT / "docs" / "review.md").read_text(encoding="utf-8")
    assert re.findall(r"^### \d\. (.*)$", text, re.MULTILINE) == list(STEPS)
    for step in STEPS.values():
        step(tour)
    assert tour.review.errors == []
