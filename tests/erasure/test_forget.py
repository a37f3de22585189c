"""Nothing of a forgotten person is left in any file; everybody else's is as it was."""

import csv
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analyzer import registry
from analyzer.__main__ import main
from analyzer.collection import media
from analyzer.erasure.strip import ErasureTarget, erase_from_report, persons_in
from analyzer.files import cache
from analyzer.files.atomic import atomic_write_bytes
from analyzer.files.hashing import file_sha256
from analyzer.files.transaction import FileTransaction
from analyzer.gallery.folder import _freeze
from analyzer.identities.address import open_store
from analyzer.identities.records import Settings
from analyzer.inference.runtime import Runtime
from analyzer.reports import report_file
from analyzer.types import MediaReport
from analyzer.types.people import Candidate, Gallery, Poster
from tests.support.reports import Face, make_report

FACES = (
    Face(0, 0.0, (10, 20, 110, 140)),
    Face(5, 0.2, (12, 20, 112, 140)),
    Face(5, 0.2, (300, 20, 400, 140), track=3),
    Face(9, 0.4, (301, 20, 401, 140), track=3),
    Face(9, 0.4, (0, 0, 40, 50), track=7),
)
ALL = ("csv", "characters", "posters", "poster_image", "names", "ass", "exchange", "shots")
WEIRD = '=Ö"k, <b> & {x}\\'
AXES = np.eye(4, dtype=np.float32)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def report_of(name: str | None = "Grace", *, uri: str = "clip.mp4", axis: int = 0) -> MediaReport:
    """Persons 0 (with the name), and 1, Ada; a track of no person. Embeddings are axes."""
    names = {1: "Ada"} if name is None else {0: name, 1: "Ada"}
    report = make_report(FACES, persons={0: 0, 3: 1, 7: -1}, names=names, uri=uri)
    axes = AXES[[axis, axis, 1, 1, 3]]
    some = (Candidate(name="Ada", probability=0.2, distance=0.75),)
    if name is not None:
        some = (Candidate(name=name, probability=0.7, distance=0.25), *some)
    poster = Poster(
        path="poster.jpg",
        image=np.full((400, 300, 3), 200, np.uint8),
        boxes=np.array([[10, 50, 110, 150], [150, 50, 250, 150]], np.float32),
        scores=np.array([0.9, 0.8], np.float32),
        person_ids=np.array([0, 1]),
        distances=np.array([0.25, 0.5], np.float32),
        sex=("m", "f"),
        age=("40.0", "30.0"),
    )
    return replace(
        report,
        observations=replace(report.observations, embeddings=axes),
        identities=replace(report.identities, centroids=AXES[[axis, 1]]),
        persons=tuple(replace(p, candidates=some) for p in report.persons),
        poster=poster,
    )


def export(report: MediaReport, stem: str = "res/clip", *, whole: bool = True) -> None:
    """Write every file of a report but the mp4; with the report itself, if it is to be whole."""
    Path(stem).parent.mkdir(parents=True, exist_ok=True)
    for name in ALL:
        exporter = registry.load("export", name, runtime=Runtime())
        exporter.write(report, Path(f"{stem}{exporter.suffix}"))
    if whole:
        pictures = {0: b"\xff\xd8 hers", 3: b"\xff\xd8 Adas"}
        report_file.save(report, Path(f"{stem}.report.zip"), portraits=pictures)


def forget(*arguments: str) -> int:
    return main(["forget", *arguments])


def contents(folder: str = "res") -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(Path(folder).rglob("*.*"))}


def everything(folder: str = "res") -> bytes:
    """All bytes of all files, and of all files in zips."""
    content = b""
    for name, data in contents(folder).items():
        content += data
        if name.endswith(".zip"):
            with zipfile.ZipFile(name) as archive:
                content += b"".join(map(archive.read, archive.namelist()))
    return content


