"""The page of identities in a browser: it sorts, filters, and loads nothing from elsewhere."""

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest

from analyzer import registry
from analyzer.collection.identities import Metric


def person(number: int, name: str, age: float | None, views: list[float]) -> dict:
    return {
        "id": number,
        "name": name,
        "portrait": None,
        "sex": "f",
        "age": age,
        "media": len(views),
        "appearances": 1,
        "faces": 10,
        "screen_time_s": 100.0 - number,
        "metrics": [Metric.of(views)],
        "first": "a",
        "last": "b",
        "listed": [{"item": f"film {number}", "link": None, "first_s": 3.0, "screen_time_s": 65.0}],
        "more": 0,
    }


PEOPLE = [
    person(0, "Zoë", 9.0, [100.0]),
    person(1, "", 50.0, []),
    person(2, "ada </script><b>", None, [9.0, 11.0]),
    person(3, "Émile", 100.0, [9.5]),
]


SEXES = {
    "title": "Face time by perceived sex",
    "main": True,
    "corrected": True,
    "rows": [
        {
            "text": "Women: 37 % of face time (95 % interval 31 to 43 %)",
            **{"observed": 0.42, "corrected": 0.37, "low": 0.31, "high": 0.43},
        },
        {
            "text": "Men: 63 % of face time (no interval)",
            **{"observed": 0.58, "corrected": None, "low": None, "high": None},
        },
    ],
}


@pytest.fixture(scope="module")
def page() -> str:
    renderer = registry.module("pages", "collection").create()
    return renderer.render(
        {
            "identities": PEOPLE,
            "metrics": ["views"],
            "total": 4,
            "media": 4,
            "persons": 4,
            "faces": 40,
            "skipped": [],
            "shares": [SEXES],
            "unshared": [("film 9", "damaged")],
            "is_uneven": False,
        }
    )


@pytest.fixture(scope="module")
def shown(chromium: Any, page: str, tmp_path_factory) -> Iterator[tuple[Any, list[str]]]:
    """The page in a browser, and what it complained of and asked for."""
    file = tmp_path_factory.mktemp("page") / "index.html"
    file.write_text(page, encoding="utf-8")
    context = chromium.new_context(color_scheme="dark")
    tab, complaints = context.new_page(), []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("request", lambda request: complaints.append(request.url))
    tab.goto(file.as_uri())
    yield tab, complaints
    context.close()


def order(tab: Any) -> list[int]:
    """The identities that are shown, from top to bottom."""
    rows = tab.query_selector_all("tbody tr:not([hidden])")
    return [int(row.get_attribute("id").removeprefix("identity-")) for row in rows]


@pytest.mark.parametrize(
    ("head", "first", "second"),
    [
        ("person", [2, 3, 0, 1], [0, 3, 2, 1]),  # letters as people sort them, the unnamed last
        ("age", [3, 1, 0, 2], [0, 1, 3, 2]),  # the unknown last
        ("views", [0, 2, 3, 1], [3, 2, 0, 1]),  # 100, 10, 9.5, none
        ("screen time", [3, 2, 1, 0], [0, 1, 2, 3]),  # as it is at first, the most on top
    ],
)
def test_it_sorts_with_mouse_and_keyboard(head, first, second, shown):
    tab, _ = shown
    tab.reload()
    tab.set_default_timeout(10_000)
    button = tab.get_by_role("button", name=head, exact=True)
    button.click()
    assert order(tab) == first
    button.focus()
    tab.keyboard.press("Enter")
    assert order(tab) == second
    sorted_by = tab.query_selector_all("th[aria-sort]")
    assert [heading.inner_text().strip() for heading in sorted_by] == [head]


def test_it_filters(shown):
    tab, _ = shown
    tab.get_by_label("Show names and media with").fill("FILM 3")
    assert order(tab) == [3]
    assert tab.get_by_role("status").inner_text() == "1 of 4"
    tab.get_by_label("Show names and media with").fill("")
    assert len(order(tab)) == 4


def test_it_is_dark_where_the_user_wants_it(shown):
    tab, _ = shown
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", ground))) < 60


def test_it_loads_nothing_and_complains_of_nothing(shown):
    tab, complaints = shown
    assert [text for text in complaints if not text.startswith(("data:", tab.url))] == []


def test_it_asks_nobody_and_names_are_text(page):
    assert not re.search(r"(src|href|url\()=?[\"']?(https?:)?//", page)
    assert "default-src 'none'" in page
    assert html.escape("ada </script><b>") in page
    assert "<b>" not in page


def test_it_can_be_used_without_a_mouse(page):
    heads = re.findall(r"<th scope=\"col\".*?</th>", page)
    assert sum("<button" in head for head in heads) == len(heads) - 1
    assert 'aria-sort="descending"' in page
    assert "<label>" in page
    assert 'role="status"' in page


def test_shares_stand_on_a_line_from_nothing_to_all(shown):
    tab, _ = shown
    places = tab.evaluate(
        """[...document.querySelectorAll('.scale')].map((line) => [...line.children].map((mark) => {
          const { left, width } = line.getBoundingClientRect(), own = mark.getBoundingClientRect();
          return [mark.className, (own.left + own.width / 2 - left) / width, own.width / width];
        }))"""
    )
    assert [[name for name, *_ in marks] for marks in places] == [
        ["span", "observed", "corrected"],
        ["observed"],
    ]
    (_, middle, width), (_, observed, _), (_, corrected, _) = places[0]
    assert (middle, width) == pytest.approx((0.37, 0.12), abs=0.01)
    assert (observed, corrected) == pytest.approx((0.42, 0.37), abs=0.01)
    assert "Women: 37 % of face time (95 % interval 31 to 43 %)" in tab.inner_text("#shares")
