"""Corrections of who is who, in reports and in all files that are made of them."""

import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lxml import etree

from analyzer import aggregate, anchors, correct, corrections, portraits, registry, reports, tables
from analyzer.__main__ import main
from analyzer.corrections import Correction, combine, parse, plain
from analyzer.errors import InputError
from analyzer.labels import PLAIN
from analyzer.names import Candidate, Poster
from analyzer.options import AnalysisOptions
from analyzer.runtime import Runtime
from analyzer.types import Identities, MediaReport
from tests.analyzer.reports import Face, make_report

LEFT, RIGHT, TOP = (10, 20, 110, 140), (300, 20, 400, 140), (200, 150, 260, 220)
AXES = np.eye(8, dtype=np.float32)
EXPORTS = ("csv", "characters", "eaf", "html", "ass", "posters", "names", "json")
PLACE = Path("res/clip.report.zip")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def made(*, rate: float = 5.0, first_track: int = 0, **values: Any) -> MediaReport:
    """Two seconds: track 0 left, 1 right at the same time; then 2 left, 3 at the top, of nobody.

    Persons are 0 (tracks 0 and 2, Ada) and 1 (track 1). Boxes move to the right, 20 px a second.

    Args:
        rate: samples a second.
        first_track: what the tracks are numbered from.
        values: of the report.
    """
    faces = []
    for i in range(int(4 * rate)):
        time = i / rate
        here = [(0, LEFT), (1, RIGHT)] if time < 2 else [(2, LEFT), (3, TOP)]
        for track, (x1, y1, x2, y2) in here:
            box = (x1 + 20 * time, y1, x2 + 20 * time, y2)
            faces.append(Face(round(25 * time), time, box, first_track + track, 1 / rate))
    owners = {first_track + track: person for track, person in enumerate((0, 1, 0, -1))}
    report = make_report(faces, persons=owners, names={0: "Ada"}, duration_s=4.0, **values)
    table = report.observations
    embeddings = AXES[table.track_id - first_track]
    table = replace(table, embeddings=embeddings, cuts=np.array([2.0]))
    tally = replace(
        table.tally,
        faces_detected=len(table),
        faces_saved=len(table),
        faces_kept=len(table) * 3 // 4,
    )
    table = replace(table, tally=tally)
    who = replace(
        report.identities, centroids=np.stack([(AXES[0] + AXES[2]) / 2, AXES[1]]).astype(np.float32)
    )
    people = aggregate.persons(table, report.row_persons(), who)
    known = {p.person_id: p for p in report.persons}
    some = (Candidate(name="Ada", probability=0.8, distance=0.25),)
    people = tuple(
        replace(
            p,
            name=known[p.person_id].name,
            name_distance=known[p.person_id].name_distance,
            candidates=some,
            identity_id=17 + p.person_id,
        )
        for p in people
    )
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
        observations=table,
        identities=who,
        persons=people,
        poster=poster,
        is_remembered=True,
        shots=np.array([[0, 2], [2, 4]], np.float64),
    )


def op(kind: str, *numbers: int, name: str = "") -> dict[str, Any]:
    """A correction by numbers alone."""
    key = {"rename": "person", "merge": "persons"}.get(kind, "track")
    told = {"op": kind, key: list(numbers) if kind == "merge" else numbers[0]}
    return {**told, "name": name} if kind == "rename" else told


def applied(report: MediaReport, *ops: Mapping[str, Any] | Correction) -> MediaReport:
    """The report with corrections, all of which must be made."""
    steps = [o if isinstance(o, Correction) else parse(o) for o in ops]
    corrected, done = correct.apply(report, steps, labeller=lambda: PLAIN)
    assert [step.fault for step in done] == [""] * len(ops)
    return corrected


def owners(report: MediaReport) -> dict[int, int]:
    who = report.identities
    return dict(zip(who.track_ids.tolist(), who.person_ids.tolist(), strict=True))


