"""Every action of the review page, by mouse and by keyboard, at several widths and at 200 %."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analyzer import registry
from analyzer.__main__ import main
from analyzer.attributes.labeller import PLAIN
from analyzer.inference.runtime import Runtime
from analyzer.reports import corrections_file, report_file
from analyzer.review import apply
from tests.support import browser
from tests.support.corrected import filmed_report, people, sample_report

pytestmark = pytest.mark.acceptance

SIZES = {
    "400": {"viewport": {"width": 400, "height": 800}},
    "960": {"viewport": {"width": 960, "height": 800}},
    "1400": {"viewport": {"width": 1400, "height": 900}},
    "1400 at 200 %": {"viewport": {"width": 700, "height": 450}, "device_scale_factor": 2},
}
EXPORTS = ("csv", "characters", "json", "html", "ass", "eaf", "vtt", "cvat", "xlsx", "report")
FREE = (480, 230, 560, 330)
"""A place without a face."""


@dataclass
class Reviewer:
    """Somebody at a page, with a mouse or a keyboard only."""

    shown: browser.Review
    uses_keys: bool

    def press(self, *keys: str) -> None:
        for key in keys:
            self.shown.page.keyboard.press(key)
        self.shown.settle()

    def click(self, key: str) -> None:
        self.shown.page.click(f"[data-key='{key}']")
        self.shown.settle()

    def pick(self, person: int) -> None:
        """Choose a person, by the box in the picture."""
        if not self.uses_keys:
            script = """person => {
                const face = view.player.faces.find((f) => f.person === person);
                const { x, y, w, h } = view.player.picture();
                const [x1, y1, x2, y2] = face.box;
                const { width, height } = view.report.medium;
                return [x + (x1 + x2) / 2 * w / width, y + (y1 + y2) / 2 * h / height];
            }"""
            x, y = self.shown.page.evaluate(script, person)
            self.shown.page.evaluate("document.getElementById('stage').scrollIntoView()")
            self.shown.page.click("#stage", position={"x": x, "y": y})
        else:
            for _ in range(9):
                if self.chosen == person:
                    break
                self.press("b")
        assert self.chosen == person
        assert self.shown.in_view()

    @property
    def chosen(self) -> int | None:
        return self.shown.page.evaluate("view.chosen")

    def edit(self, person: int, name: str, sex: str, age: str) -> None:
        if self.uses_keys:
            self.press("e")
            self.shown.page.keyboard.type(name)
            self.press("Tab", sex, "Tab", "Control+a")
            self.shown.page.keyboard.type(age)
            self.press("Enter")
            return
        page = self.shown.page
        self.click(f"edit {person}")
        page.fill(f"[data-key='name {person}']", name)
        page.select_option(f"[data-key='sex {person}']", sex)
        page.fill(f"[data-key='age {person}']", age)
        page.click(".edit button:text('OK')")

    def draw(self, box: tuple[int, int, int, int]) -> None:
        """Draw a box, or what is in its place for the keyboard: the one offered, moved."""
        if self.uses_keys:
            self.press("ArrowRight", "ArrowDown", "Shift+ArrowDown", "Enter")
            return
        page = self.shown.page
        page.evaluate("document.getElementById('stage').scrollIntoView()")
        where = "([x, y]) => { const p = view.player.picture(), m = view.report.medium,"
        where += "s = document.getElementById('stage').getBoundingClientRect();"
        where += "return [s.left + p.x + x * p.w / m.width, s.top + p.y + y * p.h / m.height]; }"
        (x1, y1), (x2, y2) = (page.evaluate(where, list(corner)) for corner in (box[:2], box[2:]))
        page.mouse.move(x1, y1)
        page.mouse.down()
        page.mouse.move((x1 + x2) / 2, (y1 + y2) / 2)
        page.mouse.move(x2, y2)
        page.mouse.up()
        page.click("#draw-set")


@pytest.fixture
def reviewer(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Reviewer]]:
    """Opens the page of a film at a size."""
    report = filmed_report(tmp_path)
    for name in EXPORTS:
        exporter = registry.load("export", name, runtime=Runtime())
        exporter.write(report, tmp_path / f"res{exporter.suffix}")
    contexts = []

    def start(size: str, way: str) -> Reviewer:
        contexts.append(chromium.new_context(**SIZES[size], accept_downloads=True))
        shown = browser.Review(contexts[-1].new_page(), tmp_path / "res.html").playable()
        return Reviewer(shown, uses_keys=way == "keyboard")

    yield start
    for context in contexts:
        context.close()


def correct_all(reviewer: Reviewer) -> None:
    """Make one correction of every kind."""
    shown, keys = reviewer.shown, reviewer.uses_keys
    shown.seek(0.4)
    reviewer.pick(0)
    reviewer.edit(0, "Grace", "f", "62")
    shown.until_said("person 0: age 62")
    shown.seek(1.0)
    reviewer.pick(1)
    reviewer.press("s") if keys else reviewer.click("split 1")
    shown.until_said("track 1 is somebody else from 0:01.0")
    shown.seek(0.4)
    reviewer.press("d") if keys else shown.page.click("#draw")
    reviewer.draw(FREE)
    shown.seek(0.8)
    reviewer.press("d") if keys else shown.page.click("#draw-again")
    reviewer.draw(FREE)
    shown.until_said("a face of person 1 at 0:00.4")
    shown.seek(3.0)
    reviewer.pick(2)
    reviewer.press("a") if keys else reviewer.click("alike 2")
    assert shown.page.locator("[data-alike]").count() == 2
    reviewer.press("u") if keys else reviewer.click("unlike 2 0")
    shown.until_said("persons 2, 0 are not the same")
    assert shown.page.locator("[data-alike='0']").count() == 0
    reviewer.press("y") if keys else reviewer.click("same 2 1")
    shown.until_said("persons 2, 1 are one")
    reviewer.pick(-1)
    reviewer.press("Delete") if keys else reviewer.click("nothing 3")
    shown.until_said("track 3 is not a face")
    shown.seek(1.4)
    reviewer.pick(3)
    reviewer.press("x") if keys else reviewer.click("not 4")
    shown.until_said("track 4 is not this person")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", ["mouse", "keyboard"])
def test_every_correction_is_made_undone_and_made_again(
    reviewer: Callable[..., Reviewer], size: str, way: str
) -> None:
    somebody = reviewer(size, way)
    shown = somebody.shown
    before = shown.page.locator(".name").all_text_contents()
    correct_all(somebody)
    names = shown.page.locator(".name").all_text_contents()
    assert names == ["person 2", "Grace", "nobody"]
    count = shown.page.locator("#made li").count()
    assert count == 9
    for _ in range(count):
        somebody.press("Control+z") if somebody.uses_keys else shown.page.click("#undo")
    assert shown.page.locator(".name").all_text_contents() == before
    for _ in range(count):
        somebody.press("Control+y") if somebody.uses_keys else shown.page.click("#redo")
    assert shown.page.locator(".name").all_text_contents() == names
    assert shown.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert shown.errors == []


@pytest.mark.parametrize("size", SIZES)
def test_the_picture_stays_in_view_and_characters_are_found(
    reviewer: Callable[..., Reviewer], size: str
) -> None:
    somebody = reviewer(size, "keyboard")
    shown = somebody.shown
    for person in (2, 1, 0, -1):
        shown.page.click(f"[data-key='go {person}']")
        shown.settle()
        assert shown.in_view(), person
    somebody.press("/")
    shown.page.keyboard.type("ADÁ")
    assert shown.page.locator(".character:visible").count() == 1
    somebody.press("Enter")
    assert somebody.chosen == 0
    assert shown.in_view()
    somebody.press("/", "Escape")
    assert shown.page.locator(".character:visible").count() == 4
    somebody.press("?")
    assert shown.page.locator("#help dt").count() == 23
    somebody.press("Escape", "?", "?")
    assert shown.page.is_hidden("#help")


def test_corrections_reach_every_export_and_a_second_analysis(
    reviewer: Callable[..., Reviewer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    somebody = reviewer("1400", "mouse")
    shown, place = somebody.shown, tmp_path / "res.report.zip"
    before = {path.name: path.read_bytes() for path in tmp_path.glob("res*")}
    correct_all(somebody)
    with shown.page.expect_download() as waiting:
        shown.page.click("#save")
    waiting.value.save_as(tmp_path / "corrections.json")
    intervals = {person: shown.intervals(person) for person in (0, 2)}
    assert main(["correct", str(place), "corrections.json"]) == 0
    after = {path.name: path.read_bytes() for path in tmp_path.glob("res*")}
    assert {name for name in before if after[name] == before[name]} == set()
    report = report_file.load(place)
    for person, stretches in intervals.items():
        assert stretches == [pytest.approx(x) for x in people(report)[person].intervals]
    table = pd.read_csv("res.characters.csv", index_col="person_id")
    shown_of = table.loc[0, ["name", "sex_label", "age_label", "corrected"]].tolist()
    assert shown_of == ["Grace", "f", 62.0, 3]
    counts = json.loads(Path("res.report.json").read_text())["counts"]
    assert (counts["corrected"], counts["faces_added"]) == (9, 3)
    assert "Grace  f 62" in Path("res.ass").read_text()
    rows = pd.read_csv("res.csv")
    assert set(rows[rows["person_id"] == 0]["sex_label"]) == {"f"}
    document = corrections_file.read(tmp_path / "res.corrections.json")
    second = sample_report(rate=10.0, first_track=70, owners=(0, 1, 2, -1))
    again = apply.reapply(second, document, labeller=lambda: PLAIN)
    assert [note for note in again.notes if "not made" in note] == []
    assert people(again)[0].attributes["age"].label == "62.0"
    assert again.tally.faces_added == 5
    reopened = browser.Review(shown.page.context.new_page(), tmp_path / "res.html").playable()
    reopened.page.click("[data-key='alike 2']")
    assert reopened.page.locator("[data-alike]").count() == 0, "never asked again"
    assert main(["correct", str(place), "--revert"]) == 0
    reverted = {path.name: path.read_bytes() for path in tmp_path.glob("res*")}
    assert {name: reverted[name] for name in before} == before
