"""The page in a browser: a hundred faces by keyboard, by mouse, two raters, nothing lost."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from analyzer.__main__ import main
from analyzer.audit import audit_file, labels
from tests.support import browser
from tests.support.reports import Somebody, audited_report, save
from tests.support.servers import table

PEOPLE = [Somebody("f", 3)] * 40 + [Somebody("m", 3)] * 60
FACE = "audit.order[audit.at].face"
SHOWN = "document.querySelector('#done').hidden"
Opened = Callable[..., browser.Review]


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a film of 100 people, its results, audit.json and audit.html."""
    folder = tmp_path_factory.mktemp("page")
    source = ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=4"]
    command = ["ffmpeg", "-v", "error", "-y", *source, "-c:v", "libx264", "-pix_fmt", "yuv420p"]
    subprocess.run([*command, str(folder / "clip.mp4")], check=True)
    results = save(folder / "results", [audited_report(PEOPLE, uri=str(folder / "clip.mp4"))])
    drawn, page = str(folder / "audit.json"), str(folder / "audit.html")
    assert main(["audit", "draw", str(results), "-o", drawn]) == 0
    assert main(["audit", "page", drawn, "-o", page]) == 0
    return folder


@pytest.fixture
def opened(chromium: Any, audit: Path) -> Iterator[Opened]:
    """Opens the page, each time in the same browser with the same storage."""
    pages: list[browser.Review] = []
    context = chromium.new_context(accept_downloads=True)

    def start(width: int = 1100, height: int = 720, **options: Any) -> browser.Review:
        pages.append(browser.Review(context.new_page(), audit / "audit.html"))
        pages[-1].page.set_viewport_size({"width": width, "height": height})
        if options:
            pages[-1].page.emulate_media(**options)
        return pages[-1]

    yield start
    context.close()
    assert [error for page in pages for error in page.errors] == []
    addresses = [address for page in pages for address in page.requests]
    assert [a for a in addresses if not a.startswith(("file:", "blob:", "data:"))] == []


def begin(shown: browser.Review, rater: str) -> None:
    shown.page.fill("#name", rater)
    shown.page.keyboard.press("Enter")


def truth(folder: Path) -> dict[int, str]:
    """Of the faces seen as women's, 30 are; of the others 5 are."""
    faces = audit_file.read(folder / "audit.json").faces
    women = [face.face for face in faces if face.predicted["sex"] == 0]
    men = [face.face for face in faces if face.predicted["sex"] == 1]
    are_women = women[:30] + men[:5]
    return {face.face: "f" if face.face in are_women else "m" for face in faces}


def label(shown: browser.Review, keys: dict[int, str], *, most: int = 200) -> None:
    """Press the keys of each face that comes, until none is left."""
    for _ in range(most):
        if not shown.page.evaluate(SHOWN):
            return
        for key in keys[shown.page.evaluate(FACE)]:
            shown.page.keyboard.press(key)


def download(shown: browser.Review, path: Path, kind: str = "csv") -> Path:
    with shown.page.expect_download() as started:
        shown.page.click(f"footer [data-save={kind}]")
    started.value.save_as(path)
    return path


def test_a_hundred_faces_by_keyboard_change_the_shares(opened, audit, tmp_path, capsys):
    """From the keys to the correction, as computed by hand."""
    keys = {face: sex + "3" for face, sex in truth(audit).items()}
    shown = opened()
    begin(shown, "Ada")
    label(shown, keys, most=57)
    shown.page.reload()
    shown.page.wait_for_selector("body[data-ready]")
    assert shown.text("#count") == "57 of 100 labelled"
    label(shown, keys)
    assert shown.text("#end") == "All 100 faces have labels"
    labelled = download(shown, tmp_path / "ada.csv")
    assert len(table(labelled)) == 100
    capsys.readouterr()
    words = ["audit", "report", str(audit / "audit.json"), str(labelled)]
    assert main([*words, "--write", str(tmp_path / "confusion.json")]) == 0
    shares = json.loads((tmp_path / "confusion.json").read_text())["report"]["heads"]["sex"]
    # All were drawn: 40 are seen as women's, 10 of these wrongly, and 5 of the others are.
    assert shares["shares"][0]["predicted"] == pytest.approx(0.4)
    assert shares["shares"][0]["share"] == pytest.approx(0.4 + (5 - 10) / 100)
    assert shares["confusion"] == [[30, 5], [10, 55]]
    told = " ".join(capsys.readouterr().out.split())
    assert "│ all │ 15 of 100 │ 15.0 (9.3 to 23.3) │ 15.0 (9.3 to 23.3) │" in told
    report = str(audit / "results" / "film0.report.zip")
    spec = f"shares:confusion={tmp_path / 'confusion.json'}"
    assert main(["export", report, "-o", str(tmp_path), "--export", spec]) == 0
    row = table(tmp_path / "film0.shares.csv")[0]
    # No shipped table: half a face is added to each of ten cells.
    (a0, a9), (b0, b9) = (30.5 / 40, 5.5 / 40), (10.5 / 70, 55.5 / 70)
    d0, d9 = a0 - b0, a9 - b9
    by_hand = -(40 * d0 * b9 + 60 * d9 * b0) / (100 * d0 * d9)
    assert float(row["corrected"]) == pytest.approx(by_hand, abs=1e-4)