def adds_up(report: MediaReport) -> bool:
    tally, rows = report.tally, report.row_persons()
    faces = sum(person.face_count for person in report.persons)
    return (
        tally.faces_detected + tally.faces_tracked - tally.faces_filtered == tally.faces_saved
        and tally.faces_saved == len(report.observations)
        and tally.faces_kept == faces == (rows >= 0).sum()
    )


def people(report: MediaReport) -> dict[int, Any]:
    return {person.person_id: person for person in report.persons}


class TestOperations:
    def test_rename_gives_a_name_and_takes_the_gallerys(self) -> None:
        report = made()
        after = applied(report, op("rename", 0, name="Grace"), op("rename", 1, name="王"))
        found = people(after)
        assert (found[0].name, found[1].name) == ("Grace", "王")
        assert (found[0].name_distance, found[0].candidates) == (None, ())
        assert (found[0].identity_id, found[0].intervals) == (17, people(report)[0].intervals)
        assert applied(report, op("rename", 0, name="")).persons[0].name is None

    def test_merge_makes_one_of_both(self) -> None:
        after = applied(made(), op("merge", 1, 0))
        (one,) = after.persons
        assert (one.person_id, one.track_ids, one.identity_id) == (1, (0, 1, 2), 18)
        assert one.face_count == 30
        assert one.screen_time_s == pytest.approx(4.0), "twice in a picture counts once"
        assert one.intervals == ((0.0, pytest.approx(4.0)),)
        np.testing.assert_allclose(after.identities.centroids[1, :3], [1 / 3] * 3, atol=1e-6)
        assert not after.identities.centroids[0].any()
        assert adds_up(after)

    def test_merge_of_two_who_are_seen_at_once_is_told(self) -> None:
        after = applied(made(), op("merge", 0, 1))
        (note,) = after.notes
        assert "they are seen at once, first at 0.0 s, in 10 pictures" in note

    def test_split_makes_a_new_person(self) -> None:
        report = made()
        after = applied(report, op("split", 2))
        found = people(after)
        assert owners(after) == {0: 0, 1: 1, 2: 2, 3: -1}
        assert (found[0].name, found[0].identity_id, found[0].track_ids) == ("Ada", 17, (0,))
        assert (found[2].name, found[2].identity_id, found[2].candidates) == (None, None, ())
        assert found[2].intervals == ((2.0, pytest.approx(4.0)),)
        assert found[1] == people(report)[1]
        np.testing.assert_allclose(after.identities.centroids, AXES[:3], atol=1e-6)
        assert adds_up(after)

    def test_nobodys_track_becomes_somebody(self) -> None:
        after = applied(made(), op("split", 3), op("rename", 2, name="Bob"))
        assert people(after)[2].name == "Bob"
        assert after.tally.faces_kept == after.tally.faces_saved
        assert adds_up(after)

    def test_not_a_face_is_left_out(self) -> None:
        after = applied(made(), op("not_a_face", 1), op("not_a_face", 3))
        assert owners(after) == {0: 0, 2: 0}
        assert set(after.observations.track_id.tolist()) == {0, 2}
        assert len(after.row_attributes["sex"].label) == len(after.observations) == 20
        assert len(after.track_attributes["sex"].label) == 2
        assert (after.tally.faces_filtered, after.tally.faces_saved) == (20, 20)
        assert [p.person_id for p in after.persons] == [0]
        assert adds_up(after)

    def test_all_combined(self) -> None:
        after = applied(
            made(),
            op("rename", 1, name="Grace"),
            op("split", 2),
            op("merge", 1, 2),
            op("split", 3),
            op("not_a_face", 0),
        )
        found = people(after)
        assert owners(after) == {1: 1, 2: 1, 3: 3}
        assert {number: person.name for number, person in found.items()} == {1: "Grace", 3: None}
        assert found[1].screen_time_s == pytest.approx(4.0)
        assert adds_up(after)

    def test_the_posters_faces_follow(self) -> None:
        def matches(*ops: Mapping[str, Any]) -> list[int]:
            poster = applied(made(), *ops).poster
            assert poster is not None
            return poster.person_ids.tolist()

        assert matches(op("merge", 0, 1)) == [0, 0]
        assert matches(op("not_a_face", 1)) == [0, -1]
        assert matches(op("split", 1)) == [0, 2]
        assert matches(op("split", 3)) == [0, 1]

    def test_none_give_the_report_back(self) -> None:
        report = made()
        assert correct.apply(report, (), labeller=lambda: PLAIN) == (report, ())

    def test_who_was_forgotten_has_no_embeddings_to_average(self) -> None:
        report = made()
        keep = report.observations.track_id[report.observations.embedding_rows] == 3
        table = replace(
            report.observations,
            embeddings=report.observations.embeddings[keep],
            embedding_rows=report.observations.embedding_rows[keep],
        )
        who = replace(report.identities, centroids=np.zeros((2, 8), np.float32))
        after = applied(
            replace(report, observations=table, identities=who), op("split", 2), op("merge", 0, 1)
        )
        assert not after.identities.centroids.any()
        assert adds_up(after)


