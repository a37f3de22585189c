"""What a call of `analyze` is about: media, titles in folders, rows of a joblist."""

from pathlib import Path

import pytest

from analyzer.__main__ import main
from analyzer.errors import UsageError
from analyzer.results import joblist
from analyzer.workflows import items
from joblist.model import Rows

JOBLIST = """source_path,dest_csv,poster_path,item_id,dest_posters
a.mp4,out/a.csv,a.jpg,t1,out/a.posters.csv
b.mp4,out/b.csv,,t2,
c.mp4,out/c.csv,c.jpg,007,out/c.posters.csv
d.mp4,out/d.csv,d.jpg,t1,out/d.posters.csv
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("jobs.csv").write_text(JOBLIST)
    return tmp_path


def title(name: str, *files: str) -> str:
    for file in files:
        path = Path("titles", name, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return f"titles/{name}"


def titles(*folders: str) -> list[items.Item]:
    return items.of_folders(
        folders,
        output=Path("out"),
        exports=lambda poster: ["csv", "posters"] if poster else ["csv"],
        gallery=None,
    )


def media(listed: list[items.Item]) -> list[str]:
    return [Path(str(item.medium)).stem for item in listed]


def test_a_folder_is_a_title_of_a_trailer_and_its_posters() -> None:
    folder = title(
        "tt01 v1.2", "trailer.mp4", "front.jpg", "back.PNG", "._trailer.mp4", "notes.txt"
    )
    (item,) = titles(folder)
    assert item.medium == f"{folder}/trailer.mp4"
    assert item.target == Path("out/tt01 v1.2")
    assert list(item.posters) == [f"{folder}/back.PNG", f"{folder}/front.jpg"]
    assert list(item.exports) == ["csv", "posters"]
    assert [item.target_of(p).name for p in item.posters] == [
        "tt01 v1.2.back_PNG",
        "tt01 v1.2.front_jpg",
    ]
    assert (item.missing, item.notes) == ("", ())


def test_what_a_title_lacks_is_told() -> None:
    blind, bare, double = titles(
        title("a", "p.jpg"), title("b", "t.mp4"), title("c", "t.mp4", "u.mkv")
    )
    assert blind.missing == "titles/a: no video in this folder"
    assert bare.notes == ("poster skipped: titles/b: no picture in this folder",)
    assert list(bare.exports) == ["csv"]
    assert "2 videos (t.mp4, u.mkv), not one" in double.missing
    assert blind.target_of("titles/a/p.jpg") == Path("out/a")


def test_titles_of_one_name_do_not_overwrite_each_other() -> None:
    for name in ("x/one", "y/one"):
        title(name, "t.mp4")
    assert [i.target.name for i in titles("titles/x/one", "titles/y/one")] == ["x_one", "y_one"]


def test_a_row_of_a_joblist_says_where_its_results_go(folder: Path) -> None:
    (item,) = items.of_joblist("jobs.csv", items=["007"], rows=None)
    assert item.medium == str(folder / "c.mp4")
    assert list(item.posters) == [str(folder / "c.jpg")]
    assert item.dests["posters"] == folder / "out/c.posters.csv"
    assert list(item.exports) == ["posters", "csv"], "the csv is the mark of completion"


def test_where_corrections_are_kept() -> None:
    (item,) = titles(title("tt01 v1.2", "t.mp4"))
    assert item.corrections == Path("out/tt01 v1.2.corrections.json")
    Path("jobs.csv").write_text(
        "source_path,dest_csv,corrections\na.mp4,out/a.csv,c.json\nb.mp4,out/b.csv,\n"
    )
    first, second = items.of_joblist("jobs.csv", items=[], rows=None)
    assert first.corrections == Path("c.json").absolute()
    assert second.corrections is None, "as for a worker, only what the joblist names"


def test_titles_and_rows_of_a_joblist() -> None:
    assert media(items.of_joblist("jobs.csv", items=[], rows=None)) == ["a", "b", "c", "d"]
    assert media(items.of_joblist("jobs.csv", items=["t1"], rows=None)) == ["a", "d"]
    assert media(items.of_joblist("jobs.csv", items=["007", "t2"], rows=None)) == ["b", "c"]
    assert media(items.of_joblist("jobs.csv", items=[], rows=Rows(2, 3))) == ["b", "c"]
    assert media(items.of_joblist("jobs.csv", items=["t1"], rows=Rows(2))) == ["d"]


def test_equal_rows_count_once() -> None:
    Path("jobs.csv").write_text(JOBLIST + JOBLIST.splitlines()[1] + "\n")
    assert len(joblist.read("jobs.csv")) == 4


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (["jobs.csv", "--item", "t9"], "no row has item_id 't9': there are 007, t1, t2"),
        (["jobs.csv", "--rows", "3:5"], "give rows from 1 to 4"),
        (["jobs.csv", "--rows", "4:3"], "turn them round"),
        (["jobs.csv", "--rows", "two"], "write A:B"),
        (["jobs.csv", "-o", "out"], "leave out --output"),
        (["jobs.csv", "--gallery", "people"], "leave out --gallery"),
        (["jobs.csv", "b.mp4"], "one at a time"),
        (["missing.csv"], "missing.csv: cannot be read"),
        (["a.mp4"], "-o DIR"),
        (["-o", "out"], "nothing to analyse"),
        (["a.mp4", "-o", "out", "--rows", "1:2"], "JOBLIST.csv --rows A:B"),
        (["a.mp4", "-o", "out", "--item", "t1"], "leave out the media"),
        (["-o", "out", "--item", "t1"], "no such folder"),
        (["-o", "out", "--item", "t1", "jobs.csv"], "no such folder"),
        (["-o", "out", "--item", ".", "--poster", "p.jpg"], "leave out --poster"),
        (["a.mp4", "b.mp4", "-o", "out", "--poster", "p.jpg"], "the folders to --item"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_cure(
    arguments: list[str], cure: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", *arguments]) == 2
    assert cure in capsys.readouterr().err


def test_a_joblist_is_right_as_a_whole_or_not_used() -> None:
    Path("jobs.csv").write_text(
        "source_path,dest_csv\na.mp4,out/a.csv\nhttps://films.test/b.mp4,out/b.csv\nc.mp4\n"
    )
    with pytest.raises(UsageError) as caught:
        joblist.read("jobs.csv", rows=Rows(1, 1))
    assert "jobs.csv:3: source_path 'https://films.test/b.mp4' is an address: download" in str(
        caught.value
    )
    assert "jobs.csv:4: 1 cells under 2 columns" in str(caught.value)


def test_a_title_without_item_ids_names_the_cure() -> None:
    Path("jobs.csv").write_text("source_path,dest_csv\na.mp4,out/a.csv\n")
    with pytest.raises(UsageError, match="give its rows one in the column item_id"):
        items.of_joblist("jobs.csv", items=["t1"], rows=None)


def test_results_do_not_replace_media(folder: Path) -> None:
    (folder / "film.mp4").touch()
    (folder / "b").mkdir()
    for output in (Path("."), Path("b")):
        arguments = {"exports": ["csv", "mp4"], "stills": False, "poster": None, "gallery": None}
        if output == Path("b"):
            assert items.of_media(["film.mp4"], output=output, **arguments)
        else:
            with pytest.raises(UsageError, match="is a medium itself"):
                items.of_media(["film.mp4"], output=output, **arguments)


def test_results_do_not_replace_posters_or_portraits(folder: Path) -> None:
    (folder / "film.mp4").touch()
    (folder / "b").mkdir()
    picture = folder / "b" / "film.poster.jpg"
    picture.touch()
    arguments = {"output": Path("b"), "exports": ["csv", "poster_image"], "stills": False}
    with pytest.raises(UsageError, match="is a poster itself"):
        items.of_media(["film.mp4"], poster="b/film.poster.jpg", gallery=None, **arguments)
    with pytest.raises(UsageError, match="is a file of the gallery itself"):
        items.of_media(["film.mp4"], poster="other.jpg", gallery="b", **arguments)
    picture.unlink()
    (folder / "b" / "film.csv").touch()
    assert items.of_media(["film.mp4"], poster="other.jpg", gallery="b", **arguments)
