"""Names and merges of an identity store in the files of media, and the way back to the byte."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from analyzer import registry
from analyzer.commands._program import main
from analyzer.identities import IdentityStore
from analyzer.identities.address import open_store
from analyzer.identities.archive import PeopleOfArchive
from analyzer.identities.corrections import Corrections
from analyzer.identities.log.people import CorrectionRefused
from analyzer.identities.records import MediumRecord, Settings
from analyzer.identities.remember import remember, with_archive_names
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport
from tests.support.reports import report_of_people

EXPORTS = ("csv", "characters", "ass", "report")


class Shelf:
    """Three films with their results, in which the same two people are seen, and others."""

    def __init__(self, folder: Path) -> None:
        self.results = folder / "results"
        self.results.mkdir()
        self.url = str(folder / "people.identities")
        self.store = open_store(self.url, settings=Settings(model="test", threshold=0.36))
        for name, axes in (("one", (3, 5)), ("two", (5, 3, 1)), ("three", (3, 6))):
            self.publish(name, remember(self.film(name, *axes), self.store, key=name))

    def film(self, name: str, *axes: int) -> MediaReport:
        return report_of_people(self.results.parent / f"{name}.mp4", *axes)

    def publish(self, name: str, report: MediaReport) -> None:
        for export in EXPORTS:
            exporter = registry.load("export", export, runtime=Runtime())
            path = self.results / f"{name}{exporter.suffix}"
            exporter.write(report if export == "report" else report.as_archived(), path)

    def reexport(self) -> list[str]:
        """Return the names of files that were made again."""
        before = self.digests()
        assert main(["reexport", str(self.results), "--names", self.url]) == 0
        after = self.digests()
        return sorted(name for name in after if after[name] != before[name])

    def digests(self) -> dict[str, str]:
        return {p.name: sha256(p.read_bytes()).hexdigest() for p in self.results.iterdir()}

    def people(self, name: str) -> dict[str, tuple[str, str]]:
        """Return number -> name and identity, as the table of characters has it."""
        lines = (self.results / f"{name}.characters.csv").read_text(encoding="utf-8").splitlines()
        header = lines[0].split(",")
        rows = [dict(zip(header, line.split(","), strict=True)) for line in lines[1:]]
        return {row["person_id"]: (row["name"], row["identity_id"]) for row in rows}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.chdir(tmp_path)
    opened = Shelf(tmp_path)
    yield opened
    opened.store.close()


def test_a_name_reaches_earlier_and_later_films_and_is_taken_back(shelf: Shelf) -> None:
    before = shelf.digests()
    assert shelf.reexport() == []
    assert main(["identities", "name", shelf.url, "0", "Ada"]) == 0
    changed = shelf.reexport()
    assert {name.split(".")[0] for name in changed} == {"one", "two", "three"}
    assert not any(name.endswith(".report.zip") for name in changed)
    assert shelf.people("one")["0"] == ("Ada", "0")
    assert shelf.people("two")["1"] == ("Ada", "0")
    later = remember(shelf.film("four", 3), shelf.store, key="four")
    assert later.persons[0].name is None
    known = with_archive_names(later, shelf.store).as_archived()
    assert known.persons[0].name == "Ada"
    assert main(["identities", "undo", shelf.url]) == 0
    shelf.reexport()
    assert shelf.digests() == before


def test_merged_people_have_one_number_and_are_told_apart_again(shelf: Shelf) -> None:
    before = shelf.digests()
    assert main(["identities", "merge", shelf.url, "2", "3"]) == 0
    assert shelf.people("three")["1"] == ("", "3")
    shelf.reexport()
    assert shelf.people("three")["1"] == ("", "2")
    assert main(["identities", "undo", shelf.url, "1"]) == 0
    shelf.reexport()
    assert shelf.digests() == before


def test_who_was_split_off_in_a_film_stays_split(shelf: Shelf) -> None:
    seen = PeopleOfArchive(shelf.store).seen_in(0)
    place = next(one.appearance for one in seen if one.medium.endswith("two.mp4"))
    assert main(["identities", "split", shelf.url, "0", place]) == 0
    assert {name.split(".")[0] for name in shelf.reexport()} == {"two"}
    assert shelf.people("two")["1"] == ("", "4")
    assert shelf.people("one")["0"] == ("", "0")
    again = remember(shelf.film("two", 5, 3, 1), shelf.store, key="two")
    known = with_archive_names(again, shelf.store).as_archived()
    assert {p.person_id: p.identity_id for p in known.persons}[1] == 4


def test_the_list_adds_up(shelf: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    Corrections(shelf.store, "ada").merge(0, 1)
    archive = PeopleOfArchive(shelf.store)
    everybody = archive.most("faces")
    assert sum(person.faces for person in everybody) == shelf.store.counters().saved
    both = archive.person(1)
    assert (both.identity, both.members, both.media) == (0, (0, 1), 3)
    assert both.faces == sum(one.faces for one in archive.seen_in(0))
    assert main(["identities", "export", shelf.url, "--appearances"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + 7
    Corrections(shelf.store, "ada").name(0, '=1+1, "q"')
    assert main(["identities", "list", shelf.url, "--format", "csv", "--limit", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith('0,"\'=1+1, ""q""",')
    assert main(["identities", "list", shelf.url, "--format", "json", "--limit", "1"]) == 0
    assert '"members": [\n   0,\n   1\n  ]' in capsys.readouterr().out


