"""Corrections of who is who, in reports."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analyzer.attributes.labeller import PLAIN
from analyzer.errors import InputError
from analyzer.observations.table import take
from analyzer.reports import corrections_file, report_file
from analyzer.reports.corrections_file import correction_from_json, correction_to_json
from analyzer.review import anchors, apply
from analyzer.types import MediaReport, TrackPersons
from analyzer.types.corrections import combine
from tests.support.corrected import AXES, applied, op, people, sample_report, write
from tests.support.reports import Face, make_report


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def owners(report: MediaReport) -> dict[int, int]:
    persons = report.identities
    return dict(zip(persons.track_ids.tolist(), persons.person_ids.tolist(), strict=True))


def adds_up(report: MediaReport) -> bool:
    tally, rows = report.tally, report.row_persons()
    faces = sum(person.face_count for person in report.persons)
    return (
        tally.faces_detected + tally.faces_tracked - tally.faces_filtered == tally.faces_saved
        and tally.faces_saved == len(report.observations)
        and tally.faces_kept == faces == (rows >= 0).sum()
    )


class TestOperations:
    def test_rename_gives_a_name_and_takes_the_gallerys(self) -> None:
        report = sample_report()
        after = applied(report, op("rename", 0, name="Grace"), op("rename", 1, name="王"))
        by_number = people(after)
        assert (by_number[0].name, by_number[1].name) == ("Grace", "王")
        assert (by_number[0].name_distance, by_number[0].candidates) == (None, ())
        assert (by_number[0].identity_id, by_number[0].intervals) == (
            17,
            people(report)[0].intervals,
        )
        assert applied(report, op("rename", 0, name="")).persons[0].name is None

    def test_merge_makes_one_of_both(self) -> None:
        after = applied(sample_report(), op("merge", 1, 0))
        (person,) = after.persons
        assert (person.person_id, person.track_ids, person.identity_id) == (1, (0, 1, 2), 18)
        assert person.face_count == 30
        assert person.screen_time_s == pytest.approx(4.0), "twice in a picture counts once"
        assert person.intervals == ((0.0, pytest.approx(4.0)),)
        np.testing.assert_allclose(after.identities.centroids[1, :3], [1 / 3] * 3, atol=1e-6)
        assert not after.identities.centroids[0].any()
        assert adds_up(after)

    def test_merge_of_two_who_are_seen_at_once_is_told(self) -> None:
        after = applied(sample_report(), op("merge", 0, 1))
        (note,) = after.notes
        assert "they are seen at once, first at 0.0 s, in 10 pictures" in note

    def test_split_makes_a_new_person(self) -> None:
        report = sample_report()
        after = applied(report, op("split", 2))
        by_number = people(after)
        assert owners(after) == {0: 0, 1: 1, 2: 2, 3: -1}
        assert (by_number[0].name, by_number[0].identity_id, by_number[0].track_ids) == (
            "Ada",
            17,
            (0,),
        )
        assert (by_number[2].name, by_number[2].identity_id, by_number[2].candidates) == (
            None,
            None,
            (),
        )
        assert by_number[2].intervals == ((2.0, pytest.approx(4.0)),)
        assert by_number[1] == people(report)[1]
        np.testing.assert_allclose(after.identities.centroids, AXES[:3], atol=1e-6)
        assert adds_up(after)

    def test_nobodys_track_becomes_somebody(self) -> None:
        after = applied(sample_report(), op("split", 3), op("rename", 2, name="Bob"))
        assert people(after)[2].name == "Bob"
        assert after.tally.faces_kept == after.tally.faces_saved
        assert adds_up(after)

    def test_not_a_face_is_left_out(self) -> None:
        after = applied(sample_report(), op("not_a_face", 1), op("not_a_face", 3))
        assert owners(after) == {0: 0, 2: 0}
        assert set(after.observations.track_id.tolist()) == {0, 2}
        assert len(after.row_attributes["sex"].label) == len(after.observations) == 20
        assert len(after.track_attributes["sex"].label) == 2
        assert (after.tally.faces_filtered, after.tally.faces_saved) == (20, 20)
        assert [p.person_id for p in after.persons] == [0]
        assert adds_up(after)

    def test_all_combined(self) -> None:
        after = applied(
            sample_report(),
            op("rename", 1, name="Grace"),
            op("split", 2),
            op("merge", 1, 2),
            op("split", 3),
            op("not_a_face", 0),
        )
        by_number = people(after)
        assert owners(after) == {1: 1, 2: 1, 3: 3}
        assert {number: person.name for number, person in by_number.items()} == {
            1: "Grace",
            3: None,
        }
        assert by_number[1].screen_time_s == pytest.approx(4.0)
        assert adds_up(after)

    def test_the_posters_faces_follow(self) -> None:
        def matches(*ops: Mapping[str, Any]) -> list[int]:
            poster = applied(sample_report(), *ops).poster
            assert poster is not None
            return poster.person_ids.tolist()

        assert matches(op("merge", 0, 1)) == [0, 0]
        assert matches(op("not_a_face", 1)) == [0, -1]
        assert matches(op("split", 1)) == [0, 2]
        assert matches(op("split", 3)) == [0, 1]

    def test_none_give_the_report_back(self) -> None:
        report = sample_report()
        assert apply.apply(report, (), labeller=lambda: PLAIN) == (report, ())

    def test_who_was_forgotten_has_no_embeddings_to_average(self) -> None:
        report = sample_report()
        keep = report.observations.track_id[report.observations.embedding_rows] == 3
        table = replace(
            report.observations,
            embeddings=report.observations.embeddings[keep],
            embedding_rows=report.observations.embedding_rows[keep],
        )
        track_persons = replace(report.identities, centroids=np.zeros((2, 8), np.float32))
        after = applied(
            replace(report, observations=table, identities=track_persons),
            op("split", 2),
            op("merge", 0, 1),
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
        before = applied(sample_report(), *ops)
        other = sample_report(rate=rate, first_track=40)
        after = applied(other, *before.corrections)
        assert owners(after) == {40: 0, 41: 1, 42: 1}
        assert people(after)[0].name == "Grace"
        assert after.uncorrected is other

    def test_a_face_of_the_shot_before_is_not_meant(self) -> None:
        """Track 0 ends where 2 begins, at the same place, in the same sample."""
        split = applied(sample_report(rate=25.0), op("split", 2)).corrections
        other = sample_report(rate=0.8)
        keep = other.observations.track_id != 2
        table = take(other.observations, keep)
        last = table.time_s[table.track_id == 0].max() + table.duration_s[0]
        assert last > 2.2, "but for the cut it would be meant"
        track_persons = TrackPersons(
            track_ids=np.array([0, 1, 3]),
            person_ids=np.array([0, 1, -1]),
            centroids=other.identities.centroids,
        )
        without = replace(
            other,
            observations=table,
            identities=track_persons,
            row_attributes={},
            track_attributes={},
        )
        _, (step,) = apply.apply(without, split, labeller=lambda: PLAIN)
        assert step.fault.startswith("no face is where track 2 was at 2.2, 2.6, 3.0, 3.4, 3.8 s")

    def test_what_is_not_found_is_noted_and_kept(self) -> None:
        document = apply.document_of(applied(sample_report(), op("not_a_face", 1)))
        nobody = make_report([Face(0, 0.0, (600, 300, 630, 330))])
        after = apply.reapply(nobody, document, labeller=lambda: PLAIN)
        assert after.corrections == document.corrections
        (note,) = after.notes
        assert note.startswith(
            "correction 1 (track 1 is not a face) was not made: no face is where"
        )

    def test_where_nobody_is_seen_at_all(self) -> None:
        document = apply.document_of(
            applied(sample_report(), op("merge", 0, 1), op("not_a_face", 3))
        )
        after = apply.reapply(make_report(), document, labeller=lambda: PLAIN)
        assert [note.split(" (")[0] for note in after.notes] == ["correction 1", "correction 2"]
        assert after.persons == ()

    def test_another_mediums_are_told(self) -> None:
        document = apply.document_of(applied(sample_report(), op("rename", 0, name="Grace")))
        after = apply.reapply(sample_report(uri="other.mp4"), document, labeller=lambda: PLAIN)
        assert after.notes == ("corrections are of clip.mp4, and this is other.mp4",)
        assert apply.reapply(nothing := sample_report(), None, labeller=lambda: PLAIN) is nothing


class TestFile:
    def test_what_is_written_is_read(self) -> None:
        after = applied(
            sample_report(), op("rename", 0, name="王 \\ <b>"), op("merge", 0, 1), op("split", 2)
        )
        document = apply.document_of(after)
        corrections_file.write(document, Path("a.json"))
        assert corrections_file.read(Path("a.json")) == document
        assert [correction_from_json(correction_to_json(c)) for c in after.corrections] == list(
            after.corrections
        )

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
        with pytest.raises(InputError, match=reason) as error:
            corrections_file.read(Path("corrections.json"))
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize(
        ("text", "reason"), [("{", "not JSON .line 1.: save it"), ("[]", "not a file of corr")]
    )
    def test_what_is_broken_is_refused(self, text: str, reason: str) -> None:
        Path("a.json").write_text(text)
        with pytest.raises(InputError, match=reason):
            corrections_file.read(Path("a.json"))
        with pytest.raises(InputError, match="give the file that the page has saved"):
            corrections_file.read(Path("missing.json"))

    def test_the_same_page_saved_again_counts_once(self) -> None:
        first, second, third = (correction_from_json(op("split", n)) for n in (1, 2, 3))
        assert combine((first,), (first, second)) == (first, second)
        assert combine((first, second), (first,)) == (first, second)
        assert combine((first,), (third,)) == (first, third)
        saved = applied(sample_report(), first).corrections
        assert combine(saved, (first, second)) == (*saved, second)

    def test_kept_numbers_are_those_of_the_report_without_corrections(self) -> None:
        """So that they can be opened in its page, whatever number another page has shown."""
        once = applied(sample_report(), op("split", 2), op("not_a_face", 2))
        faces = anchors.Anchors(once).sample([3])
        rename = replace(correction_from_json(op("rename", 2, name="Bob")), anchors=(faces,))
        after = applied(sample_report(), *once.corrections, op("split", 3), rename)
        assert after.corrections[-1].numbers == (3,)
        assert people(after)[3].name == "Bob"
        assert combine(after.corrections, (*after.corrections[:3], rename)) == after.corrections
        other = applied(sample_report(rate=2.0, first_track=40), *after.corrections)
        assert [c.numbers for c in other.corrections] == [(42,), (42,), (43,), (3,)]

    def test_a_report_keeps_what_it_was_before(self) -> None:
        report = sample_report()
        after = applied(report, op("split", 2), op("not_a_face", 1))
        report_file.save(after, Path("a.report.zip"), portraits={})
        read = report_file.load(Path("a.report.zip"))
        assert read.corrections == after.corrections
        assert read.uncorrected is not None
        assert read.persons == after.persons
        assert read.uncorrected.persons == report.persons
        np.testing.assert_array_equal(read.observations.boxes, after.observations.boxes)
        np.testing.assert_array_equal(
            read.uncorrected.observations.embeddings, report.observations.embeddings
        )