@pytest.mark.parametrize(("name", "word"), [("Grace", "Grace"), (WEIRD, "Ö"), (WEIRD, "00d6")])
def test_nothing_of_the_person_is_left(name: str, word: str) -> None:
    export(report_of(name))
    export(report_of("Somebody"), "res/other")
    before = contents()
    assert forget(name, "--results", "res", "--yes") == 0
    assert word.encode() not in everything()
    after = contents()
    assert before.keys() == after.keys()
    changed = {Path(path).name for path in after if before[path] != after[path]}
    ends = ("csv", "characters.csv", "posters.csv", "poster.jpg", "names.json", "ass")
    assert changed == {f"clip.{end}" for end in (*ends, "exchange.zip", "report.zip")}


def test_the_files_are_those_of_a_stranger() -> None:
    export(report_of())
    old = {name: pd.read_csv(f"res/clip{name}.csv", dtype=str) for name in ("", ".characters")}
    assert forget("Grace", "--results", "res", "--yes") == 0
    for name, before in old.items():
        after = pd.read_csv(f"res/clip{name}.csv", dtype=str)
        emptied = before["name"] == "Grace"
        assert emptied.any()
        assert after.loc[emptied, "name"].isna().all()
        if "name_distance" in after:
            assert after.loc[emptied, "name_distance"].isna().all()
        columns = [c for c in after if c not in ("name", "name_distance")]
        pd.testing.assert_frame_equal(after[columns], before[columns])
        pd.testing.assert_frame_equal(after[~emptied], before[~emptied])
    assert "}person 0  m 40" in Path("res/clip.ass").read_text()


def test_embeddings_and_portraits_are_gone_from_the_report() -> None:
    export(report_of())
    path = Path("res/clip.report.zip")
    before = report_file.load(path)
    assert forget("Grace", "--results", "res/clip.report.zip", "--yes") == 0
    after = report_file.load(path)
    np.testing.assert_array_equal(after.observations.embedding_rows, [2, 3, 4])
    np.testing.assert_array_equal(after.observations.embeddings, AXES[[1, 1, 3]])
    np.testing.assert_array_equal(after.identities.centroids, [[0, 0, 0, 0], AXES[1]])
    np.testing.assert_array_equal(after.observations.boxes, before.observations.boxes)
    assert [p.name for p in after.persons] == [None, "Ada"]
    assert [len(p.candidates) for p in after.persons] == [0, 1]
    assert report_file.portraits(path) == {3: b"\xff\xd8 Adas"}


def test_features_for_labelling_tools_lose_the_person() -> None:
    export(report_of())
    assert forget("Grace", "--results", "res", "--yes") == 0
    with zipfile.ZipFile("res/clip.exchange.zip") as archive:
        features = archive.read("features.jsonl").decode().splitlines()
    assert len(features) == 3
    assert not any("[1.0,0.0,0.0,0.0]" in line for line in features)


def test_a_dry_run_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    export(report_of())
    before = contents(".")
    assert forget("Grace", "--results", "res", "--dry-run") == 0
    assert contents(".") == before
    shown = capsys.readouterr().out
    assert "embeddings: 2, centroids: 1, portraits: 1, names: 1, candidates: 3" in shown
    for path in ("res/clip.csv", "res/clip.poster.jpg", "res/clip.report.zip"):
        assert path in shown


