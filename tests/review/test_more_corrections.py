"""Corrections of sex and age, of moments, of faces that were missed, of tracks that change."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analyzer.attributes.labeller import PLAIN
from analyzer.erasure import strip
from analyzer.errors import InputError
from analyzer.reports import corrections_file, report_file
from analyzer.reports.corrections_file import correction_from_json, correction_to_json
from analyzer.review import apply
from analyzer.types import MediaReport
from analyzer.types.corrections import apart, combine
from tests.support.corrected import applied, box, op, people, sample_report
from tests.support.reports import make_report

FACE = [box(0.4, 500, 200, 560, 280), box(1.6, 540, 200, 600, 280)]
"""A face that was missed, beside the others."""
ALL: tuple[Mapping[str, Any], ...] = (
    op("sex", 0, label="f"),
    op("age", 0, label="62"),
    op("split_at", 1, time_s=1.0),
    op("not_this_person", 2),
    op("add_face", 1, drawn=FACE),
    op("not_same", 0, 1),
    op("merge", 1, 2),
)


def rows_of(report: MediaReport, track: int) -> Any:
    return np.nonzero(report.observations.track_id == track)[0]


def adds_up(report: MediaReport) -> bool:
    tally = report.tally
    found = tally.faces_detected + tally.faces_tracked + tally.faces_added
    return found - tally.faces_filtered == tally.faces_saved == len(
        report.observations
    ) and tally.faces_kept == sum(person.face_count for person in report.persons)


class TestSexAndAge:
    def test_stand_in_the_person_and_all_its_rows_and_tracks(self) -> None:
        report = sample_report()
        after = applied(report, op("sex", 0, label="f"), op("age", 0, label="62"))
        ada = people(after)[0]
        assert (ada.attributes["sex"].label, ada.attributes["age"].label) == ("f", "62.0")
        assert (ada.attributes["age"].low, ada.name, ada.corrected) == (None, "Ada", 2)
        assert people(after)[1].corrected == 0
        own = after.row_persons() == 0
        labels = np.array(after.row_attributes["sex"].label)
        assert set(labels[own]) == {"f"}
        assert set(labels[~own]) == {"m"}
        assert after.track_attributes["age"].label == ("62.0", "40.0", "62.0", "40.0")
        assert np.isnan(after.row_attributes["age"].value[own]).all()

    def test_go_with_the_person_that_a_merge_keeps(self) -> None:
        sexes = (op("sex", 0, label="f"), op("sex", 1, label="m"))
        after = applied(sample_report(), *sexes, op("merge", 0, 1))
        (person,) = after.persons
        assert (person.attributes["sex"].label, person.corrected) == ("f", 3)

    def test_can_be_unknown(self) -> None:
        after = applied(sample_report(), op("sex", 0, label=""), op("age", 0, label=""))
        assert [a.label for a in people(after)[0].attributes.values()] == ["", ""]


class TestMoments:
    def test_not_this_person_leaves_the_track_to_nobody(self) -> None:
        after = applied(sample_report(), op("not_this_person", 2))
        assert after.identities.person_ids.tolist() == [0, 1, -1, -1]
        assert (people(after)[0].face_count, people(after)[0].corrected) == (10, 1)
        assert adds_up(after)

    def test_a_track_is_cut_where_the_person_changes(self) -> None:
        after = applied(sample_report(), op("split_at", 0, time_s=1.0))
        times = after.observations.time_s
        assert times[rows_of(after, 0)].max() == pytest.approx(0.8)
        assert times[rows_of(after, 4)].min() == pytest.approx(1.0)
        new = people(after)[2]
        assert (new.track_ids, new.name, new.intervals) == ((4,), None, ((1.0, pytest.approx(2)),))
        assert people(after)[0].track_ids == (0, 2)
        assert len(after.track_attributes["sex"].label) == 5
        assert people(after)[0].corrected == new.corrected == 1
        assert adds_up(after)

    @pytest.mark.parametrize("time_s", [0.0, 2.0])
    def test_a_cut_must_lie_in_the_track(self, time_s: float) -> None:
        cut = correction_from_json(op("split_at", 0, time_s=time_s))
        _, (step,) = apply.apply(sample_report(), [cut], labeller=lambda: PLAIN)
        assert step.fault == f"the track is not on both sides of {time_s:.1f} s"

    def test_what_is_not_the_same_is_remembered(self) -> None:
        after = applied(sample_report(), op("split", 3), op("not_same", 0, 2), op("not_same", 1, 2))
        assert apart(after.corrections) == {(0, 2), (1, 2)}
        merged = applied(sample_report(), *after.corrections, op("merge", 1, 0))
        assert apart(merged.corrections) == {(1, 2)}
        assert [p.corrected for p in after.persons] == [0, 0, 1]


class TestAddedFaces:
    def test_have_a_box_at_every_sample_between_the_drawn_ones(self) -> None:
        after = applied(sample_report(), op("add_face", 1, drawn=FACE))
        table, rows = after.observations, rows_of(after, 4)
        np.testing.assert_allclose(table.time_s[rows], np.arange(2, 9) / 5)
        np.testing.assert_allclose(table.boxes[rows, 0], 500 + 40 * np.arange(7) / 6, atol=1e-3)
        assert table.frame[rows].tolist() == [10, 15, 20, 25, 30, 35, 40]
        assert np.isnan(table.detect_conf[rows]).all()
        assert (np.diff(table.time_s) >= 0).all()
        assert (after.tally.faces_added, people(after)[1].face_count) == (7, 17)
        assert adds_up(after)
        found = table.embeddings[np.argsort(table.track_id[table.embedding_rows], kind="stable")]
        np.testing.assert_array_equal(found.argmax(axis=1), np.repeat([0, 1, 2, 3], 10))

    def test_where_no_face_was_found_they_have_samples_of_their_own(self) -> None:
        drawn = [box(5.0, 0, 0, 50, 50), box(5.5, 50, 0, 100, 50)]
        after = applied(sample_report(), op("add_face", -1, drawn=drawn))
        table, rows = after.observations, rows_of(after, 4)
        np.testing.assert_allclose(table.time_s[rows], [5.0, 5.16, 5.32, 5.5], atol=0.001)
        np.testing.assert_allclose(table.frame[rows], 25 * table.time_s[rows], atol=0.51)
        assert people(after)[2].face_count == len(rows)

    def test_they_never_go_over_a_cut(self) -> None:
        drawn = [box(1.6, 500, 200, 560, 280), box(2.0, 540, 200, 600, 280)]
        correction = correction_from_json(op("add_face", 1, drawn=drawn))
        after, (step,) = apply.apply(sample_report(), [correction], labeller=lambda: PLAIN)
        assert step.fault == "there is a cut between its boxes"
        assert after.tally.faces_added == 0

    def test_a_medium_without_any_face(self) -> None:
        after = applied(make_report(), op("add_face", -1, drawn=[box(1.0, 0, 0, 50, 50)]))
        (person,) = after.persons
        assert (person.face_count, person.first_s) == (1, 1.0)

    def test_where_another_analysis_finds_the_face_it_is_the_persons(self) -> None:
        drawn = [box(2.2, 244, 150, 304, 220), box(3.6, 272, 150, 332, 220)]
        after = applied(sample_report(), op("add_face", 1, drawn=drawn))
        assert after.tally.faces_added == 0
        assert people(after)[1].track_ids == (1, 3)
        redrawn = applied(sample_report(), op("not_a_face", 3), op("add_face", 1, drawn=drawn))
        assert redrawn.tally.faces_added > 0, "what is not a face is not meant"


class TestAgain:
    @pytest.mark.parametrize("rate", [25.0, 5.0, 2.0])
    def test_another_analysis_is_corrected_the_same(self, rate: float) -> None:
        kept = applied(sample_report(), *ALL).corrections
        after = applied(sample_report(rate=rate, first_track=40), *kept)
        by_number = people(after)
        assert by_number[0].attributes["age"].label == "62.0"
        assert by_number[0].track_ids == (40,)
        assert by_number[1].track_ids == (41, 44, 45)
        added = after.observations.time_s[rows_of(after, 45)]
        assert added.min() == pytest.approx(0.4, abs=1 / rate)
        assert apart(after.corrections) == {(0, 1)}
        assert adds_up(after)
        assert (after.tally.corrected, [p.corrected for p in after.persons]) == (7, [4, 3])

    def test_what_is_written_is_read(self, tmp_path: Path) -> None:
        after = applied(sample_report(), *ALL)
        document = apply.document_of(after)
        corrections_file.write(document, tmp_path / "a.json")
        assert corrections_file.read(tmp_path / "a.json") == document
        made = [correction_from_json(correction_to_json(c)) for c in after.corrections]
        assert made == list(after.corrections)
        assert combine(after.corrections, made) == after.corrections
        report_file.save(after, tmp_path / "a.report.zip", portraits={})
        again = report_file.load(tmp_path / "a.report.zip")
        assert [p.corrected for p in again.persons] == [p.corrected for p in after.persons]
        np.testing.assert_array_equal(again.observations.boxes, after.observations.boxes)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (op("sex", 0, label="x"), "'x' is no sex"),
            (op("age", 0, label="old"), "could not convert"),
            (op("age", 0, label="-3"), "'-3' is no age"),
            (op("add_face", 0, drawn=[]), "needs a box"),
            (op("add_face", 0, drawn=[box(1, 5, 5, 5, 9)]), "no box of a face"),
            (op("add_face", 0, drawn=[FACE[0], FACE[0]]), "at one time"),
            (op("split_at", 0), "'time_s' is missing"),
            (op("not_same", 0, 0), "needs two persons"),
        ],
    )
    def test_what_is_none_is_refused(
        self, change: Mapping[str, Any], reason: str, tmp_path: Path
    ) -> None:
        document = corrections_file.CorrectionsDocument(uri="", name="", options="", corrections=())
        corrections_file.write(document, tmp_path / "a.json")
        text = (tmp_path / "a.json").read_text()
        values = {**json.loads(text), "corrections": [change]}
        (tmp_path / "a.json").write_text(json.dumps(values))
        with pytest.raises(InputError, match=reason):
            corrections_file.read(tmp_path / "a.json")


def test_who_is_forgotten_leaves_no_embedding_of_a_cut_track_behind() -> None:
    after = applied(sample_report(), op("split_at", 0, time_s=1.0))
    stripped = strip.erase_from_report(after, [2], None)
    before = stripped.uncorrected
    assert before is not None
    assert 0 not in before.observations.track_id[before.observations.embedding_rows]
