"""Joblists, right and wrong."""

import os
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from joblist import clashes
from joblist.errors import JoblistError
from joblist.model import JobSpec, Rows
from jobs.inputs import joblist
from jobs.ledger.store import default_path, files_of
from tests.support.jobs import EXPORTERS

WEIRD = ["spa ce.mp4", "quo'te\".mp4", "com,ma.mp4", "ümläut 漢字.mp4", "-dash.mp4", "$(x);&.mp4"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(content: str | bytes) -> list[JobSpec]:
    Path("jobs.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    return list(joblist.read("jobs.csv", exporters=EXPORTERS))


def problems(content: str | bytes) -> list[tuple[int, str]]:
    with pytest.raises(JoblistError) as caught:
        read(content)
    return [tuple(problem) for problem in caught.value.problems]


def test_every_column(folder: Path) -> None:
    (spec,) = read(
        "source_path,dest_csv,dest_ass,poster_path,gallery,corrections,item_id,metric_views\n"
        "a.mp4,out/a.csv,/abs/a.ass,p.jpg,people,c.json,007,1.5\n"
    )
    assert spec == JobSpec(
        source_path=str(folder / "a.mp4"),
        dests={"csv": str(folder / "out/a.csv"), "ass": "/abs/a.ass"},
        poster_path=str(folder / "p.jpg"),
        gallery=str(folder / "people"),
        corrections=str(folder / "c.json"),
        item_id="007",
        metrics={"metric_views": 1.5},
        line=2,
    )


def test_jobs_without_corrections_are_those_that_ledgers_know() -> None:
    """Another plain form would do all jobs of older ledgers again."""
    spec = JobSpec(source_path="a", dests={"csv": "b"})
    assert "corrections" not in spec.to_dict()
    corrected = JobSpec(source_path="a", dests={"csv": "b"}, corrections="c.json")
    for each in (spec, corrected):
        assert JobSpec.from_dict(each.to_dict()) == each


def test_segments_of_a_medium() -> None:
    """With what a sample says of them, which no job depends on."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, second, whole = read(
            "source_path,dest_csv,start_s,stop_s,weight,stratum,draw,draw_weight,group_decade\n"
            "a,b.csv,0,90,1.5,news,1,1,1980\na,c.csv,90.5,,1.5,news,1,2,1980\na,d.csv,,,,,,,\n"
        )
    assert (first.start_s, first.stop_s, second.start_s, second.stop_s) == (0, 90, 90.5, None)
    assert (first.is_segment, whole.is_segment, "start_s" in whole.to_dict()) == (
        True,
        False,
        False,
    )
    assert [spec.analysed_s(100) for spec in (first, second, whole)] == [90, 9.5, 100]
    for each in (first, second, whole):
        assert replace(JobSpec.from_dict(each.to_dict()), line=each.line) == each


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("-1,5", "start_s '-1' is no second of a medium: write it as 90 or 90.5"),
        ("0,1:30", "stop_s '1:30' is no second of a medium: write it as 90 or 90.5"),
        ("nan,5", "start_s 'nan' is no second of a medium: write it as 90 or 90.5"),
        ("5,5", "stop_s 5 is not after start_s: turn them round"),
    ],
)
def test_segments_that_are_none(cells: str, message: str) -> None:
    assert problems(f"source_path,dest_csv,start_s,stop_s\na,b.csv,{cells}\n") == [(2, message)]


def test_segments_of_one_medium_need_files_of_their_own() -> None:
    assert problems("source_path,dest_csv,start_s\na,b.csv,0\na,b.csv,9\n") == [
        (3, "dest_csv is the same file as a destination of line 2: change one")
    ]


def test_texts_stay_texts(folder: Path) -> None:
    first, second = read("source_path,dest_csv\n007,008.csv\nNA,null\n")
    assert first.source_path == str(folder / "007")
    assert (second.source_path, second.dests["csv"]) == (str(folder / "NA"), str(folder / "null"))


def test_empty_optional_cells_are_absent() -> None:
    (spec,) = read("source_path,dest_csv,dest_ass,poster_path,metric_x\na,b,,,\n")
    assert (set(spec.dests), spec.poster_path, spec.metrics) == ({"csv"}, None, {})


@pytest.mark.parametrize("name", WEIRD)
def test_weird_names(folder: Path, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    (spec,) = read(f"source_path,dest_csv\n{quoted},x.csv\n")
    assert spec.source_path == str(folder / name)


def test_byte_order_mark_crlf_and_blank_lines() -> None:
    specs = read(b"\xef\xbb\xbfsource_path,dest_csv\r\na,b\r\n\r\nc,d\r\n")
    assert [spec.line for spec in specs] == [2, 4]


def test_equal_rows_are_no_clash() -> None:
    assert len(read("source_path,dest_csv\na,b\na,b\n")) == 2


def test_an_unknown_column_is_left_out_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="'colour'") as caught:
        read("source_path,dest_csv,colour\na,b,red\n")
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        ("", 1, "no header"),
        ("source_path,dest_csv\n", 1, "no jobs"),
        ("source_path,dest_ass\na,b\n", 1, "no column dest_csv: add it"),
        ("source_path;dest_csv\na;b\n", 1, "separate them by commas"),
        ("source_path,dest_csv,dest_csv\na,b,c\n", 1, "appears twice"),
        ("source_path,dest_csv,dest_xyz\na,b,c\n", 1, "dest_xyz has no exporter"),
        ("source_path,dest_csv\na,b,c\n", 2, "3 cells under 2 columns"),
        ("source_path,dest_csv\na\n", 2, "1 cells under 2 columns"),
        ("source_path,dest_csv\n,b\n", 2, "source_path is empty"),
        ("source_path,dest_csv\na,\n", 2, "dest_csv is empty"),
        ("source_path,dest_csv\na,b/\n", 2, "is a folder"),
        ("source_path,dest_csv\na,b\nc,b\n", 3, "same file as a destination of line 2"),
        ("source_path,dest_csv,dest_ass\na,b,b\n", 2, "same file as a destination of line 2"),
        ("source_path,dest_csv\na,b\nc,./x/../b\n", 3, "same file"),
        ("source_path,dest_csv\na,a\n", 2, "would overwrite the medium of line 2"),
        ("source_path,dest_csv\na,b\nb,c\n", 2, "would overwrite the medium of line 3"),
        ("source_path,dest_csv,corrections\na,b,b\n", 2, "the corrections of line 2"),
        (
            "source_path,dest_csv\na,jobs.csv\n",
            2,
            "dest_csv would overwrite the joblist: change it",
        ),
        (
            "source_path,dest_csv\na,x\nb,x/y/z\n",
            2,
            "dest_csv is the folder of a destination of line 3",
        ),
        ("source_path,dest_csv\nb,x/y/z\na,x/y\n", 3, "is the folder of a destination of line 2"),
        ('source_path,dest_csv\n"a\nb",c\n', 2, "line break"),
        ('source_path,dest_csv\n"a"b,c\n', 2, "not CSV"),
        ('source_path,dest_csv\n"a,c\n', 2, "not CSV"),
        (b"source_path,dest_csv\na,b\n\xe9,c\n", 3, "not UTF-8"),
        (b"source_path,dest_csv\na\0,c\n", 2, "NUL"),
        (f"source_path,dest_csv\n{'x/' * 3000},c\n", 2, "longer than 4096 bytes"),
        (f"source_path,dest_csv\na,{'x' * 250}\n", 2, "file name is longer"),
        ("source_path,dest_csv\nhttp://x/a.mp4,b\n", 2, "is an address"),
        ("source_path,dest_csv,metric_x\na,b,many\n", 2, "is not a number"),
        ("source_path,dest_csv,metric_x\na,b,nan\n", 2, "is not a number"),
    ],
)
def test_wrong_joblists(content: str | bytes, line: int, says: str) -> None:
    lines = problems(content)
    assert [number for number, _ in lines] == [line]
    assert says in lines[0][1]


def test_all_problems_are_told_at_once() -> None:
    lines = problems("source_path,dest_csv\na\n,b\nc,d,e\nf,g\nh,g\n")
    assert [line for line, _ in lines] == [2, 3, 4, 6]


@pytest.mark.parametrize(
    "path", ["real/x", "link/x", "link/deep/y/..", "link/../z", "loop/x", "gone/x", "d/" * 900]
)
def test_folders_are_resolved_as_the_system_does(folder: Path, path: str) -> None:
    (folder / "real" / "deep").mkdir(parents=True)
    os.symlink("real", "link")
    os.symlink("loop", "loop")
    os.symlink("nowhere", "gone")
    resolve = clashes.resolver()
    for _ in range(2):
        assert resolve(f"{folder}/{path}".rstrip("/")) == os.path.realpath(f"{folder}/{path}")


def test_links_do_not_hide_a_clash(folder: Path) -> None:
    (folder / "real").mkdir()
    os.symlink("real", "link")
    assert "same file" in problems("source_path,dest_csv\na,real/x\nb,link/x\n")[0][1]


def test_a_destination_is_never_a_link_to_its_own_medium(folder: Path) -> None:
    (folder / "film.mp4").write_text("medium")
    (folder / "sub").mkdir()
    os.symlink("../film.mp4", folder / "sub" / "a.csv")
    ((line, says),) = problems("source_path,dest_csv\nfilm.mp4,sub/a.csv\n")
    assert (line, says) == (2, "dest_csv would overwrite the medium of line 2: change it")


def test_a_destination_is_never_the_joblist_by_another_name(folder: Path) -> None:
    os.symlink("jobs.csv", "alias.csv")
    content = "source_path,dest_csv\na,alias.csv\n"
    assert "would overwrite the joblist" in problems(content)[0][1]
    Path("alias.csv").unlink()
    Path("jobs.csv").rename("real.csv")
    os.symlink("real.csv", "jobs.csv")
    assert "would overwrite the joblist" in problems("source_path,dest_csv\na,real.csv\n")[0][1]


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", ".lock"])
def test_a_destination_is_never_a_file_of_the_ledger(folder: Path, ending: str) -> None:
    Path("jobs.csv").write_text(f"source_path,dest_csv\na,my.ledger{ending}\n")
    reserved = clashes.Reserved(files_of(folder / "my.ledger"))
    with pytest.raises(JoblistError, match="2: dest_csv would overwrite the ledger"):
        list(joblist.read("jobs.csv", exporters=EXPORTERS, reserved=reserved))


def test_a_link_to_a_joblist_has_the_ledger_of_the_joblist(folder: Path) -> None:
    for name in ("jobs.csv", "jobs.txt"):
        Path(name).touch()
    os.symlink("jobs.csv", "other.csv")
    assert default_path(Path("other.csv")) == default_path(folder / "jobs.csv")
    assert default_path(Path("jobs.txt")) != default_path(Path("jobs.csv"))


def test_a_missing_joblist() -> None:
    with pytest.raises(JoblistError, match="No such file"):
        list(joblist.read("none.csv", exporters=EXPORTERS))


def test_a_missing_medium_is_the_jobs_problem() -> None:
    with warnings.catch_warnings():
        assert len(read("source_path,dest_csv\nnowhere.mp4,b\n")) == 1


FOUR = "source_path,dest_csv\na.mp4,a.csv\nb.mp4,b.csv\n\nc.mp4,c.csv\nd.mp4,d.csv\n"


def rows(text: str, content: str = FOUR) -> str:
    Path("jobs.csv").write_text(content)
    specs = joblist.read("jobs.csv", exporters=EXPORTERS, rows=Rows.parse(text))
    return "".join(Path(spec.source_path).stem for spec in specs)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1:4", "abcd"), ("2:3", "bc"), ("3:3", "c"), (":1", "a"), ("3:", "cd"), ("1:", "abcd")],
)
def test_some_rows_are_counted_from_1_without_header_and_empty_lines(
    text: str, expected: str
) -> None:
    assert rows(text) == expected


@pytest.mark.parametrize("text", ["", ":", "3", "a:b", "-1:2", "1:2:3", "1-2", "0:2", ":0", "3:2"])
def test_rows_that_make_no_sense_name_the_cure(text: str) -> None:
    with pytest.raises(ValueError, match=r"write A:B|the first row is 1|turn them round"):
        Rows.parse(text)


@pytest.mark.parametrize(("text", "outside"), [("4:5", 5), ("9:", 9), (":7", 7)])
def test_rows_outside_are_an_error(text: str, outside: int) -> None:
    with pytest.raises(JoblistError, match=rf"no row {outside}, .*give rows from 1 to 4"):
        rows(text)


def test_rows_that_are_not_wanted_are_held_against_the_others() -> None:
    with pytest.raises(JoblistError, match=r":6: .*same file as a destination of line 2"):
        rows("1:1", FOUR.replace("d.csv", "a.csv"))


BLANKS = [",", " , ", '"",""', '" ","\t"', ",,,,", '""', "   "]


@pytest.mark.parametrize("blank", BLANKS)
def test_what_a_spreadsheet_leaves_behind_is_as_empty_lines_are(blank: str, folder: Path) -> None:
    rows = ["source_path,dest_csv", blank, "a.mp4,a.csv", blank, "", blank, "b.mp4,b.csv"]
    found = read("\r\n".join([*rows, *[blank] * 5000]))
    assert [(spec.source_path, spec.line) for spec in found] == [
        (str(folder / "a.mp4"), 3),
        (str(folder / "b.mp4"), 7),
    ]
    second = joblist.read("jobs.csv", exporters=EXPORTERS, rows=Rows(2, 2))
    assert [spec.line for spec in second] == [7]


def test_rows_with_anything_in_them_are_read() -> None:
    assert problems("source_path,dest_csv,x\n,,note\n") == [
        (2, "dest_csv is empty: give a path"),
        (2, "source_path is empty: give a path"),
    ]
    assert problems("source_path,dest_csv\n,\n,\n") == [
        (1, "no jobs: write a row for each medium under the header")
    ]


def test_a_spreadsheets_own_csv_is_read_with_its_mark_and_semicolons_are_told() -> None:
    (spec,) = read("\ufeffsource_path,dest_csv\r\na.mp4,a.csv\r\n,\r\n,\r\n".encode())
    assert spec.source_path.endswith("/a.mp4")
    ((line, text),) = problems("\ufeffsource_path;dest_csv\r\na.mp4;a.csv\r\n;\r\n")
    assert (line, text.partition(":")[0]) == (1, "columns are separated by ';' or tabs")
