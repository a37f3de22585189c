"""Shares in the film's page, in words, and in its JSON."""

import json
from dataclasses import replace

import numpy as np
import pytest

from analyzer.export import html
from analyzer.export import json as json_exporter
from analyzer.shares.columns import columns
from analyzer.shares.measure import shares
from analyzer.shares.words import charts, sentence
from tests.support.reports import film_of_shots, make_report
from tests.support.squares import write

RANDOM = np.random.default_rng(11)
FILM = film_of_shots(RANDOM.choice([-3.2, 3.1], 200, p=[0.4, 0.6]).tolist(), shot_s=3.0)


def of_women(report, measure="face_time"):
    return next(s for s in shares(report) if (s.measure, s.group) == (measure, "f"))


def test_a_share_is_a_sentence():
    women = replace(of_women(FILM), corrected=0.371)
    interval = replace(women.interval, low=0.312, high=0.434)
    text = sentence(replace(women, interval=interval))
    assert text == "Women: 37 % of face time (95 % interval 31 to 43 %)"
    few = replace(women, corrected=0.0231, interval=replace(interval, low=0.011, high=0.103))
    assert sentence(few) == "Women: 2.3 % of face time (95 % interval 1.1 to 10.3 %)"


def test_a_share_without_interval_tells_the_reason():
    text = sentence(of_women(film_of_shots([-3.2, 3.1, 3.1])))
    assert text.endswith("(no interval: fewer than 10 shots with this group, or without it)")


def test_people_per_minute_are_a_sentence_too():
    text = sentence(of_women(FILM, "people_per_minute"))
    assert text.startswith("Women: ")
    assert " in a minute (" in text
    assert " % of all (95 % interval " in text


def test_only_the_first_chart_is_unfolded():
    assert [chart["main"] for chart in charts(shares(FILM))] == [True, False, False]
    assert charts(shares(make_report())) == []


def test_json_has_the_rows_of_the_table(tmp_path):
    path = write(json_exporter, FILM, tmp_path / "film.json")
    found = json.loads(path.read_text(encoding="utf-8"))["shares"]
    expected_columns = columns(list(shares(FILM)))
    assert list(found[0]) == [column.name for column in expected_columns]
    for column in expected_columns:
        expected = [None if v is None else v for v in column.values]
        values = [row[column.name] for row in found]
        if column.kind == "number":
            expected = [None if v is None else pytest.approx(v, abs=1e-3) for v in expected]
        assert values == expected


def test_the_page_shows_them(review, tmp_path):
    page = review(write(html, FILM, tmp_path / "film.html")).without_video().page
    women = of_women(FILM)
    text = page.inner_text("#shares").replace("\xa0", " ")
    assert sentence(women) in text
    left = page.evaluate(
        """(name) => { const mark = document.querySelector(`#shares .scale .${name}`);
          const line = mark.parentElement.getBoundingClientRect();
          const own = mark.getBoundingClientRect();
          return (own.left + own.width / 2 - line.left) / line.width; }""",
        "corrected",
    )
    assert left == pytest.approx(women.corrected, abs=0.01)
    assert page.locator("#shares details[open]").count() == 1


@pytest.mark.parametrize("width", [400, 1200])
def test_the_page_is_no_wider_than_a_window(review, tmp_path, width):
    page = review(write(html, FILM, tmp_path / "film.html")).without_video().page
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('#shares details').forEach((e) => { e.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_page_of_a_film_without_faces_says_so(review, tmp_path):
    page = review(write(html, make_report(), tmp_path / "film.html")).without_video().page
    assert "No face has a label." in page.inner_text("#shares")
