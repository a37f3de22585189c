"""The page to review a video, in a browser."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analyzer.export import characters, csv, html
from analyzer.export._shown import PALETTE
from analyzer.observations import persons
from analyzer.options import AnalysisOptions
from analyzer.types import Attribute
from tests.support import squares
from tests.support.reports import Face, make_report
from tests.support.squares import WEIRD, filmed, write

COLOUR = tuple(bytes.fromhex(PALETTE[0]))
"""That of the first person."""


@pytest.fixture
def film(tmp_path):
    return write(html, filmed(tmp_path), tmp_path / "film.html")


def coloured(pixels):
    """Sides of what has that colour, in pixels, half-open: x1, y1, x2, y2."""
    ys, xs = np.nonzero((abs(pixels[..., :3].astype(int) - COLOUR) < 12).all(axis=2))
    return xs.min(), ys.min(), xs.max() + 1, ys.max() + 1


class TestBoxes:
    def test_the_canvas_has_a_box_where_the_csv_says(self, film, review, tmp_path):
        table = pd.read_csv(write(csv, filmed(tmp_path), tmp_path / "film.csv"))
        page = review(film).playable()
        for row in table.iloc[[0, 3, 5]].itertuples():
            page.seek(row.time_s)
            pixels = page.boxes()
            scale = pixels.shape[1] / squares.SIZE[0]
            x1, y1, x2, y2 = (round(v * scale) for v in json.loads(f"[{row.bbox[1:-1]}]"))
            middle = (y1 + y2) // 2
            for x, y in ((x1, middle), (x2, middle), ((x1 + x2) // 2, y2)):
                near = pixels[y - 2 : y + 3, x - 2 : x + 3, :3].astype(int)
                assert abs(near - COLOUR).max(axis=2).min() < 40
            assert pixels[middle, (x1 + x2) // 2, 3] == 0
        page.seek(1.02)
        assert not page.boxes().any()

    @pytest.mark.parametrize("origin_ms", [0, 1400])
    def test_every_picture_has_its_own_box(self, origin_ms, review, tmp_path):
        """At any time, whatever the container's clock starts at."""
        report = filmed(tmp_path, origin_ms=origin_ms, names={})
        page = review(write(html, report, tmp_path / "film.html")).playable()
        for face in range(10):
            picture, boxes = page.seen(tmp_path), page.boxes()
            inside = np.s_[2 : boxes.shape[0] - 2, 2 : boxes.shape[1] - 2]  # the page shines in
            white = (picture[inside].min(axis=2) > 200) & (boxes[inside][..., 3] == 0)
            ys, xs = np.nonzero(white)
            scale = boxes.shape[1] / squares.SIZE[0]
            box = np.array(squares.square_at(face if face < 6 else face + 2)) * scale
            shown = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]) + 2
            assert abs(shown - box).max() < 6 * scale
            assert page.time_s == pytest.approx(report.observations.time_s[face], abs=0.0011)
            page.page.keyboard.press("ArrowRight")
            page.settle()
            if page.text("#seen") == "no face":
                page.page.keyboard.press("ArrowRight")
                page.settle()


