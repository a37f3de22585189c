"""What a notebook shows: a line, a table with portraits, a player."""

import base64
import dataclasses
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from analyzer import player, read
from analyzer.errors import InputError, UsageError
from analyzer.types import MediaReport
from tests.support.media import ffmpeg
from tests.support.reports import Face, make_report

RICH = "<b>\"A\" & 'B'</script>"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "a <film>.mp4"
    source = ("-f", "lavfi", "-i", "color=gray:s=400x250:d=3:r=10")
    ffmpeg(*source, "-c:v", "libx264", "-pix_fmt", "yuv420p", path)
    return path


def shown(uri: str) -> MediaReport:
    faces = [
        Face(0, 0.0, (100, 50, 200, 150), track=0),
        Face(10, 1.0, (300, 50, 400, 150), track=1, duration_s=1.0),
    ]
    return make_report(faces, names={0: RICH}, uri=uri, duration_s=3.0, size=(400, 250))


def test_a_report_is_one_line(film: Path) -> None:
    assert repr(shown("clip.mp4")) == "<MediaReport clip.mp4: 2 persons, 2 faces, 3.0 s>"


def test_a_table_has_portraits_and_escaped_names(film: Path) -> None:
    html = shown(str(film))._repr_html_()
    assert html is not None
    assert "<b>" not in html
    assert "</script>" not in html
    assert "&lt;b&gt;&quot;A&quot; &amp; &#x27;B&#x27;" in html
    assert "a &lt;film&gt;.mp4: 2 persons, 2 faces, 3.0 s" in html
    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', html)
    assert len(pictures) == 2
    assert all(base64.b64decode(picture).startswith(b"\xff\xd8") for picture in pictures)
    assert len(html) < 20_000


def test_a_table_of_many_says_how_many_more() -> None:
    faces = [Face(i, float(i), (0, 0, 50, 50), track=i) for i in range(40)]
    html = make_report(faces, uri="gone.mp4", duration_s=40)._repr_html_()
    assert html is not None
    assert html.count("<tr>") == 31
    assert "and 10 more persons" in html
    assert "<img" not in html, "the medium is gone"


def test_pandas_is_not_needed() -> None:
    code = (
        "import sys; sys.modules['pandas'] = None\n"
        "import analyzer.api\n"
        "from tests.support.reports import Face, make_report\n"
        "print(len(make_report([Face(0, 0.0, (0, 0, 9, 9))])._repr_html_()) > 100)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_a_player_is_small_and_holds_all(film: Path) -> None:
    shown_part = player(shown(str(film)), start=0.5, stop=2.5, width=320)
    assert repr(shown_part) == "<Player a <film>.mp4, 0.5 to 2.5 s>"
    frame = shown_part._repr_html_()
    assert len(frame) < 100_000
    page = unescape(re.search(r'srcdoc="([^"]+)"', frame)[1])
    assert page == shown_part.html
    assert "http" not in page
    assert '"samples":[[1.0,1.0,[300,50,400,150],1,"person 1"]]' in page
    video = base64.b64decode(re.search(r"video/mp4;base64,([^\"]+)", page)[1])
    assert b"ftyp" in video[:12]


def test_a_name_ends_no_script(film: Path) -> None:
    assert player(shown(str(film))).html.count("</script>") == 2


def test_what_cannot_be_shown(film: Path, tmp_path: Path) -> None:
    report = shown(str(film))
    for part in ({"start": 3.0}, {"start": -1.0}, {"start": 2.0, "stop": 1.0}):
        with pytest.raises(UsageError, match="shows nothing"):
            player(report, **part)
    with pytest.raises(InputError, match=r"gone\.mp4"):
        player(shown("gone.mp4"))
    with pytest.raises(UsageError, match="shows nothing"):
        player(make_report([Face(0, 0.0, (0, 0, 9, 9))], kind="image"))
    hidden = {"options": {**report.provenance["options"], "anonymise": "all"}}
    with pytest.raises(UsageError, match="faces are to be hidden"):
        player(dataclasses.replace(report, provenance=hidden))
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile /etc/passwd\n")
    with pytest.raises(InputError, match="no part of it can be copied"):
        player(shown(str(tmp_path / "list.mp4")))
    with pytest.raises(InputError):
        read(tmp_path / "list.mp4")


def test_a_browser_draws_the_boxes(chromium, film: Path, tmp_path: Path) -> None:
    page = chromium.new_context(viewport={"width": 700, "height": 500}).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    (tmp_path / "a.html").write_text(player(shown(str(film)), width=640)._repr_html_())
    page.goto((tmp_path / "a.html").as_uri())
    inner = page.frames[1]
    inner.wait_for_function("document.querySelector('video').readyState >= 1")
    assert inner.evaluate("document.querySelector('video').videoWidth") == 400

    def drawn(x: int, y: int) -> bool:
        pen = "document.querySelector('canvas').getContext('2d')"
        code = f"{pen}.getImageData({x}, {y}, 1, 1).data[3]"
        page.wait_for_timeout(200)
        return bool(inner.evaluate(code))

    assert drawn(100, 100)
    assert not drawn(300, 100)
    inner.evaluate("document.querySelector('video').currentTime = 1.5")
    inner.wait_for_function("document.querySelector('video').currentTime == 1.5")
    assert drawn(300, 100)
    assert not drawn(100, 100)
    assert errors == []
