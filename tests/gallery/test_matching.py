"""Persons and names, and a poster's faces and persons, by distances that are known."""

from dataclasses import replace

import numpy as np
import pytest

from analyzer.erasure import strip
from analyzer.gallery import matching
from analyzer.types.people import Gallery
from tests.support.reports import Face, make_report

THRESHOLD = 0.5
EAST, NORTH = np.eye(4, dtype=np.float32)[:2]


def report_of(*embeddings, together=False):
    """One track and person an embedding, each in a frame of its own or all in one."""
    faces = [
        Face(0 if together else i, float(i), (0, 0, 50, 50), track=i)
        for i in range(len(embeddings))
    ]
    report = make_report(faces)
    rows = np.array(embeddings, np.float32)
    return replace(
        report,
        observations=replace(report.observations, embeddings=rows),
        identities=replace(report.identities, centroids=rows),
    )


def gallery_of(**portraits):
    pairs = [(name, row) for name, rows in portraits.items() for row in rows]
    return Gallery(
        names=tuple(name for name, _ in pairs),
        embeddings=np.array([row for _, row in pairs], np.float32),
    )


def names(report):
    return [person.name for person in report.persons]


def test_a_person_has_the_name_of_the_portrait_and_a_stranger_has_none():
    named = matching.name_persons(
        report_of(EAST, NORTH), gallery_of(ada=[EAST * 1.1], bob=[-EAST]), THRESHOLD
    )
    assert names(named) == ["ada", None]
    ada, stranger = named.persons
    assert ada.name_distance == pytest.approx(0.1)
    assert ada.candidates[0].probability > 0.99
    assert [c.name for c in stranger.candidates] == ["bob", "ada"]
    assert stranger.name_distance is None
    assert stranger.candidates[0].distance == pytest.approx(np.sqrt(2))


def test_who_was_forgotten_gets_no_name():
    report = report_of(EAST, NORTH)
    people = gallery_of(ada=[EAST], bob=[NORTH])
    wholly, partly = strip.erase_from_report(report, [0], None), report
    owners = replace(report.identities, centroids=np.stack([EAST * 0, NORTH]))
    for each in (wholly, replace(partly, identities=owners)):
        named = matching.name_persons(each, people, THRESHOLD)
        assert names(named) == [None, "bob"]
        assert named.persons[0].candidates == ()
    faces = np.stack([EAST, NORTH])
    ids, _ = matching.match(faces, wholly, THRESHOLD)
    assert ids.tolist() == [-1, 1]
    nobody = strip.erase_from_report(report, [0, 1], None)
    assert names(matching.name_persons(nobody, people, THRESHOLD)) == [None, None]
    assert matching.match(faces, nobody, THRESHOLD)[0].tolist() == [-1, -1]


def test_a_portrait_at_the_threshold_is_as_likely_as_somebody_else():
    named = matching.name_persons(report_of(EAST), gallery_of(ada=[EAST * 1.5]), THRESHOLD)
    assert named.persons[0].candidates[0].probability == pytest.approx(0.5)
    assert names(named) == [None]


def test_somebody_who_looks_like_two_people_has_no_name_unless_more_portraits_speak_for_one():
    ada, bob = EAST * 1.3, EAST * 0.7
    undecided = matching.name_persons(report_of(EAST), gallery_of(ada=[ada], bob=[bob]), THRESHOLD)
    assert names(undecided) == [None]
    two = matching.name_persons(report_of(EAST), gallery_of(ada=[ada, ada], bob=[bob]), THRESHOLD)
    assert names(two) == ["ada"]


def test_two_persons_of_one_picture_never_share_a_name():
    persons, gallery = (EAST, EAST * 1.2), gallery_of(ada=[EAST])
    apart = matching.name_persons(report_of(*persons), gallery, THRESHOLD)
    assert names(apart) == ["ada", "ada"]
    together = matching.name_persons(report_of(*persons, together=True), gallery, THRESHOLD)
    assert names(together) == ["ada", None]


def test_an_empty_gallery_and_an_empty_medium():
    nobody = Gallery(names=(), embeddings=np.empty((0, 4), np.float32))
    assert names(matching.name_persons(report_of(EAST), nobody, THRESHOLD)) == [None]
    assert matching.name_persons(make_report(), gallery_of(ada=[EAST]), THRESHOLD).persons == ()


def test_a_poster_face_is_the_person_of_most_of_the_nearest_faces():
    report = report_of(EAST, EAST * 1.05, NORTH, EAST * 1.02)
    owners = replace(report.identities, person_ids=np.array([0, 0, 1, 2]))
    report = replace(report, identities=owners)
    persons, distance = matching.match(np.stack([EAST * 1.02, -NORTH]), report, THRESHOLD)
    assert persons.tolist() == [0, -1]
    assert distance[0] == pytest.approx(0.02, abs=1e-6)
    assert distance[1] > THRESHOLD


def test_faces_of_nobody_are_matched_to_nothing():
    report = report_of(EAST)
    report = replace(report, identities=replace(report.identities, person_ids=np.array([-1])))
    persons, distance = matching.match(EAST[None], report, THRESHOLD)
    assert (persons.tolist(), np.isnan(distance).tolist()) == ([-1], [True])


def test_distances_are_euclidean():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(5, 8)), rng.normal(size=(7, 8))
    expected = np.linalg.norm(a[:, None] - b[None], axis=2)
    np.testing.assert_allclose(matching.distances(a, b), expected, atol=1e-9)