class TestAgain:
    """Corrections of one analysis, made in another of the same medium."""

    @pytest.mark.parametrize("rate", [25.0, 2.0, 1.0])
    def test_anchors_find_whom_they_mean_at_another_rate(self, rate: float) -> None:
        ops = (
            op("rename", 0, name="Grace"),
            op("split", 2),
            op("merge", 1, 2),
            op("not_a_face", 3),
        )
        before = applied(made(), *ops)
        other = made(rate=rate, first_track=40)
        after = applied(other, *before.corrections)
        assert owners(after) == {40: 0, 41: 1, 42: 1}
        assert people(after)[0].name == "Grace"
        assert after.uncorrected is other

    def test_a_face_of_the_shot_before_is_not_meant(self) -> None:
        """Track 0 ends where 2 begins, at the same place, in the same sample."""
        split = applied(made(rate=25.0), op("split", 2)).corrections
        other = made(rate=0.8)
        keep = other.observations.track_id != 2
        table = tables.take(other.observations, keep)
        last = table.time_s[table.track_id == 0].max() + table.duration_s[0]
        assert last > 2.2, "but for the cut it would be meant"
        who = Identities(
            track_ids=np.array([0, 1, 3]),
            person_ids=np.array([0, 1, -1]),
            centroids=other.identities.centroids,
        )
        without = replace(
            other, observations=table, identities=who, row_attributes={}, track_attributes={}
        )
        _, (step,) = correct.apply(without, split, labeller=lambda: PLAIN)
        assert step.fault.startswith("no face is where track 2 was at 2.2, 2.6, 3.0, 3.4, 3.8 s")

    def test_what_is_not_found_is_noted_and_kept(self) -> None:
        document = correct.document_of(applied(made(), op("not_a_face", 1)))
        nobody = make_report([Face(0, 0.0, (600, 300, 630, 330))])
        after = correct.again(nobody, document, labeller=lambda: PLAIN)
        assert after.corrections == document.corrections
        (note,) = after.notes
        assert note.startswith(
            "correction 1 (track 1 is not a face) was not made: no face is where"
        )

    def test_where_nobody_is_seen_at_all(self) -> None:
        document = correct.document_of(applied(made(), op("merge", 0, 1), op("not_a_face", 3)))
        after = correct.again(make_report(), document, labeller=lambda: PLAIN)
        assert [note.split(" (")[0] for note in after.notes] == ["correction 1", "correction 2"]
        assert after.persons == ()

    def test_another_mediums_are_told(self) -> None:
        document = correct.document_of(applied(made(), op("rename", 0, name="Grace")))
        after = correct.again(made(uri="other.mp4"), document, labeller=lambda: PLAIN)
        assert after.notes == ("corrections are of clip.mp4, and this is other.mp4",)
        assert correct.again(nothing := made(), None, labeller=lambda: PLAIN) is nothing


