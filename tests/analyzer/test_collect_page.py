"""The page of identities in a browser: it sorts, filters, and asks nobody for anything."""

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from analyzer import registry
from analyzer.collect.identities import Metric

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")


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


@pytest.fixture(scope="module")
def page() -> str:
    made = registry.module("review", "collection").create()
    return made.render(
        {
            "identities": PEOPLE,
            "metrics": ["views"],
            "total": 4,
            "media": 4,
            "persons": 4,
            "faces": 40,
            "skipped": [],
        }
    )


def order(page: str, folder: Path, script: str) -> list[int]:
    """The identities that are shown, from top to bottom, after a script has run in the page."""
    if BROWSER is None:
        pytest.skip("no chromium")
    file = folder / "page.html"
    file.write_text(page.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={folder / 'profile'}", f"file://{file}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=100)
    body = done.stdout.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = re.findall(r'<tr id="identity-(\d+)"([^>]*)>', body)
    return [int(number) for number, rest in rows if "hidden" not in rest]


def click(*columns: int) -> str:
    every = "document.querySelectorAll('thead th')"
    return ";".join(f"{every}[{column}].querySelector('button').click()" for column in columns)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("", [0, 1, 2, 3]),
        (click(1), [2, 3, 0, 1]),  # by name: letters as people sort them, the unnamed last
        (click(3), [3, 1, 0, 2]),  # by age, oldest first; the unknown last
        (click(3, 3), [0, 1, 3, 2]),
        (click(8), [0, 2, 3, 1]),  # by mean views: 100, 10, 9.5, none
        (click(7), [3, 2, 1, 0]),  # it was sorted by screen time, the most first
        (
            "filter.value = 'FILM 3'; filter.dispatchEvent(new Event('input'))",
            [3],
        ),
    ],
)
def test_it_sorts_and_filters(script, expected, page, tmp_path):
    assert order(page, tmp_path, script) == expected


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