def test_a_log_without_events_says_so(shelf: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["identities", "history", shelf.url]) == 0
    assert capsys.readouterr().out == "nothing was said yet\n"


def test_who_is_alike_is_offered_until_it_is_said_to_be_different(shelf: Shelf) -> None:
    vector = np.eye(8, dtype=np.float32)[3] + 0.5 * np.eye(8, dtype=np.float32)[7]
    shelf.store.match_or_add(vector[None], np.ones(1, np.int64), key="alike")
    nearest = PeopleOfArchive(shelf.store).alike(0, limit=1)[0]
    assert nearest.person.identity == 4
    expected = np.linalg.norm(np.eye(8)[3] - vector / np.linalg.norm(vector))
    assert nearest.distance == pytest.approx(expected, abs=1e-3)
    Corrections(shelf.store, "ada").say_different(4, 0)
    assert 4 not in [one.person.identity for one in PeopleOfArchive(shelf.store).alike(0, limit=9)]
    Corrections(shelf.store, "ada").undo(1)
    assert PeopleOfArchive(shelf.store).alike(0, limit=1)[0].person.identity == 4


@pytest.mark.parametrize(
    ("say", "why"),
    [
        (lambda c: c.merge(1, 0), "0 was merged into 1"),
        (lambda c: c.merge(1, 1), "name two"),
        (lambda c: c.merge(1, 99), "there is no identity 99"),
        (lambda c: c.split(2, [(1, 0)]), "appearance 1:0 is not of 2"),
        (lambda c: c.split(2, []), "nothing to split off"),
        (lambda c: c.split(2, [(2, 2)]), "all appearances of 2"),
        (lambda c: c.undo(9), "there is no event 9"),
        (lambda c: c.name(1, "two\nlines"), "one line of text"),
        (lambda c: c.name(1, "no text \udcff"), "one line of text"),
        (lambda c: (c.undo(1), c.undo(1)), "event 1 was undone already"),
        (lambda c: (c.say_different(1, 2), c.merge(1, 2)), "said to be different"),
        (lambda c: (c.name(0, "Ada"), c.forget([0]), c.undo(2)), "who was forgotten"),
        (lambda c: (c.forget([0]), c.undo(2)), "nothing can bring it back"),
    ],
)
def test_what_makes_no_sense_is_refused(shelf: Shelf, say, why: str) -> None:
    corrections = Corrections(shelf.store, "ada")
    corrections.merge(1, 0)
    with pytest.raises(CorrectionRefused, match=why):
        say(corrections)


@pytest.mark.parametrize("by", ["two\nlines", "no text \udcff", "x" * 201])
def test_who_says_it_has_a_name_of_one_line(
    shelf: Shelf, by: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["identities", "name", shelf.url, "0", "Ada", "--by", by]) == 2
    assert "a name has one line of text" in capsys.readouterr().err
    # Nobody can be kept from working by the environment.
    monkeypatch.setattr("getpass.getuser", lambda: by)
    assert main(["identities", "name", shelf.url, "0", "Ada"]) == 0
    assert shelf.store.people().events[-1].by == "unknown"


def test_an_event_that_others_need_is_not_undone(shelf: Shelf) -> None:
    corrections = Corrections(shelf.store, "ada")
    part = corrections.split(0, [(1, 0)]).action.part
    corrections.name(part, "Ada")
    with pytest.raises(CorrectionRefused, match=r"event 2 \(named\) needs it"):
        corrections.undo(1)
    corrections.undo(2)
    corrections.undo(1)
    assert shelf.store.get(part) is None


def test_a_forgotten_name_is_in_no_file_of_the_store(shelf: Shelf, tmp_path: Path) -> None:
    faces = np.random.default_rng(1).normal(size=(3, 8)).astype(np.float32)
    gone = []
    for call in range(3):
        seen = faces + np.float32(call / 100)
        medium = MediumRecord(
            path=f"{call}.mp4",
            person_ids=(0, 1, 2),
            milliseconds=(1, 1, 1),
            portraits=lambda rows, call=call: {r: b"face %d %d" % (call, r) for r in rows},
        )
        ones = np.ones(3, np.int64)
        numbers = shelf.store.match_or_add(seen, ones, key=f"call {call}", medium=medium)
        gone += [*(seen / np.linalg.norm(seen, axis=1, keepdims=True))[:2]]
    corrections = Corrections(shelf.store, "ada")
    corrections.name(int(numbers[0]), "Nobody Remembers")
    corrections.split(int(numbers[0]), [(5, 0)])
    corrections.undo(2)
    corrections.merge(int(numbers[0]), int(numbers[1]))
    gone += [shelf.store.get(number).centroid for number in numbers.tolist()[:2]]
    embeddings = [vector.tobytes() for vector in gone] + [b"face 2 0", b"face 0 1"]
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert any(b"Nobody Remembers" in path.read_bytes() for path in files)
    assert all(embedding in files[0].read_bytes() for embedding in embeddings)
    corrections.forget([int(numbers[1])])
    shelf.store.close()
    for path in tmp_path.iterdir():
        content = path.read_bytes() if path.is_file() else b""
        assert b"Nobody" not in content
        assert not any(embedding in content for embedding in embeddings)
    again = open_store(shelf.url, settings=None)
    assert again.people().forgotten == set(numbers.tolist()[:2])
    assert again.records.portraits([(4, 2), (4, 0)]) == [b"face 0 2", b""]
    assert int(numbers[2]) in [person.id for person in again.all()]
    again.close()