class TestFile:
    def test_what_is_written_is_read(self) -> None:
        after = applied(
            made(), op("rename", 0, name="王 \\ <b>"), op("merge", 0, 1), op("split", 2)
        )
        document = correct.document_of(after)
        corrections.write(document, Path("a.json"))
        assert corrections.read(Path("a.json")) == document
        assert [parse(plain(c)) for c in after.corrections] == list(after.corrections)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"version": 2}, "version 2, and this program reads 1"),
            ({"format": "csv"}, "not a file of corrections"),
            ({"source": {}}, "'uri' is missing"),
            (
                {"corrections": [{"op": "erase", "person": 0}]},
                "correction 1: no correction 'erase'",
            ),
            ({"corrections": [{"op": "split"}]}, "correction 1: 'track' is missing"),
            ({"corrections": [{"op": "split", "track": "a"}]}, "'a' is no number"),
            ({"corrections": [{"op": "merge", "persons": [1, 1]}]}, "needs two persons"),
            (
                {"corrections": [{"op": "merge", "persons": [1, 2], "anchors": [[]]}]},
                "1 anchors of 2",
            ),
            (
                {
                    "corrections": [
                        {"op": "split", "track": 1, "anchor": [{"time_s": 1, "bbox": [1]}]}
                    ]
                },
                "is no box",
            ),
            ({"corrections": 5}, "not a file of corrections"),
        ],
    )
    def test_what_is_none_is_refused(self, change: dict[str, Any], reason: str) -> None:
        write(change=change)
        with pytest.raises(InputError, match=reason) as told:
            corrections.read(Path("corrections.json"))
        assert "\n" not in str(told.value)

    @pytest.mark.parametrize(
        ("text", "reason"), [("{", "not JSON .line 1.: save it"), ("[]", "not a file of corr")]
    )
    def test_what_is_broken_is_refused(self, text: str, reason: str) -> None:
        Path("a.json").write_text(text)
        with pytest.raises(InputError, match=reason):
            corrections.read(Path("a.json"))
        with pytest.raises(InputError, match="give the file that the page has saved"):
            corrections.read(Path("missing.json"))

    def test_the_same_page_saved_again_counts_once(self) -> None:
        one, two, three = (parse(op("split", n)) for n in (1, 2, 3))
        assert combine((one,), (one, two)) == (one, two)
        assert combine((one, two), (one,)) == (one, two)
        assert combine((one,), (three,)) == (one, three)
        kept = applied(made(), one).corrections
        assert combine(kept, (one, two)) == (*kept, two)

    def test_kept_numbers_are_those_of_the_report_without_corrections(self) -> None:
        """So that they can be opened in its page, whatever number another page has shown."""
        once = applied(made(), op("split", 2), op("not_a_face", 2))
        faces = anchors.of_tracks(once.observations, [3])
        rename = replace(parse(op("rename", 2, name="Bob")), anchors=(faces,))
        after = applied(made(), *once.corrections, op("split", 3), rename)
        assert after.corrections[-1].numbers == (3,)
        assert people(after)[3].name == "Bob"
        assert combine(after.corrections, (*after.corrections[:3], rename)) == after.corrections
        other = applied(made(rate=2.0, first_track=40), *after.corrections)
        assert [c.numbers for c in other.corrections] == [(42,), (42,), (43,), (3,)]

    def test_a_report_keeps_what_it_was_before(self) -> None:
        report = made()
        after = applied(report, op("split", 2), op("not_a_face", 1))
        reports.save(after, Path("a.report.zip"), portraits={})
        read = reports.load(Path("a.report.zip"))
        assert read.corrections == after.corrections
        assert read.uncorrected is not None
        assert read.persons == after.persons
        assert read.uncorrected.persons == report.persons
        np.testing.assert_array_equal(read.observations.boxes, after.observations.boxes)
        np.testing.assert_array_equal(
            read.uncorrected.observations.embeddings, report.observations.embeddings
        )


