"""What a correction hits: the face that is there, and the track that it names."""

from dataclasses import replace

import numpy as np
import pytest

from analyzer.attributes.labeller import PLAIN
from analyzer.reports.corrections_file import correction_from_json, correction_to_json
from analyzer.review import apply
from analyzer.review.anchors import Anchors
from analyzer.types import MediaReport
from tests.support.corrected import applied, op, sample_report
from tests.support.reports import Face, make_report

SEEDS = 200


def crowded(seed: int, *, first_track: int = 0) -> MediaReport:
    """Tracks with gaps that lie on each other, at half a pixel: others fill the gap of one."""
    random = np.random.default_rng(seed)
    places = random.uniform(0, 60, (3, 2))
    faces = []
    for track in range(int(random.integers(2, 6))):
        left, top = places[random.integers(3)] + random.choice([0, 0.5, 1.0], 2)
        begin, end = np.sort(random.choice(20, 2, replace=False))
        for i in range(begin, end + 1):
            is_gap = begin < i < end and random.random() < 0.4
            if not is_gap:
                box = (left, top, left + 40, top + 40)
                faces.append(Face(5 * i, i / 5, box, track=first_track + track))
    faces.sort(key=lambda face: (face.frame, face.track))
    owners = {track: number for number, track in enumerate(sorted({f.track for f in faces}))}
    return make_report(faces, persons=owners)


def tracks_of(report: MediaReport) -> set[int]:
    return set(report.identities.track_ids.tolist())


@pytest.mark.parametrize("kind", ["numbers alone", "with anchors"])
def test_not_a_face_takes_the_track_that_it_names_and_no_other(kind: str) -> None:
    for seed in range(SEEDS):
        report = crowded(seed)
        for track in sorted(tracks_of(report)):
            made = op("not_a_face", track)
            if kind == "with anchors":
                anchor = applied(report, made).corrections[0]
                made = correction_to_json(anchor)
            after = applied(report, made)
            assert tracks_of(report) - tracks_of(after) == {track}, (seed, track)


def test_with_other_numbers_it_takes_no_two_faces_of_one_picture() -> None:
    """As in another analysis: the boxes alone tell, and pieces of a track share no picture."""
    missed = total = 0
    for seed in range(SEEDS):
        report, other = crowded(seed), crowded(seed, first_track=40)
        for track in sorted(tracks_of(report)):
            made = applied(report, op("not_a_face", track)).corrections
            after, (step,) = apply.apply(other, made, labeller=lambda: PLAIN)
            assert not step.fault
            gone = sorted(tracks_of(other) - tracks_of(after))
            frames = [
                set(other.observations.frame[other.observations.track_id == t].tolist())
                for t in gone
            ]
            assert sum(map(len, frames)) == len(set().union(*frames)), (seed, track, gone)
            missed, total = missed + (gone != [track + 40]), total + 1
    assert missed < 0.05 * total, "only where two lie within the rounding of a box"


def test_a_row_counts_more_than_a_gap_that_is_filled() -> None:
    """The gap of track 0 is at the very place of the anchor, the row of track 1 beside it."""
    faces = [
        Face(0, 0.0, (10, 10, 50, 50)),
        Face(10, 0.4, (13, 10, 53, 50), track=1),
        Face(20, 0.8, (10, 10, 50, 50)),
    ]
    report = make_report(faces)
    correction = correction_from_json(
        {
            "op": "not_a_face",
            "track": 7,
            "anchor": [{"time_s": 0.4, "bbox": [10, 10, 50, 50]}],
        }
    )
    assert tracks_of(applied(report, correction)) == {0}


@pytest.mark.parametrize("number", [0, 1])
def test_of_two_at_one_place_the_named_person_is_meant(number: int) -> None:
    faces = [Face(0, 0.0, (10, 10, 50, 50), track=t) for t in (0, 1)]
    after = applied(make_report(faces), op("rename", number, name="Ada"))
    assert {p.person_id: p.name for p in after.persons} == {number: "Ada", 1 - number: None}


def test_a_gap_is_found_where_another_analysis_saw_the_face() -> None:
    report = sample_report()
    keep = [0, 9]
    rows = report.observations.track_id == 0
    times = report.observations.time_s[rows][keep]
    (anchor,) = Anchors(report).sample([0])[2:3]
    assert times[0] < anchor.time_s < times[1]
    faces = [
        Face(0, float(t), tuple(box), track=3, duration_s=0.1)
        for t, box in zip(times, report.observations.boxes[rows][keep], strict=True)
    ]
    assert Anchors(make_report(faces)).tracks_at([anchor], []) == [3]


def test_a_still_is_found_by_the_end_of_its_path() -> None:
    faces = [Face(i, float(i), (10, 10, 50, 50), track=i, duration_s=0.0) for i in range(3)]
    report = make_report(faces, kind="image")
    stills = ("x/a/1.jpg", "x/b/1.jpg", "x/b/2.jpg")
    report = replace(report, info=replace(report.info, stills=stills))
    found = Anchors(report)
    assert [found.sample([track])[0].picture for track in range(3)] == [
        *("a/1.jpg", "b/1.jpg", "2.jpg"),
    ]
    moved = replace(report, info=replace(report.info, stills=("y/b/1.jpg", "y/a/1.jpg")))
    assert Anchors(moved).tracks_at(found.sample([0]), []) == [1]
    assert Anchors(moved).tracks_at(found.sample([2]), []) == []