def test_two_raters_are_blind_and_have_orders_of_their_own(opened, audit, tmp_path, capsys):
    sexes = truth(audit)
    files, orders = [], []
    for rater in ("Ada", 'Ben, "B"'):
        shown = opened()
        if rater != "Ada":
            shown.page.click("#who")
        begin(shown, rater)
        assert shown.text("#count") == "0 of 100 labelled"
        orders.append(shown.page.evaluate("audit.order.map((face) => face.face)"))
        other = {n: {"f": "m", "m": "f"}[s] if rater != "Ada" and n <= 10 else s
                 for n, s in sexes.items()}  # fmt: skip
        label(shown, {face: sex + "3" for face, sex in other.items()})
        files.append(download(shown, tmp_path / f"{len(files)}.json", "json"))
    assert sorted(orders[0]) == sorted(orders[1]) != orders[0] != orders[1]
    told = shown.page.evaluate("[...new Set(facts.faces.flatMap((face) => Object.keys(face)))]")
    assert sorted(told) == ["box", "face", "jpeg"]
    assert "clip.mp4" not in (audit / "audit.html").read_text()
    drawn = audit_file.read(audit / "audit.json")
    assert labels.read(files[1], drawn).rater == 'Ben, "B"'
    capsys.readouterr()
    assert main(["audit", "report", str(audit / "audit.json"), *map(str, files)]) == 0
    shown_text = capsys.readouterr()
    assert "the raters agree on 90 of 100, kappa 0." in shown_text.out
    assert "do not agree on faces 1, 2, 3, 4, 5, 6, 7, 8, 9, 10: left out" in shown_text.err
    shown = opened()
    shown.page.click("#who")
    shown.page.click("text=Go on as Ada")
    assert shown.text("#count") == "100 of 100 labelled"


@pytest.mark.parametrize("width", [400, 1100])
def test_every_action_by_mouse(opened, width):
    shown = opened(width, 780)
    begin(shown, "Eve")
    page = shown.page
    first = page.evaluate(FACE)
    page.click("[data-head=sex] [data-label=f]")
    assert page.get_attribute("[data-head=sex] [data-label=f]", "aria-pressed") == "true"
    assert page.evaluate(FACE) == first
    page.click("[data-head=age] [data-label='60 and over']")
    second = page.evaluate(FACE)
    page.click("#skip")
    third = page.evaluate(FACE)
    assert len({first, second, third}) == 3
    page.click("#none")
    page.click("#back")
    assert page.evaluate(FACE) == third
    assert page.get_attribute("#none", "aria-pressed") == "true"
    # A change of what was complete waits for all of it.
    page.click("[data-head=sex] [data-label=m]")
    page.click("[data-head=age] [data-label=u]")
    assert shown.text("#count") == "2 of 100 labelled"
    for _ in range(5):
        page.click("#undo:not([disabled])")
    assert page.is_disabled("#undo")
    assert shown.text("#count") == "0 of 100 labelled"
    overflow = "document.documentElement.scrollWidth - innerWidth"
    assert page.evaluate(overflow) <= 0
    assert page.evaluate("document.querySelector('#undo').getBoundingClientRect().bottom") <= 780


def test_the_same_keys_do_all(opened):
    shown = opened()
    begin(shown, "Kay")
    press, at = shown.page.keyboard.press, lambda: shown.page.evaluate(FACE)
    first = at()
    press("u")
    press("0")
    press("s")
    press("x")
    assert shown.text("#count") == "2 of 100 labelled"
    press("z")
    press("ArrowLeft")
    press("Backspace")
    assert at() == first
    press("ArrowRight")
    assert at() != first
    kept = shown.page.evaluate("audit.labels")
    assert kept == {str(first): {"sex": "u", "age": "u"}}


def test_the_next_rater_of_another_window_is_seen(opened):
    """Two windows of one rater: what one keeps counts in the other, too."""
    one = opened()
    begin(one, "Two")
    other = opened()
    other.page.keyboard.press("f")
    other.page.keyboard.press("3")
    one.until("document.querySelector('#count').textContent === '1 of 100 labelled'")


def test_dark_and_light(opened):
    grounds = []
    for scheme in ("light", "dark"):
        shown = opened(color_scheme=scheme)
        grounds.append(shown.page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(255, 255, 255)", "rgb(20, 25, 30)"]


def test_labels_of_another_audit_are_refused(audit, tmp_path, capsys):
    path = tmp_path / "other.csv"
    path.write_text("audit,rater,face,sex,age\n0123,ada,1,f,20 to 39\n")
    words = ["audit", "report", str(audit / "audit.json"), str(path)]
    assert main(words) == 1
    assert "these are labels of another audit" in capsys.readouterr().err
    own = audit_file.read(audit / "audit.json").identifier
    for row, message in (
        (f"{own},ada,999,f,u", "face 999 is not in the audit"),
        (f"{own},ada,1,w,u", "sex 'w' is no label"),
        (f"{own},ada,1,f,u\n{own},ada,1,m,u", "face 1 is not in the audit, or is labelled twice"),
        (f"{own},ada,1,f,u\n{own},ben,2,m,u", "labels of ada and of ben: one a file"),
    ):
        path.write_text(f"audit,rater,face,sex,age\n{row}\n")
        assert main(words) == 1
        assert message in capsys.readouterr().err
