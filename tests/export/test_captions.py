"""Captions in Chromium, beside a film with stamps that begin at 8 s."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from analyzer import registry
from analyzer.inference.runtime import Runtime
from analyzer.stages.decode import video
from tests.support import media
from tests.support.reports import Face, make_report

ASKED = """async () => {
    const track = document.querySelector("track").track, seen = [];
    const film = document.querySelector("video");
    track.mode = "showing";
    track.oncuechange = () => seen.push([film.currentTime, track.activeCues.length]);
    await film.play();
    await new Promise((done) => { film.onended = done; setTimeout(done, 15000); });
    return seen;
}"""
BOX = (10, 20, 110, 140)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of the folder: a browser reads no captions from a file."""
    handler = partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Quiet(SimpleHTTPRequestHandler):
    """Answers, and prints nothing."""

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.mark.parametrize("name", ["film.mp4", "film.webm"])
def test_a_browser_counts_the_stamps_of_the_file(name, served, chromium, tmp_path) -> None:
    """`origin=media` shows the caption a second after the start; `player` never shows it."""
    source = ("-f", "lavfi", "-i", "testsrc=size=160x120:rate=25:duration=3", "-pix_fmt", "yuv420p")
    media.ffmpeg(*source, "-output_ts_offset", "8", tmp_path / name)
    with video.create(runtime=Runtime()).open(str(tmp_path / name)) as medium:
        info = medium.info
    assert abs(info.start_s - 8) < 0.1
    report = make_report([Face(25, 1.0, BOX, duration_s=1.0)])
    report = replace(report, info=replace(report.info, start_s=info.start_s))
    seen = {}
    page = chromium.new_page()
    for origin in ("media", "player"):
        exporter = registry.load("export", f"vtt:origin={origin}", runtime=Runtime())
        exporter.write(report, tmp_path / f"{origin}.vtt")
        text = f"<video muted src={name}><track default src={origin}.vtt></video>"
        (tmp_path / f"{origin}.html").write_text(text)
        page.goto(f"{served}/{origin}.html")
        seen[origin] = [round(time, 1) for time, count in page.evaluate(ASKED) if count]
    page.close()
    assert seen == {"media": [pytest.approx(info.start_s + 1, abs=0.2)], "player": []}
