"""The dashboard of 100,000 jobs in a browser: quick, honest about failures, safe to operate."""

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from analyzer.export import html
from joblist.model import JobSpec
from jobs.dashboard.page import Dashboard
from jobs.ledger.imports import import_jobs
from jobs.ledger.ledger import Ledger
from jobs.ledger.store import Store
from jobs.retry import Timing
from jobs.server.roster import Demands
from jobs.server.server import JobServer
from jobs.server.service import JobService
from jobs.types import Manifest, PartFile
from jobs.wire.transport import Access
from tests.support.processes import until
from tests.support.servers import opened, published, serving, working
from tests.support.squares import filmed, write

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]

JOBS = 100_000
DONE = range(50_000, 90_000)
SPEED = 25.0
"""Of both workers: seconds of media a second, as they tell; see tests.support.tasks."""
REPEATED = 10
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
WORDS = ("news", "parade", "harbour", "interview", "match", "opening", "weather", "gala")
EVIL = '<img src=x onerror=document.title="owned">.mp4'


def specs(folder: Path) -> Iterator[JobSpec]:
    """A broken file, one with an evil name, and an archive."""
    (folder / "media").mkdir()
    for line in range(2, JOBS + 2):
        name = f"{1930 + line % 90}/{WORDS[line % 8]}_{line:06}.mxf"
        sleeps = ""
        if line == 2:
            name, sleeps = "broken.mp4", "input not a video that can be read (end of file)"
        elif line == 3:
            name, sleeps = EVIL, "transient x"
        elif line < 12:
            name, sleeps = f"1929/newsreel {line:02}.mxf", f"observe {300 + 40 * line}"
        source = folder / "media" / name
        if sleeps:
            source.parent.mkdir(exist_ok=True)
            source.write_text(sleeps)
        dests = {kind: f"{folder}/out/{name}.{kind}" for kind in ("csv", "html")}
        yield JobSpec(source_path=str(source), dests=dests, line=line)


def age(store: Store, folder: Path) -> float:
    """Let two workers have done much of the archive, and some of it have failed.

    Returns:
        How long that took.
    """
    rng = random.Random(1)
    with store.transaction() as db:
        done, ends, took_s = [], [], 0.0
        for number in DONE:
            csv = f"{folder}/out/{number}.csv"
            file = PartFile(part=f"{csv}.part.{number}.1", path=csv, sha256="0" * 64, size=10)
            media_s = rng.uniform(20, 200)
            manifest = Manifest(files={"csv": file}, statistics={"media_s": media_s})
            done.append((json.dumps(manifest.to_dict()), number))
            # For some hours, one of them was away.
            speed = SPEED / 2 if 0.65 < (number - DONE[0]) / len(DONE) < 0.7 else SPEED
            took_s += media_s / speed * rng.uniform(0.5, 1.5)
            ends.append(took_s)
        began = time.time() - took_s
        events = [(began + s, n, "h:1:a", "done") for s, n in zip(ends, DONE, strict=True)]
        query = "UPDATE job SET state = 'done', token = 1, epoch = 1, manifest = ? WHERE id = ?"
        db.executemany(query, done)
        db.executemany("INSERT INTO event(t_wall, job, worker, what) VALUES(?, ?, ?, ?)", events)
        db.execute(
            "UPDATE job SET state = 'failed', err_kind = 'input', err = 'moov atom not found: is"
            " the copy complete?' WHERE id > 99000 AND id % 13 = 0"
        )
        # Those of which there are files come first, the broken one before all.
        db.execute(
            "UPDATE job SET length = CASE WHEN id <= 10 THEN 4000 - id"
            " ELSE 20 + (id * 7919) % 180 END"
        )
    return took_s