class TestCharacters:
    def test_a_click_goes_to_the_first_appearance_and_on(self, film, review):
        page = review(film).playable()
        page.page.click("[data-key='go 1']")
        page.settle()
        assert page.time_s == pytest.approx(1.08, abs=0.0011)
        assert page.text("#seen") == "person 1  m 40"

    def test_a_label_is_that_of_the_person(self, review, tmp_path):
        """Its tracks say `m 40`; one that is split off says so for itself."""
        faces = [Face(0, 0.0, (0, 0, 50, 50)), Face(5, 0.2, (0, 0, 50, 50), track=1)]
        report = make_report(
            [*faces, Face(10, 0.4, (0, 0, 50, 50), track=2)], persons={0: 0, 1: 0, 2: -1}
        )
        attributes = {
            "sex": Attribute(label="f", value=-2.0),
            "age": Attribute(label="25.0", value=3.0, low=20.0, high=30.0),
        }
        (person,) = report.persons
        report = replace(report, persons=(replace(person, attributes=attributes),))
        page = review(write(html, report, tmp_path / "a.html")).without_video()
        page.page.click("[data-key='go 0']")
        assert page.text("#seen") == "person 0  f 25"
        page.page.click("[data-key='go -1']")
        assert page.text("#seen") == "face  m 40"
        page.page.click("[data-key='tracks -1']")
        page.page.click("[aria-label='Split off track 2']")
        assert page.text("#seen") == "person 1  m 40"

    def test_screen_time_says_where_sex_is_not_given(self, review, tmp_path):
        report = make_report([Face(0, 0.0, (0, 0, 50, 50))])
        (person,) = report.persons
        raw = {"sex": np.zeros((1, 1), np.float32), "age": np.zeros((1, 9), np.float32)}
        sex = Attribute(label="", value=-2.0)
        age = Attribute(label="6.0", value=3.0, low=0.0, high=9.0)
        report = replace(
            report,
            observations=replace(report.observations, heads=raw),
            persons=(replace(person, attributes={"sex": sex, "age": age}),),
        )
        page = review(write(html, report, tmp_path / "a.html")).without_video()
        head = page.page.locator("#summary th[scope='col']").all_text_contents()
        assert head == ["age", "not given"]

    def test_figures_are_those_of_the_table(self, review, tmp_path):
        faces = [
            Face(0, 0.0, (0, 0, 50, 50)),
            Face(5, 0.2, (0, 0, 50, 50)),
            Face(5, 0.2, (90, 0, 150, 50), track=1),
            Face(10, 0.4, (90, 0, 150, 50), track=1),
            Face(25, 1.0, (0, 0, 50, 50), track=2, duration_s=2.5),
            Face(25, 1.0, (300, 0, 350, 50), track=5, duration_s=2.5),
        ]
        report = make_report(faces, persons={0: 0, 1: 1, 2: 0, 5: -1}, duration_s=8.0)
        plain = persons.persons(report.observations, report.row_persons(), report.identities)
        whole = {person.person_id: person for person in plain}
        report = replace(
            report,
            persons=tuple(
                replace(whole[p.person_id], attributes=p.attributes) for p in report.persons
            ),
        )
        table = pd.read_csv(write(characters, report, tmp_path / "a.csv"))
        page = review(write(html, report, tmp_path / "a.html")).without_video()
        assert table["name"].iloc[-1] == "unidentified faces"
        for row in table.iloc[:-1].astype({"person_id": int}).itertuples():
            assert page.intervals(row.person_id) == list(whole[row.person_id].intervals)
            facts = " | ".join(
                page.page.locator(f"[data-person='{row.person_id}'] .go .facts").all_inner_texts()
            )
            assert f"{row.screen_time_s:.1f} s ({100 * row.screen_share:.0f}" in facts or (
                f"{row.screen_time_s:.1f} s ({100 * row.screen_share:.1f} %)" in facts
            )
            assert f"{row.sex_label}, age {row.age_label:.0f} (30–55)" in facts  # noqa: RUF001

    def test_a_name_is_shown_as_it_is(self, review, tmp_path):
        page = review(
            write(html, filmed(tmp_path, names={0: WEIRD, 1: "王 é"}), tmp_path / "a.html")
        )
        assert page.page.locator(".name").all_text_contents() == [WEIRD, "王 é"]
        assert page.text("#seen").startswith(WEIRD)

    def test_have_their_portraits(self, film, review):
        page = review(film)
        page.page.click("[data-key='tracks 1']")
        page.until("[...document.images].length === 4")
        page.until("[...document.images].every(i => i.complete && i.naturalWidth > 50)")
        assert "Nothing was left out." in page.text("#notes")