@pytest.mark.parametrize("answer", ["y", "n", None])
def test_it_asks(
    answer: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    export(report_of())
    before = contents()
    monkeypatch.setattr("sys.stdin.isatty", lambda: answer is not None, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    assert forget("Grace", "--results", "res") == (0 if answer == "y" else 2)
    assert (contents() == before) == (answer != "y")
    assert ("add --yes" in capsys.readouterr().err) == (answer is None)


@pytest.fixture
def store() -> Any:
    """Identities 0 (axis 0), 1 (axis 1) and 2 (axis 2), with 5, 7 and 9 faces."""
    opened = open_store("people", settings=Settings(model="test", threshold=0.3))
    opened.match_or_add(AXES[:3], np.array([5, 7, 9]), key="job 1")
    yield opened
    opened.close()


def test_the_store_forgets_whom_the_reports_know_by_name(store: Any) -> None:
    export(report_of())
    export(report_of(None), "res/unnamed")
    export(report_of("Somebody else"), "res/other")
    other = Path("res/other.report.zip").read_bytes()
    assert forget("Grace", "--results", "res", "--identities", "people", "--yes") == 0
    counters = store.counters()
    assert (counters.embedded, counters.saved, counters.forgotten) == (21, 16, 5)
    assert [store.get(number) is None for number in range(3)] == [True, False, False]
    # The same face without a name goes, too; one of another name does not.
    assert (report_file.load(Path("res/unnamed.report.zip")).identities.centroids[0] == 0).all()
    assert Path("res/other.report.zip").read_bytes() == other


def test_an_identity_by_its_number(store: Any, capsys: pytest.CaptureFixture[str]) -> None:
    export(report_of())
    assert forget("identity:2", "--identities", "people", "--yes") == 0
    assert store.get(2) is None
    assert forget("identity:1", "--results", "res", "--identities", "people", "--yes") == 0
    assert b"Ada" not in Path("res/clip.csv").read_bytes()
    assert b"Grace" in Path("res/clip.csv").read_bytes()
    assert store.counters().identities == 1
    capsys.readouterr()
    assert forget("identity:2", "--identities", "people", "--yes") == 1
    assert "identity:2 is not in" in capsys.readouterr().err


def test_an_identity_that_only_the_report_has(store: Any) -> None:
    """The store would not take them for it any more: its mean has moved."""
    report = report_of(None, axis=3)
    persons = tuple(replace(p, identity_id=2 if p.person_id == 0 else 1) for p in report.persons)
    export(replace(report, persons=persons, is_remembered=True))
    export(replace(report, persons=persons), "res/never")
    assert forget("identity:2", "--results", "res", "--identities", "people", "--yes") == 0
    after = report_file.load(Path("res/clip.report.zip"))
    assert [p.identity_id for p in after.persons] == [None, 1]
    assert not after.identities.centroids[0].any()
    assert [p.identity_id for p in report_file.load(Path("res/never.report.zip")).persons] == [2, 1]


def test_a_person_of_one_medium() -> None:
    export(report_of())
    assert forget("person:1", "--results", "res", "--yes") == 0
    report = report_file.load(Path("res/clip.report.zip"))
    assert [p.name for p in report.persons] == ["Grace", None]


def test_without_a_report_tables_are_mended_and_the_rest_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    export(report_of(WEIRD), whole=False)
    before = contents()
    assert forget(WEIRD, "--results", "res", "--yes") == 1
    left = capsys.readouterr().err
    for end in ("ass", "exchange.zip", "poster.jpg"):
        assert f"left: res/clip.{end}: is made anew only where there is a report: delete" in left
    for end in ("csv", "characters.csv", "posters.csv", "names.json"):
        assert "Ö".encode() not in Path(f"res/clip.{end}").read_bytes()
        assert "Ada" in Path(f"res/clip.{end}").read_text()
    after, old = (x["res/clip.csv"].decode().splitlines() for x in (contents(), before))
    assert [new == was for new, was in zip(after, old, strict=True)] == [1, 0, 0, 1, 1, 1]


def test_a_name_that_stands_elsewhere_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    export(report_of(uri="films/Grace.mp4"))
    Path("res/notes.txt").write_text("Grace came late")
    Path("res/disgraceful.txt").write_text("Graceful")
    assert forget("Grace", "--results", "res", "--yes") == 1
    left = capsys.readouterr().err
    assert "left: res/clip.names.json: still holds the name, perhaps in a path" in left
    assert "left: res/notes.txt: has the name in it" in left
    assert "disgraceful" not in left


def test_what_was_collected_is_to_be_collected_again(capsys: pytest.CaptureFixture[str]) -> None:
    export(report_of())
    for name in ("collected", "elsewhere"):
        Path(name).mkdir()
        Path(name, "identities.csv").write_text(
            f"identity_id,name\n0,{'Grace' * (name[0] == 'c')}\n"
        )
        with zipfile.ZipFile(f"{name}/crops.zip", "w") as archive:
            archive.writestr("0/portrait.jpg", b"\xff\xd8")
    assert forget("Grace", "--results", "res", "collected", "elsewhere", "--yes") == 1
    left = capsys.readouterr().err
    assert "left: collected: made of reports: run `python -m analyzer collect` again" in left
    assert "elsewhere" not in left


def test_who_was_forgotten_is_collected_no_more() -> None:
    report = report_of()
    options = {**report.provenance["options"], "describer": "dlib_resnet"}
    export(replace(report, provenance={"options": options}))

    def collected() -> list[str | None]:
        read, _ = media.read(media.media_of(media.of_reports(["res/clip.report.zip"])))
        return [person.name for medium in read for person in medium.summary.persons]

    assert collected() == ["Grace", "Ada"]
    assert forget("Grace", "--results", "res", "--yes") == 0
    assert collected() == ["Ada"]


def test_galleries_in_the_cache_are_forgotten() -> None:
    export(report_of())
    for name in ("Grace", "Ada"):
        described = Gallery(names=(name,), embeddings=AXES[:1])
        atomic_write_bytes(cache.path("galleries", f"{name}.npz"), _freeze(described))
    assert forget("Grace", "--results", "res", "--yes") == 0
    assert [path.name for path in cache.path("galleries").iterdir()] == ["Ada.npz"]


def test_a_joblist_names_its_results_and_its_changes(capsys: pytest.CaptureFixture[str]) -> None:
    export(report_of())
    Path("people").mkdir()
    Image.new("RGB", (8, 8)).save("people/Grace.png")
    columns = "source_path,dest_csv,dest_report,dest_mp4,gallery"
    Path("jobs.csv").write_text(
        f"{columns}\nclip.mp4,res/clip.csv,res/clip.report.zip,res/gone.mp4,people\n"
    )
    before = file_sha256(Path("res/clip.csv"))
    assert forget("Grace", "--results", "jobs.csv", "--yes") == 0
    shown = capsys.readouterr()
    assert "python -m jobs accept jobs.csv --changes jobs.changes.csv" in shown.out
    assert "people/Grace.png: the next run gives the name again" in shown.err
    with open("jobs.changes.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows[0] == {
        "path": str(Path("res/clip.csv").absolute()),
        "sha256_before": before,
        "sha256_after": file_sha256(Path("res/clip.csv")),
    }
    assert [Path(row["path"]).name for row in rows] == ["clip.csv", "clip.report.zip"]
    assert b"Grace" in Path("res/clip.ass").read_bytes(), "the joblist does not name it"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["Nobody", "--results", "res"], 1, "Nobody is not in res: check the name"),
        (["17", "--results", "res"], 1, "write identity:17 or person:17"),
        (["person:9", "--results", "res"], 2, "results of 2: give the files of one"),
        (["person:9", "--results", "res/clip.csv"], 1, "check the number"),
        (["Grace"], 2, "forget where?"),
        ([" ", "--results", "res"], 2, "who is to be forgotten?"),
        (["Grace", "--identities", "people"], 2, "no such identity store"),
        (["identity:1", "--results", "res"], 2, "give --identities URL"),
        (["identity:1", "--identities", "none"], 2, "no such identity store"),
        (["Grace", "--results", "missing"], 1, "missing: no such file or folder"),
    ],
)
def test_what_cannot_be_done_is_told(
    arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    export(report_of())
    export(report_of("Somebody"), "res/other")
    before = contents()
    assert forget(*arguments, "--yes") == code
    assert says in capsys.readouterr().err
    assert contents() == before


def test_if_one_file_cannot_be_written_none_is_changed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    export(report_of())
    before = contents()
    monkeypatch.setattr(
        report_file, "save", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "full"))
    )
    assert forget("Grace", "--results", "res", "--yes") == 1
    assert contents() == before
    assert (
        "nothing was changed: res/clip.report.zip: cannot be written: full"
        in capsys.readouterr().err
    )


def test_a_report_can_be_stripped_twice() -> None:
    once = erase_from_report(report_of(), {0}, "Grace")
    assert persons_in(once, ErasureTarget(name="Grace"), None) == set()
    np.testing.assert_array_equal(
        erase_from_report(once, {0}, "Grace").observations.embeddings, AXES[[1, 1, 3]]
    )


def test_a_trial_leaves_no_files(folder: Path) -> None:
    Path("a").write_text("old")
    with FileTransaction(dry_run=True) as rewrite:
        assert rewrite.add(Path("a"), lambda part: part.write_text("new"))
        assert not rewrite.add(Path("a"), lambda part: part.write_text("old"))
    assert [path.name for path in folder.iterdir()] == ["a"]
