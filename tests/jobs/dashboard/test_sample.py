"""What the dashboard says of the archive while the segments of a sample are analysed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import Peer, opened, serving

EVIL = "<img src=x onerror=alert(1)>"
STATE = {
    "draws": 400,
    "share": 0.376,
    "low": 0.352,
    "high": 0.401,
    "lacks_labels": False,
    "reach": 0.03,
    "can_stop": True,
    "points": [[n, 0.376 - 1.2 / n**0.5 * 0.4, 0.376 + 1.2 / n**0.5 * 0.4] for n in range(2, 401)],
}
ASKED: dict[str, Any] = {}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("sample"), {"good": ""}) as server:
        page = opened(server, sample=lambda: ASKED.get("state"))
        yield page.url
        page.close()


@pytest.fixture(params=[(1200, "light"), (400, "dark")], ids=["wide", "narrow"])
def page(request: pytest.FixtureRequest, chromium: Any) -> Iterator[Any]:
    width, scheme = request.param
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    yield context.new_page()
    context.close()


def says(page: Any, url: str, state: Any) -> str:
    ASKED["state"] = state
    page.goto(url)
    page.wait_for_selector("body[data-ready]")
    if state is None:
        return ""
    page.wait_for_selector("#sample:not([hidden])")
    return str(page.inner_text("#sample-says"))


def test_share_interval_and_chart(page: Any, url: str) -> None:
    page.wait_for_timeout(1100)  # a status is reused for a second
    text = says(page, url, STATE)
    assert "37.6 % women" in text
    assert "at all times 35.2 % to 40.1 %, after 400 draws" in text
    assert "Plus or minus 3.00 points: one can stop." in text
    chart = page.locator("#sample-chart svg")
    assert str(chart.get_attribute("aria-label")).endswith("to 35.2 % to 40.0 % after 400")
    assert chart.locator("path.band").bounding_box()["width"] > 200
    assert chart.locator("line.wanted").count() == 2
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_not_yet_and_no_wish(page: Any, url: str) -> None:
    page.wait_for_timeout(1100)
    text = says(page, url, {**STATE, "can_stop": False, "reach": 0.01, "error": EVIL})
    assert "Go on: 2.45 points, wanted 1.00." in text
    assert EVIL in text
    page.wait_for_timeout(1100)
    assert "Go on" not in says(page, url, {**STATE, "reach": None, "can_stop": False})


def test_before_the_first_draw_and_without_a_sample(page: Any, url: str) -> None:
    page.wait_for_timeout(1100)
    none = {**STATE, "draws": 0, "share": None, "points": []}
    assert "No draw has its results yet" in says(page, url, none)
    assert page.locator("#sample-chart").is_hidden()
    page.wait_for_timeout(1100)
    says(page, url, None)
    assert page.locator("#sample").is_hidden()


def test_draws_without_a_label_say_what_lacks(page: Any, url: str) -> None:
    page.wait_for_timeout(1100)
    none = {**STATE, "draws": 12, "share": None, "points": []}
    text = says(page, url, {**none, "lacks_labels": True})
    assert text == (
        "12 draws have results, but no face has a label for sex: the analysis needs "
        "--attributes sex."
    )
    page.wait_for_timeout(1100)
    assert says(page, url, none) == "12 draws have results, but no face is seen in them."


def test_other_joblists_have_none(tmp_path: Path) -> None:
    with serving(tmp_path, {"good": ""}) as server:
        page = opened(server)
        assert Peer(page).get("/api/status")["sample"] is None
        page.close()
