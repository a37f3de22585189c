"""The review page of films that browsers do not play, and of films that start late."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analyzer.export import html
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport
from tests.support import browser
from tests.support.reports import Face, make_report
from tests.support.squares import write

pytestmark = pytest.mark.acceptance

SIZE = (320, 180)
SOUND = ["-f", "lavfi", "-i", "sine=d=3", "-c:a", "aac"]
FILMS = {
    "hevc.mp4": ["-c:v", "libx265", "-x265-params", "log-level=none", "-tag:v", "hvc1"],
    "prores.mov": ["-c:v", "prores_ks"],
    "asp.mp4": ["-c:v", "mpeg4"],
    "mpeg2.mpg": ["-c:v", "mpeg2video", "-c:a", "mp2"],
}


def film(path: Path, options: list[str], *, duration_s: int = 3) -> Path:
    """A film with sound, of which browsers play only that."""
    picture = ["-f", "lavfi", "-i", f"testsrc2=s={SIZE[0]}x{SIZE[1]}:r=25:d={duration_s}"]
    command = ["ffmpeg", "-v", "error", "-y", *picture, *SOUND, *options, str(path)]
    subprocess.run(command, check=True)
    return path


def report_of(path: Path, *, duration_s: float = 3.0) -> MediaReport:
    faces = [Face(5 * i, i / 5, (10, 10, 60, 60)) for i in range(int(5 * duration_s))]
    return make_report(faces, size=SIZE, duration_s=duration_s, uri=str(path))


@pytest.fixture
def opened(chromium: Any) -> Any:
    """Opens a page, whatever its browser says of files that are missing."""
    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    yield lambda path: browser.Review(context.new_page(), path)
    context.close()


@pytest.mark.parametrize("name", FILMS)
def test_what_the_browser_does_not_play_is_played_as_a_copy(
    name: str, opened: Callable[..., browser.Review], tmp_path: Path
) -> None:
    report = report_of(film(tmp_path / name, FILMS[name]))
    path = write(html, report, tmp_path / "page.html")
    shown = opened(path).playable()
    if name == "hevc.mp4" and shown.page.evaluate("view.player.sources.playing.kind") == "medium":
        pytest.skip("this browser plays HEVC")
    assert "A small copy is played" in shown.text("#playing")
    assert shown.page.is_hidden("#trouble")
    shown.seek(2.0)
    assert shown.time_s == pytest.approx(2.0, abs=0.0011)
    assert shown.page.evaluate("video.videoWidth") == SIZE[0]
    assert shown.boxes().any()
    assert path.stat().st_size < 2e6
    again = write(html, report, tmp_path / "again.html")
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", FILMS)
def test_without_a_copy_it_is_told_what_to_do(
    name: str, opened: Callable[..., browser.Review], tmp_path: Path
) -> None:
    report = report_of(film(tmp_path / name, FILMS[name]))
    exporter = html.create(proxy="never", runtime=Runtime())
    exporter.write(report, tmp_path / "page.html")
    assert exporter.spec_of(tmp_path / "page.html") == "html:proxy=never"
    shown = opened(tmp_path / "page.html")
    shown.page.wait_for_selector("#trouble:not([hidden])")
    assert "make a copy that browsers play: ffmpeg -i IN" in shown.text("#trouble")
    h264 = film(tmp_path / "page.mp4", ["-c:v", "libx264", "-pix_fmt", "yuv420p"])
    shown = opened(tmp_path / "page.html").playable()
    assert "page.mp4 is played, with the boxes" in shown.text("#playing")
    assert not shown.page.is_checked("#show")
    assert h264.exists()


def test_a_film_that_browsers_play_gets_no_copy(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", ["-c:v", "libx264", "-pix_fmt", "yuv420p"])
    plain = write(html, report_of(path), tmp_path / "page.html").read_text()
    assert 'id="copy"' not in plain
    html.create(proxy="always", runtime=Runtime()).write(report_of(path), tmp_path / "b.html")
    assert 'id="copy"' in (tmp_path / "b.html").read_text()


def test_a_film_too_long_for_the_page_is_noted(tmp_path: Path) -> None:
    report = report_of(film(tmp_path / "a.mp4", FILMS["asp.mp4"]), duration_s=7200.0)
    text = write(html, report, tmp_path / "page.html").read_text()
    assert "browsers do not play mpeg4, and a copy of so long a film" in text


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_the_first_seek_in_a_film_that_starts_at_8_s(
    suffix: str, opened: Callable[..., browser.Review], tmp_path: Path
) -> None:
    """Chromium's duration of an MP4 leaves the start out, so that it cuts the seek short."""
    options = ["-an", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-output_ts_offset", "8"]
    path = film(tmp_path / f"late.{suffix}", options, duration_s=60)
    shown = opened(write(html, report_of(path, duration_s=60.0), tmp_path / "page.html"))
    script = "(e, t) => { e.value = t; e.dispatchEvent(new Event('input')); }"
    shown.page.eval_on_selector("#seek", script, 55)
    shown.until("Math.abs(video.currentTime - 63) < 0.03 && !video.seeking")
    shown.settle()
    assert shown.time_s == pytest.approx(55.0, abs=0.0011)
    shown.seek(59.8)
    shown.until("Math.abs(video.currentTime - 67.8) < 0.03 && !video.seeking")
    shown.settle()
    assert shown.time_s == pytest.approx(59.8, abs=0.0011)