def export(report: MediaReport, stem: str = "res/clip") -> None:
    Path(stem).parent.mkdir(parents=True, exist_ok=True)
    for name in EXPORTS:
        exporter = registry.load("export", name, runtime=Runtime())
        exporter.write(report, Path(f"{stem}{exporter.suffix}"))
    reports.save(report, Path(f"{stem}.report.zip"), portraits={})


def write(*ops: Mapping[str, Any], change: Mapping[str, Any] | None = None) -> str:
    """Write corrections.json; returns its path."""
    source = {
        "uri": "clip.mp4",
        "name": "clip.mp4",
        "options": AnalysisOptions().digest(),
    }
    whole = {"format": "ina-corrections", "version": 1, "source": source, "corrections": ops}
    Path("corrections.json").write_text(json.dumps({**whole, **(change or {})}))
    return "corrections.json"


def contents(folder: str = "res") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def command(*arguments: str) -> int:
    return main(["correct", *arguments])


def names_in(place: str) -> list[str]:
    return pd.read_csv(place, keep_default_na=False)["name"].tolist()


class TestCommand:
    def test_every_file_has_what_was_corrected(self, capsys: pytest.CaptureFixture[str]) -> None:
        export(made())
        before = contents()
        ops = (op("rename", 1, name="Grace & <b>"), op("split", 2), op("merge", 1, 2))
        assert command(str(PLACE), write(*ops, op("not_a_face", 3))) == 0
        after = contents()
        assert after.keys() - before.keys() == {"clip.corrections.json"}
        assert all(before[name] != after[name] for name in before)
        table = pd.read_csv("res/clip.csv")
        assert table.groupby("name").size().to_dict() == {"Ada": 10, "Grace & <b>": 20}
        assert names_in("res/clip.characters.csv") == ["Grace & <b>", "Ada"]
        tiers = etree.parse("res/clip.eaf").xpath("//TIER/@TIER_ID")
        assert any("Grace & <b>" in tier for tier in tiers)
        assert (
            "Grace \\u0026" in Path("res/clip.html").read_text()
            or "Grace & " in Path("res/clip.html").read_text()
        )
        shown = capsys.readouterr().out
        assert "persons 2 -> 2, faces 40 -> 30" in shown
        assert "person 1 is Grace & <b>" in shown

    def test_the_files_are_those_of_an_analysis_with_these_corrections(self) -> None:
        """What `correct` leaves is what analysing again gives, to the byte."""
        export(made())
        ops = (op("rename", 0, name="Grace"), op("split", 2), op("merge", 1, 2))
        assert command(str(PLACE), write(*ops)) == 0
        corrected = contents()
        document = corrections.read(Path("res/clip.corrections.json"))
        export(correct.again(made(), document, labeller=lambda: PLAIN))
        assert contents() == corrected

    def test_they_add_up_and_are_taken_back(self) -> None:
        export(made())
        before = contents()
        assert command(str(PLACE), write(op("rename", 0, name="Grace"))) == 0
        assert command(str(PLACE), write(op("split", 2))) == 0
        assert names_in("res/clip.characters.csv") == ["Grace", "", ""]
        kept = corrections.read(Path("res/clip.corrections.json"))
        assert [c.op for c in kept.corrections] == ["rename", "split"]
        assert command(str(PLACE), "--revert") == 0
        after = contents()
        assert corrections.read(Path("res/clip.corrections.json")).corrections == ()
        assert {name: data for name, data in after.items() if name in before} == before

    def test_a_dry_run_changes_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        export(made())
        before = contents()
        assert command(str(PLACE), write(op("rename", 0, name="Grace")), "--dry-run") == 0
        assert contents() == before
        assert "res/clip.eaf" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("ops", "change", "code", "says"),
        [
            ([op("rename", 9, name="a")], {}, 2, "there is no person 9: nothing was changed"),
            ([op("split", 9)], {}, 2, "there is no track 9"),
            ([op("merge", 0, 9)], {}, 2, "there is no person 9"),
            ([], {"source": {"uri": "b.mp4", "name": "b.mp4", "options": ""}}, 2, "are of b.mp4"),
            (
                [],
                {"source": {"uri": "clip.mp4", "name": "clip.mp4", "options": "0"}},
                2,
                "with other options than res/clip.report.zip",
            ),
            ([], {"version": 7}, 1, "version 7"),
        ],
    )
    def test_what_cannot_be_made_is_told_and_nothing_is_changed(
        self,
        ops: Sequence[Mapping[str, Any]],
        change: dict[str, Any],
        code: int,
        says: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        export(made())
        before = contents()
        assert command(str(PLACE), write(*ops, change=change)) == code
        told = capsys.readouterr().err
        assert says in told
        assert told.count("\n") == 1
        assert contents() == before

    def test_others_can_be_tried_by_their_boxes(self) -> None:
        export(made(rate=2.0, first_track=7))
        told = [plain(c) for c in applied(made(), op("rename", 0, name="Grace")).corrections]
        source = {"uri": "old/b.mp4", "name": "b.mp4", "options": "0"}
        assert command(str(PLACE), write(*told, change={"source": source}), "--force") == 0
        assert names_in("res/clip.characters.csv") == ["Grace", ""]

    def test_what_is_asked_for_must_be_clear(self, capsys: pytest.CaptureFixture[str]) -> None:
        export(made())
        export(made(), "res/twin")
        export(made(uri="far/b.mp4"), "res/b")
        rename = write(op("rename", 0, name="Grace"))
        for arguments, says in (
            ([str(PLACE)], "give a file of corrections, or --revert"),
            ([str(PLACE), rename, "--revert"], "give a file of corrections, or --revert"),
            (["res", rename], "2 reports may be meant"),
            (["res", "--revert"], "3 reports may be meant"),
            (["res/clip.csv", rename], "no report there"),
        ):
            assert command(*arguments) == 2
            assert says in capsys.readouterr().err
        source = {"uri": "b.mp4", "name": "b.mp4", "options": AnalysisOptions().digest()}
        assert command("res", write(op("rename", 1, name="Bob"), change={"source": source})) == 0
        assert names_in("res/b.characters.csv") == ["Ada", "Bob"]

    def test_a_joblist_names_files_corrections_and_changes(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        export(made())
        columns = "source_path,dest_csv,dest_report"
        Path("jobs.csv").write_text(f"{columns}\nclip.mp4,res/clip.csv,res/clip.report.zip\n")
        assert command("jobs.csv", write(op("rename", 0, name="Grace"))) == 0
        assert "a column corrections of jobs.csv" in capsys.readouterr().out
        Path("jobs.csv").write_text(
            f"{columns},corrections\nclip.mp4,res/clip.csv,res/clip.report.zip,kept.json\n"
        )
        assert command("jobs.csv", write(op("split", 2))) == 0
        shown = capsys.readouterr().out
        assert "python -m jobs accept jobs.csv --changes jobs.changes.csv" in shown
        assert "a column corrections" not in shown
        assert len(corrections.read(Path("kept.json")).corrections) == 2
        with open("jobs.changes.csv", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert [Path(row["path"]).name for row in rows] == ["clip.csv", "clip.report.zip"] * 2
        assert all(row["sha256_before"] for row in rows)

    def test_if_one_file_cannot_be_written_none_is_changed(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        export(made())
        before = contents()
        monkeypatch.setattr(
            reports, "save", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "full"))
        )
        assert command(str(PLACE), write(op("rename", 0, name="Grace"))) == 1
        assert contents() == before

    def test_the_medium_itself_is_never_written(self) -> None:
        """A medium beside its results has the name that their video would have."""
        Path("res").mkdir()
        Path("res/clip.mp4").write_bytes(b"the only one")
        export(made(uri="res/clip.mp4"))
        assert command(str(PLACE), write(op("rename", 0, name="Grace")), "--force") == 0
        assert Path("res/clip.mp4").read_bytes() == b"the only one"
        assert main(["forget", "Grace", "--results", "res", "--yes"]) == 0
        assert Path("res/clip.mp4").read_bytes() == b"the only one"

    def test_portraits_stay_where_the_medium_is_gone(self) -> None:
        export(made())
        pictures = {track: b"\xff\xd8 %d" % track for track in portraits.of_tracks(made())}
        reports.save(made(), PLACE, portraits=pictures)
        assert command(str(PLACE), write(op("not_a_face", 1))) == 0
        assert reports.portraits(PLACE) == {t: p for t, p in pictures.items() if t != 1}


class TestForgetting:
    def test_nothing_of_who_was_renamed_is_left(self, folder: Path) -> None:
        export(made())
        assert command(str(PLACE), write(op("rename", 1, name="Grace"), op("split", 2))) == 0
        assert main(["forget", "Grace", "--results", "res", "--yes"]) == 0
        shutil.unpack_archive(PLACE, "whole", "zip")
        for path in [*Path("res").iterdir(), *Path("whole").rglob("*.*")]:
            assert b"Grace" not in path.read_bytes(), path
        report = reports.load(PLACE)
        assert report.uncorrected is not None
        for one in (report, report.uncorrected):
            assert not one.identities.centroids[1].any()
            rows = one.observations.embedding_rows
            assert 1 not in one.observations.track_id[rows]
        assert [c.name for c in report.corrections] == ["", ""]
        assert people(report)[1].identity_id is None
        assert people(report)[0].identity_id == 17

    def test_by_number_the_name_does_not_come_back(self) -> None:
        export(made())
        assert command(str(PLACE), write(op("rename", 1, name="Grace"))) == 0
        assert main(["forget", "person:1", "--results", "res", "--yes"]) == 0
        document = corrections.read(Path("res/clip.corrections.json"))
        again = correct.again(made(), document, labeller=lambda: PLAIN)
        assert people(again)[1].name is None
        assert command(str(PLACE), write(op("split", 2))) == 0
        assert not any("Grace" in name for name in names_in("res/clip.characters.csv"))

    def test_what_the_gallery_said_before_goes_too(self) -> None:
        export(made())
        assert command(str(PLACE), write(op("rename", 0, name="Grace"), op("split", 2))) == 0
        assert main(["forget", "Ada", "--results", "res", "--yes"]) == 0
        report = reports.load(PLACE)
        assert people(report)[0].name == "Grace"
        assert report.uncorrected is not None
        assert people(report.uncorrected)[0].name is None

    def test_without_a_report_what_is_kept_is_mended(self) -> None:
        export(made())
        assert command(str(PLACE), write(op("rename", 1, name="Grace"))) == 0
        for path in Path("res").iterdir():
            if path.name not in ("clip.csv", "clip.corrections.json"):
                path.unlink()
        assert main(["forget", "Grace", "--results", "res", "--yes"]) == 0
        assert b"Grace" not in Path("res/clip.corrections.json").read_bytes()

    def test_corrections_without_results_are_searched(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        export(made())
        assert command(str(PLACE), write(op("rename", 1, name="Grace"))) == 0
        Path("res/clip.corrections.json").rename("res/lost.corrections.json")
        assert main(["forget", "Grace", "--results", "res", "--yes"]) == 1
        assert "left: res/lost.corrections.json" in capsys.readouterr().err