class TestCorrections:
    def corrected(self, page):
        page.page.click("[data-key='edit 0']")
        page.page.keyboard.type(WEIRD.replace("\n", ""))
        page.page.keyboard.press("Enter")
        page.page.click("[data-key='tracks 1']")
        page.page.get_by_label("Split off track 4").click()
        page.page.check("[data-key='select 0']")
        page.page.check("[data-key='select 1']")
        page.page.click("#merge")
        page.page.click("[data-key='tracks 2']")
        page.page.get_by_label("Track 4 is not a face").click()

    def test_are_shown_at_once_and_saved(self, film, review, tmp_path):
        page = review(film).playable()
        self.corrected(page)
        assert page.page.locator(".name").all_text_contents() == [WEIRD.replace("\n", "")]
        assert [start for start, _ in page.intervals(0)] == [0, 1.08]
        page.seek(1.5)
        assert page.text("#seen") == "no face"
        assert "4 corrections, not saved" in page.text("#made summary")
        with page.page.expect_download() as waiting:
            page.page.click("#save")
        assert waiting.value.suggested_filename == "corrections.json"
        saved = json.loads(waiting.value.path().read_text(encoding="utf-8"))
        faces = {
            round(float(t), 3): list(map(int, box))
            for t, box in zip(
                filmed(tmp_path).observations.time_s,
                filmed(tmp_path).observations.boxes,
                strict=True,
            )
        }
        anchors = []
        for op in saved["corrections"]:
            anchors += [
                *op.pop("anchor", []),
                *(a for group in op.pop("anchors", []) for a in group),
            ]
        assert saved == {
            "format": "ina-corrections",
            "version": 1,
            "source": {
                "uri": str(tmp_path / "film.webm"),
                "name": "film.webm",
                "options": AnalysisOptions().digest(),
            },
            "corrections": [
                {"op": "rename", "person": 0, "name": WEIRD.replace("\n", "")},
                {"op": "split", "track": 4},
                {"op": "merge", "persons": [0, 1]},
                {"op": "not_a_face", "track": 4},
            ],
        }
        assert len(anchors) == 5 + 2 + (5 + 2) + 2
        assert all(faces[round(a["time_s"], 3)] == a["bbox"] for a in anchors)
        assert ", saved" in page.text("#made summary")

    def test_can_be_undone(self, film, review):
        page = review(film)
        before = page.page.locator("#characters").inner_html()
        self.corrected(page)
        for _ in range(4):
            page.page.keyboard.press("Control+z")
        page.page.click("[data-key='tracks 1']")
        after = page.page.locator("#characters").inner_html()
        assert re.sub(r"<ul>.*?</ul>", "", after) == before
        assert page.page.is_disabled("#save")

    def test_can_be_opened_again(self, film, review, tmp_path):
        page = review(film)
        self.corrected(page)
        with page.page.expect_download() as waiting:
            page.page.click("#save")
        waiting.value.save_as(tmp_path / "corrections.json")
        again = review(film)
        again.page.set_input_files("#saved", tmp_path / "corrections.json")
        again.page.wait_for_selector("#made:not([hidden])")
        assert again.page.locator(".name").all_text_contents() == [WEIRD.replace("\n", "")]
        assert again.text("#made summary") == "4 corrections, saved"
        again.page.click("#undo")
        assert again.text("#made summary") == "3 corrections, not saved"

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"version": 2}, "no corrections of version 1"),
            ({"source": {"name": "b.mp4"}}, "these are of b.mp4"),
            ({"source": {"name": "film.webm", "options": ""}}, "with other options"),
            ({"corrections": [{"op": "split", "track": 99}]}, "do not fit"),
        ],
    )
    def test_of_something_else_are_refused(self, change, reason, film, review, tmp_path):
        source = {"name": "film.webm", "options": AnalysisOptions().digest()}
        whole = {"format": "ina-corrections", "version": 1, "source": source, "corrections": []}
        (tmp_path / "c.json").write_text(json.dumps({**whole, **change}))
        page = review(film)
        page.page.set_input_files("#saved", tmp_path / "c.json")
        page.page.wait_for_selector("#said:not(:empty)")
        assert reason in page.text("#said")
        assert page.page.is_hidden("#made")

    def test_that_are_not_saved_are_not_lost_without_a_warning(self, film, review):
        page = review(film)
        self.corrected(page)
        dialogs = []
        page.page.on("dialog", lambda dialog: (dialogs.append(dialog.type), dialog.accept()))
        page.page.close(run_before_unload=True)
        page.page.context.new_page()  # lets the dialog come
        assert dialogs == ["beforeunload"]


