"""The page to review a video, as a file."""

import os
import re

import pytest

from analyzer.errors import ResourceError, UsageError
from analyzer.export import _page_data, html
from analyzer.inference.runtime import Runtime
from tests.support.reports import NAN, Face, make_report
from tests.support.squares import WEIRD, filmed, write


def test_the_video_is_linked_from_where_the_page_lies(weird_folder):
    addresses = _page_data.links(str(weird_folder / "a #?%41.mp4"), weird_folder.parent / "out")
    assert re.fullmatch(r"[\w.~/%-]+", addresses[0])
    assert addresses[0].startswith("../a%20b%27s")
    assert addresses[1] == "./a%20%23%3F%2541.mp4"
    assert _page_data.links("film.mp4", weird_folder.cwd()) == ["./film.mp4"]


def test_a_name_that_is_no_utf8(tmp_path):
    name = os.fsdecode(b"\xff.mp4")
    page = write(html, make_report(uri=name), tmp_path / "a.html").read_text(encoding="utf-8")
    assert "/%FF.mp4" in page


def test_nothing_in_a_name_ends_an_element(tmp_path):
    report = make_report([Face(0, 0.0, (0, 0, 9, 9))], names={0: WEIRD}, uri=f"{WEIRD[:9]}.mp4")
    page = write(html, report, tmp_path / "a.html").read_text(encoding="utf-8")
    assert page.lower().count("</script>") == 3
    assert "<b>" not in page
    assert "<!--" not in page


def test_the_file_names_no_address_but_the_video(tmp_path):
    film = write(html, filmed(tmp_path), tmp_path / "film.html")
    addresses = set(re.findall(r"https?://[^\s\"'<]+", film.read_text(encoding="utf-8")))
    assert addresses == {"http://www.w3.org/2000/svg"}


def test_equal_reports_give_equal_bytes(tmp_path):
    report = filmed(tmp_path)
    first, second = (write(html, report, tmp_path / name).read_bytes() for name in "ab")
    assert first == second


def test_the_packed_rows_are_those_of_the_report():
    faces = [Face(i, i / 3, (i, 2, i + 90, 70), track=i % 2, detect_conf=NAN) for i in range(4)]
    columns = _page_data.rows(make_report(faces))
    assert columns["time"].tolist() == [0, 1 / 3, 2 / 3, 1]
    assert columns["x2"].tolist() == [90, 91, 92, 93]
    assert not columns["detected"].any()
    form, _ = _page_data.pack(columns)
    assert form[0] == ("time", "f8", 4)


def test_progress_is_told_while_portraits_are_looked_for(tmp_path):
    steps = []
    html.create(runtime=Runtime()).write(filmed(tmp_path), tmp_path / "a.html", steps.append)
    assert [(step.done, step.total) for step in steps] == [(1, 3), (2, 3), (3, 3)]


def test_stills_and_unwritable_folders_are_refused(tmp_path):
    with pytest.raises(UsageError, match="for html you need a video"):
        write(html, make_report(kind="image"), tmp_path / "a.html")
    with pytest.raises(ResourceError, match="cannot be written"):
        write(html, make_report(), tmp_path / "nowhere" / "a.html")
