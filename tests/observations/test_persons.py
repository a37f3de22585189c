"""Persons: screen time, presence, size, and attributes weighted by quality."""

import numpy as np
import pytest

from analyzer.attributes.labeller import Labeller
from analyzer.observations import persons, tracks
from analyzer.options import AGGREGATES
from tests.support.observations import faces, observe


def test_persons_are_numbered_by_first_track_and_sorted_by_screen_time():
    table = observe([0, 1, 1, 1, 2], faces(0, 1, 1, 1, 0))
    embedded = tracks.embed(table)
    owners = persons.identities(np.array([5, 3, 5]), embedded, np.arange(3))
    assert owners.person_ids.tolist() == [0, 1, 0]
    rows = owners.person_ids[table.track_id]
    people = persons.persons(table, rows, owners)
    assert [p.person_id for p in people] == [1, 0]
    assert people[1].track_ids == (0, 2)
    assert people[1].face_count == 2
    assert (people[1].first_s, people[1].last_s) == pytest.approx((0, 1.0))
    assert people[1].screen_time_s == pytest.approx(0.4)
    assert people[0].mean_area_ratio == pytest.approx(0.16)


def test_a_frame_counts_once_even_if_a_mirror_shows_the_person_twice():
    table = observe([0, 1], faces(0, 0), frames=[3, 3])
    owners = persons.identities(np.array([0, 0]), tracks.embed(table), np.arange(2))
    person = persons.persons(table, np.zeros(2, np.int64), owners)[0]
    assert person.screen_time_s == pytest.approx(0.2)


def test_a_track_without_a_description_belongs_to_nobody():
    table = observe([0, 1], faces(0), embedding_rows=np.array([1]))
    owners = persons.identities(np.array([0]), tracks.embed(table), np.arange(2))
    assert owners.person_ids.tolist() == [-1, 0]


def test_track_averages_are_weighted_by_quality():
    sex = np.array([[4.0], [-1.0], [-3.0]], np.float32)
    sharpness = np.array([0.1, 0.9, 1.0], np.float32)
    table = observe([0, 0, 1], faces(0, 0, 1), heads={"sex": sex}, sharpness=sharpness)
    got = persons.average_tracks(table, np.arange(2))["sex"]
    assert got.value == pytest.approx([0.1 * 4 - 0.9, -3], abs=1e-5)
    assert got.label == ("f", "f")


def test_nobody():
    empty = observe([], np.empty((0, 8)), heads={"age": np.empty((0, 9), np.float32)})
    owners = persons.identities(np.empty(0, np.int64), tracks.embed(empty), np.empty(0, np.int64))
    assert persons.persons(empty, np.empty(0, np.int64), owners) == ()
    assert persons.average_tracks(empty, owners.track_ids)["age"].label == ()


def test_persons_with_few_faces_are_dropped_and_the_rest_numbered_anew():
    table = observe([0, 1, 1, 2, 2], faces(0, 1, 1, 2, 2))
    owners = persons.identities(np.array([0, 1, 2]), tracks.embed(table), np.arange(3))
    left, dropped = persons.drop_small(owners, table, 2)
    assert left.person_ids.tolist() == [-1, 0, 1]
    assert (len(left.centroids), dropped) == (2, 1)


def test_presence_joins_samples_without_a_gap():
    table = observe([0] * 5, faces(*[0] * 5), frames=[0, 1, 2, 5, 6])
    owners = persons.identities(np.array([0]), tracks.embed(table), np.arange(1))
    person = persons.persons(table, np.zeros(5, np.int64), owners)[0]
    assert np.array(person.intervals) == pytest.approx(np.array([[0, 0.6], [1.0, 1.4]]))


def test_area_is_relative_to_the_picture_without_bars():
    box = np.array([0, 0.25, 1, 0.75], np.float32)
    table = observe([0], faces(0), canvas=box)
    owners = persons.identities(np.array([0]), tracks.embed(table), np.arange(1))
    person = persons.persons(table, np.zeros(1, np.int64), owners)[0]
    assert person.mean_area_ratio == pytest.approx(0.32)


SEX = {"weighted": 3.5, "mean": 0.0, "median": -1.0, "vote": -2.0}
"""Of one track: its surest and clearest face looks different from the two others."""


@pytest.mark.parametrize("aggregate_as", AGGREGATES)
def test_tracks_and_persons_are_aggregated_as_asked_for(aggregate_as):
    sex = np.array([[-1.0], [4.0], [-3.0]], np.float32)
    sharpness = np.array([0.1, 0.9, 0.0], np.float32)
    table = observe([0, 0, 0], faces(0, 0, 0), heads={"sex": sex}, sharpness=sharpness)
    labeller = Labeller(aggregate=aggregate_as)
    tracked = persons.average_tracks(table, np.arange(1), labeller)["sex"]
    owners = persons.identities(np.array([0]), tracks.embed(table), np.arange(1))
    person = persons.persons(table, np.zeros(3, np.int64), owners, labeller)[0]
    # Not quite 3.5: the least weight of a face is not quite nothing.
    expected = pytest.approx(SEX[aggregate_as], abs=0.02)
    assert tracked.value[0] == person.attributes["sex"].value == expected
    assert tracked.label == (person.attributes["sex"].label,)


def test_faint_faces_are_a_person_where_they_are_seen_long_enough():
    faint = np.array([0.6, 0.6, 0.6, 0.6, 1.3, np.nan], np.float32)
    table = observe([0, 1, 1, 1, 2, 3], faces(0, 1, 1, 1, 2, 3), recognisability=faint)
    owners = persons.identities(np.arange(4), tracks.embed(table), np.arange(4))
    left = persons.drop_glimpses(owners, table)
    assert left.person_ids.tolist() == [-1, 0, 1, 2]


def test_the_faces_of_no_person_are_summed_up_as_one():
    heads = {"sex": np.ones((3, 1), np.float32)}
    table = observe([0, 1, 2], faces(0, 1, 2), frames=[0, 0, 7], heads=heads)
    owners = persons.identities(np.arange(3), tracks.embed(table), np.arange(3))
    nobody = np.array([-1, -1, 0])
    owners = type(owners)(track_ids=owners.track_ids, person_ids=nobody, centroids=owners.centroids)
    rest = persons.unidentified(table, nobody, owners)
    assert (rest.face_count, rest.track_ids, rest.attributes) == (2, (0, 1), {})
    assert rest.screen_time_s == pytest.approx(0.2)
    assert persons.unidentified(table, np.zeros(3, np.int64), owners) is None