def take_over(store: IdentityStore) -> dict[int, tuple[int, int, int]]:
    archive = PeopleOfArchive(store)
    return {
        p.identity: (p.media, p.faces, len(archive.seen_in(p.identity))) for p in archive.most()
    }


def test_a_file_of_the_first_form_is_taken_over(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "people.identities"
    centroids = np.eye(4, dtype="<f4")
    with sqlite3.connect(path) as db:
        db.executescript(
            "PRAGMA application_id = 1229865289; PRAGMA user_version = 1;"
            "CREATE TABLE meta(name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;"
            "CREATE TABLE identity(id INTEGER PRIMARY KEY, centroid BLOB NOT NULL, "
            "updates INTEGER NOT NULL, faces INTEGER NOT NULL, changed INTEGER NOT NULL UNIQUE);"
            "CREATE TABLE call(key TEXT PRIMARY KEY, ids BLOB NOT NULL) WITHOUT ROWID;"
        )
        settings = '{"model": "test", "threshold": 0.36, "refine": 50}'
        meta = {"version": 4, "identities": 3, "detected": 20, "embedded": 12, "saved": 10}
        meta |= {"settings": settings, "forgotten": 2}
        db.executemany("INSERT INTO meta VALUES(?, ?)", meta.items())
        rows = [(0, 7), (1, 2), (2, 0), (3, 1)]
        db.executemany(
            "INSERT INTO identity VALUES(?, ?, 2, ?, ?)",
            [(n, centroids[n].tobytes() if f else b"", f, n + 1) for n, f in rows],
        )
        calls = {"a": [0, 1, 2], "b": [0, 3]}
        packed = [(key, np.array(ids, "<i8").tobytes()) for key, ids in calls.items()]
        db.executemany("INSERT INTO call VALUES(?, ?)", packed)
    db.close()
    store = open_store(str(path), settings=None)
    assert take_over(store) == {0: (2, 7, 1), 1: (1, 2, 1), 3: (1, 1, 1)}
    known = store.match_or_add(np.eye(4, dtype=np.float32)[:2], np.array([1, 1]), key="c")
    assert known.tolist() == [0, 1]
    again = store.match_or_add(np.eye(4, dtype=np.float32)[:3], np.array([1, 1, 1]), key="a")
    assert again.tolist() == [0, 1, 2]
    Corrections(store, "ada").split(0, [(3, 0)])
    Corrections(store, "ada").undo(1)
    assert store.get(0).faces == 8
    store.close()


@pytest.mark.parametrize("who", ["Ada", "Grace", "identity:0", "identity:3"])
def test_a_person_of_several_identities_is_forgotten_whole(shelf: Shelf, who: str) -> None:
    """Named in the store only, and merged: reports know each identity by its own number."""
    corrections = Corrections(shelf.store, "ada")
    corrections.name(0, "Ada")
    corrections.name(3, "Grace")
    corrections.merge(0, 3)
    shelf.reexport()
    assert shelf.people("three")["1"] == ("Ada", "0")
    words = ["--results", str(shelf.results), "--identities", shelf.url, "--yes"]
    assert main(["forget", who, *words]) == 0
    assert [person.id for person in shelf.store.all()] == [1, 2]
    for name, number in (("one", "0"), ("two", "1"), ("three", "0"), ("three", "1")):
        assert shelf.people(name)[number] == ("", "")
    assert not any(b"Ada" in path.read_bytes() for path in shelf.results.iterdir())
    assert shelf.people("two")["0"] == ("", "1")


def test_a_store_of_other_media_names_nobody(
    shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = str(tmp_path / "other.identities")
    stranger = open_store(other, settings=shelf.store.settings)
    remember(shelf.film("elsewhere", 1, 2, 3, 4), stranger, key="elsewhere")
    Corrections(stranger, "ada").name(0, "Stranger")
    stranger.close()
    before = shelf.digests()
    assert main(["reexport", str(shelf.results), "--names", other]) == 1
    assert "give the store that it was analysed with" in capsys.readouterr().err
    assert shelf.digests() == before


def test_undo_stops_at_what_was_forgotten(shelf: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    corrections = Corrections(shelf.store, "ada")
    corrections.name(1, "Ada")
    corrections.forget([0])
    assert main(["identities", "undo", shelf.url]) == 2
    assert "nothing can bring it back" in capsys.readouterr().err
    assert shelf.store.people().name(1) == "Ada"