def test_all_can_be_done_with_the_keyboard(film, review):
    page = review(film).playable()
    keys = page.page.keyboard

    def tab_to(key):
        for _ in range(60):
            keys.press("Tab")
            if page.page.evaluate("document.activeElement.dataset.key") == key:
                return
        raise AssertionError(f"no way to {key}")

    tab_to("go 1")
    ring = page.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"
    keys.press("Enter")
    page.settle()
    assert page.time_s == pytest.approx(1.08, abs=0.0011)
    keys.press("ArrowLeft")
    page.settle()
    assert page.time_s < 1.05
    keys.press("n")
    page.settle()
    assert page.time_s == pytest.approx(1.08, abs=0.0011)
    tab_to("tracks 1")
    keys.press("Enter")
    page.page.wait_for_selector(".tracks li")
    tab_to("split 3")
    keys.press("Enter")
    assert page.page.locator(".character").count() == 3
    page.page.focus("#seek")
    keys.press("Space")
    page.until("!document.getElementById('video').paused")
    keys.press("Space")
    page.until("document.getElementById('video').paused")


class TestTrouble:
    def test_a_video_that_is_gone_can_be_chosen(self, film, review, tmp_path):
        (tmp_path / "film.webm").rename(tmp_path / "other.webm")
        page = review(film).without_video()
        assert "cannot find or play film.webm" in page.text("#trouble")
        page.page.set_input_files("#file", tmp_path / "other.webm")
        page.playable()
        assert page.page.is_hidden("#trouble")
        page.seek(0.3)
        assert page.text("#seen") == "Ada  m 40"

    def test_a_file_that_is_no_video_is_told(self, film, review, tmp_path):
        (tmp_path / "a.mp4").write_bytes(b"nothing")
        page = review(film).playable()
        page.page.set_input_files("#file", tmp_path / "a.mp4")
        page.page.wait_for_selector("#trouble:not([hidden])")
        assert "cannot play a.mp4" in page.text("#trouble")

    def test_the_page_works_without_a_video(self, review, tmp_path):
        report = make_report([Face(0, 2.0, (0, 0, 50, 50))], uri="gone.mp4")
        page = review(write(html, report, tmp_path / "a.html")).without_video()
        page.page.click("[data-key='go 0']")
        page.page.wait_for_timeout(100)
        assert page.text("#seen") == "person 0  m 40"
        assert page.boxes().any()

    def test_a_medium_without_faces(self, review, tmp_path):
        squares.video(tmp_path / "film.webm", squares.STAMPS_MS)
        report = make_report(uri=str(tmp_path / "film.webm"))
        page = review(write(html, report, tmp_path / "a.html")).playable()
        assert page.page.locator(".character").count() == 0
        page.page.keyboard.press("ArrowRight")
        page.page.keyboard.press("n")


def test_a_picture_taller_than_the_screen_is_letterboxed(review, tmp_path):
    report = filmed(tmp_path)
    page = review(write(html, report, tmp_path / "film.html")).playable()
    page.page.set_viewport_size({"width": 1600, "height": 500})
    page.seek(0.16)
    x1, _, x2, _ = coloured(page.boxes())
    stage = page.boxes().shape
    scale = min(stage[1] / squares.SIZE[0], stage[0] / squares.SIZE[1])
    left = (stage[1] - scale * squares.SIZE[0]) / 2
    assert left > 20
    expected_x = left + scale * squares.square_at(3)[0]
    assert abs(x1 - expected_x) < 4
    assert x2 > expected_x + scale * squares.SQUARE - 4