class Shown:
    """A server, workers on it, and its dashboard."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "jobs.ledger")
        self.ledger = Ledger(self.store)
        import_jobs(self.ledger, specs(folder), options_digest="o")
        self.service = JobService(
            self.ledger,
            options={},
            options_digest="o",
            demands=Demands(program="1"),
            timing=Timing(6.0),
        )
        self.server = JobServer(self.service, host="localhost", port=0)
        self.server.start()
        self.page = Dashboard(
            self.service,
            self.ledger,
            host="localhost",
            port=0,
            access=Access(),
            title="newsreels.csv",
        )
        # As if this server had been there from the beginning.
        took_s = age(self.store, folder)
        self.page._board._began -= took_s
        self.page._board._estimate._began -= took_s

    def close(self) -> None:
        self.page.close()
        self.server.stop()
        self.store.close()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    archive = Shown(tmp_path_factory.mktemp("archive"))
    try:
        with working(archive.server.uri, device="cuda:0"), working(archive.server.uri):
            until(
                lambda: len(archive.service._book.held()) == 2 and failed(archive, 1), within_s=60
            )
            yield archive
    finally:
        archive.close()


def failed(shown: Shown, number: int) -> bool:
    query = "SELECT state = 'failed' FROM job WHERE id = ?"
    return shown.store.read(lambda db: bool(db.execute(query, (number,)).fetchone()[0]))


@pytest.fixture
def open_page(chromium: Any, shown: Shown) -> Iterator[Callable[..., Any]]:
    """Opens the dashboard; no script may fail, and nothing else be asked than the server."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def opened(**options: Any) -> Any:
        contexts.append(chromium.new_context(viewport={"width": 1360, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda r: r.url.startswith(shown.page.url) or complaints.append(r.url))
        page.goto(shown.page.url)
        page.wait_for_selector("body[data-ready]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def search(page: Any, text: str) -> float:
    """Type, and return the milliseconds until the answer stands there, without the typing pause."""
    return float(
        page.evaluate(
            """async (text) => {
                const box = document.getElementById("search");
                const rows = document.querySelector("#jobs tbody");
                box.value = text;
                const began = performance.now();
                box.dispatchEvent(new Event("input"));
                while (!rows.dataset.shown.endsWith(" " + text)) {
                    await new Promise((resolve) => requestAnimationFrame(resolve));
                }
                return performance.now() - began - 120;
            }""",
            text,
        )
    )


def test_it_paints_within_a_second_and_finds_within_a_fifth(open_page):
    # The best of some, here and below: other programs on the machine only make it slower.
    pages = [open_page() for _ in range(5)]
    paints = [float(page.evaluate(PAINTED)) for page in pages]
    for page in pages[1:]:
        page.close()
    page = pages[0]
    assert "100,000 jobs" in page.text_content("#sum")
    times = {}
    for text in ("harbour_050002", "1987", "gala mxf", "moov atom", "nowhere", "HARBOUR_0999"):
        times[text] = min(search(page, "") and search(page, text) for _ in range(REPEATED))
    print(f"load {os.getloadavg()[0]:.1f}, first paint in ms: {[round(ms) for ms in paints]}")
    print("search in ms:", {text: round(ms) for text, ms in times.items()})
    search(page, "harbour_050002")
    assert page.locator("#jobs tbody tr").count() == 1
    search(page, "nowhere")
    assert page.is_visible("#none")
    search(page, "")
    assert page.locator("#jobs tbody tr").count() == 100
    page.click("#more")
    # A text to evaluate again and again would need eval, which the page's policy forbids.
    page.locator("#jobs tbody tr:nth-child(200)").wait_for(state="attached")
    assert min(paints) < 1000
    assert max(times.values()) < 200


@pytest.mark.parametrize("group", ["done", "running", "failed", "to do", "cancelled"])
def test_each_group_is_listed_quickly(open_page, shown, group):
    page = open_page()
    url = f"/api/jobs?group={group}&limit=100"
    ms = page.evaluate(
        """async (url) => {
            let best = 1e9;
            for (let n = 0; n < 3; n++) {
                const began = performance.now();
                await (await fetch(url)).json();
                best = Math.min(best, performance.now() - began);
            }
            return best;
        }""",
        url,
    )
    print(f"{group}: {ms:.0f} ms")
    assert ms < 200


def test_a_broken_file_shows_its_reason_and_comes_back_with_the_token(open_page, shown):
    page = open_page()
    row = page.locator("tr[data-job='1']")
    page.click("[data-group=failed]")
    row.wait_for()
    assert "input: not a video that can be read (end of file)" in row.text_content()
    row.locator("[data-verb=retry]").click()
    until_text(page, "#said", "the operator's token is missing")
    page.fill("#token", "guessed-guessed-guessed")
    row.locator("[data-verb=retry]").click()
    until_text(page, "#said", "the operator's token is wrong")
    assert failed(shown, 1)
    page.fill("#token", shown.page.token_file.read_text().strip())
    shown.service.paused = True
    row.locator("[data-verb=retry]").click()
    until_text(page, "#said", "job 1 is to be tried again")
    assert not failed(shown, 1)
    until_text(page, "#trouble", "No jobs are handed out: paused")
    page.click("[data-group='to do']")
    page.wait_for_selector("tr[data-job='1'] [data-verb=cancel]:visible")
    row.locator("[data-verb=cancel]").click()
    until_text(page, "#said", "job 1 is cancelled")
    shown.service.paused = False


def until_text(page: Any, selector: str, text: str) -> None:
    page.locator(selector, has_text=text).wait_for(timeout=5000)


def test_names_are_text(open_page):
    page = open_page()
    search(page, "onerror")
    assert EVIL in page.text_content("#jobs tbody tr:first-child .name")
    assert page.locator("img").count() == 0
    assert "owned" not in page.title()


def test_it_works_without_a_mouse(open_page):
    page = open_page()
    page.keyboard.press("/")
    page.keyboard.type("broken")
    page.wait_for_selector("tr[data-job='1']")
    focused = []
    for _ in range(12):
        page.keyboard.press("Tab")
        focused.append(
            page.evaluate("document.activeElement.id || document.activeElement.dataset.verb")
        )
    assert {"token", "retry-failed", "retry"} <= set(focused)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures(open_page, shown, scheme, tmp_path, request):
    """Kept for a look; `--basetemp` says where."""
    page = open_page(color_scheme=scheme)
    page.click("[data-group=failed]")
    page.wait_for_timeout(2500)
    page.screenshot(path=str(tmp_path / f"dashboard-{scheme}.jpg"), type="jpeg", quality=70)
    contrast = page.evaluate(
        """() => {
            const light = (c) => { const p = c.match(/[\\d.]+/g).slice(0, 3).map((v) => {
                v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
                return 0.2126 * p[0] + 0.7152 * p[1] + 0.0722 * p[2]; };
            const ground = light(getComputedStyle(document.body).backgroundColor);
            const texts = document.querySelectorAll("th, td, dt, dd, .folder, figcaption");
            return Math.min(...[...texts].map((e) => {
                const ink = light(getComputedStyle(e).color);
                return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05); }));
        }"""
    )
    assert contrast >= 4.5


def test_a_review_plays_its_video_and_has_no_part_in_the_dashboard(chromium, tmp_path):
    """The tab that a click opens shows boxes and video, in a sandbox."""
    report = filmed(tmp_path)
    film = write(html, report, tmp_path / "film.html")
    errors: list[str] = []
    with serving(tmp_path / "server", {"a": ""}) as server:
        published(server, 1, page=film, source=Path(report.info.uri))
        board = opened(server)
        page = chromium.new_page()
        page.goto(board.url)
        with page.context.expect_page() as popup:
            page.click("tr[data-job='1'] a")
        review = popup.value
        review.on("pageerror", lambda error: errors.append(str(error)))
        review.wait_for_selector("body[data-ready]")
        deadline = time.monotonic() + 20
        while review.evaluate("document.getElementById('video').readyState") < 2:
            assert time.monotonic() < deadline, review.text_content("#trouble")
            review.wait_for_timeout(50)
        assert review.evaluate("window.origin") == "null"
        reach = "fetch('/api/status').then(() => 'reached', () => 'refused')"
        assert review.evaluate(reach) == "refused"
        review.locator("#play").click()
        review.wait_for_timeout(500)
        review.keyboard.press("Space")
        review.close()
        board.close()
    assert errors == []
