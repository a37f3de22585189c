"""Tracks as wholes: where they break, what they average, which may never be one person."""

import numpy as np
import pytest

from analyzer.observations import linking, tracks
from tests.support.observations import boxes, faces, observe


def test_a_track_breaks_where_the_face_changes():
    people = [0] * 6 + [1] * 5 + [2] * 7
    got = tracks.split_tracklets(observe([4] * 18, faces(*people)), 0.5)
    assert got.tolist() == people


def test_one_odd_face_does_not_break_a_track():
    people = [0] * 6 + [1] + [0] * 6
    got = tracks.split_tracklets(observe([0] * 13, faces(*people)), 0.5)
    assert got.tolist() == [0] * 13


def test_short_tracks_break_too():
    assert tracks.split_tracklets(observe([3, 3], faces(0, 1)), 0.5).tolist() == [0, 1]
    assert tracks.split_tracklets(observe([3], faces(0)), 0.5).tolist() == [0]


def test_ids_are_dense_in_order_of_appearance():
    table = observe([9, 5, 9, 5], faces(1, 0, 1, 0), frames=[0, 0, 1, 1])
    assert tracks.split_tracklets(table, 0.5).tolist() == [0, 1, 0, 1]


def test_nothing_gives_nothing():
    empty = observe([], np.empty((0, 8)))
    assert tracks.split_tracklets(empty, 0.5).tolist() == []
    assert len(tracks.embed(empty).ids) == 0
    assert tracks.cannot_link_pairs(empty, np.empty(0, np.int64)).shape == (0, 2)


def test_a_track_breaks_at_a_cut_even_if_the_face_stays():
    table = observe([0] * 6, faces(*[0] * 6), cuts=np.array([0.5]))
    assert tracks.split_tracklets(table, 0.5).tolist() == [0, 0, 0, 1, 1, 1]


def test_a_face_found_again_near_by_is_the_same_track():
    table = observe([0, 0, 1, 1], faces(0, 0, 0, 0), frames=[0, 1, 5, 6], boxes=boxes(0, 5, 30, 35))
    assert linking.link_tracklets(table, 0.5).tolist() == [0, 0, 0, 0]


def test_two_neighbours_of_a_picture_without_length_are_two_tracks():
    still = {"duration_s": np.zeros(4), "time_s": np.array([0.0, 0, 1, 1])}
    table = observe(
        [0, 1, 2, 3],
        faces(0, 0, 0, 0),
        frames=[0, 0, 1, 1],
        boxes=boxes(0, 42, 0, 42),
        cuts=np.array([0.0, 1.0]),
        **still,
    )
    assert linking.link_tracklets(table, 0.5).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("people", "frames", "columns"),
    [
        ([0, 0, 1, 1], [0, 1, 5, 6], {}),
        ([0, 0, 0, 0], [0, 1, 50, 51], {}),
        ([0, 0, 0, 0], [0, 1, 1, 2], {}),
        ([0, 0, 0, 0], [0, 1, 3, 4], {"boxes": boxes(0, 5, 500, 505)}),
        ([0, 0, 0, 0], [0, 1, 5, 6], {"cuts": np.array([0.8])}),
    ],
    ids=["another face", "too long ago", "at the same time", "too far off", "another shot"],
)
def test_what_is_not_the_same_track(people, frames, columns):
    table = observe([0, 0, 1, 1], faces(*people), frames=frames, **columns)
    assert linking.link_tracklets(table, 0.5).tolist() == [0, 0, 1, 1]


def test_links_make_chains_and_the_nearest_wins():
    table = observe([0, 1, 2, 3], faces(0, 0, 0, 1, noise=0.02), frames=[0, 2, 4, 4])
    assert linking.link_tracklets(table, 0.5).tolist() == [0, 0, 0, 1]


def test_a_face_that_crosses_the_picture_is_followed_where_it_goes():
    """One picture a track; further apart each time than a face that stands still may be."""
    frames, lefts = [0, 1, 2, 5, 5], boxes(0, 60, 120, 300, 60)
    table = observe([0, 1, 2, 3, 4], faces(0, 0, 0, 0, 1, noise=0), frames=frames, boxes=lefts)
    assert linking.link_tracklets(table, 0.5).tolist() == [0, 0, 0, 0, 1]


def test_the_next_picture_goes_before_the_one_after():
    """Though the one after shows a face that is a little more alike."""
    people = faces(0, 0, 0, noise=0)
    people[1, 1] += 0.1
    table = observe([0, 1, 2], people, frames=[0, 1, 2])
    assert linking.link_tracklets(table, 0.5).tolist() == [0, 0, 0]
    far = observe([0, 1], faces(0, 0), frames=[0, 8], boxes=boxes(0, 120))
    assert linking.link_tracklets(far, 0.5).tolist() == [0, 1]


def test_sharp_faces_count_most_in_a_tracks_mean():
    sharpness = np.array([1.0, 0.01], np.float32)
    embedded = tracks.embed(observe([0, 0], np.eye(8)[:2], sharpness=sharpness))
    assert embedded.embeddings[0, 0] == pytest.approx(1 / 1.01, abs=1e-3)
    assert embedded.weights[0] == pytest.approx(1.01, abs=1e-3)


def test_undescribed_rows_are_left_out():
    table = observe([0, 1, 1], faces(0), embedding_rows=np.array([2]))
    assert tracks.embed(table).ids.tolist() == [1]


def test_tracks_of_one_frame_are_apart():
    table = observe([0, 1, 0, 2, 3], faces(0, 1, 0, 2, 3), frames=[0, 0, 1, 1, 2])
    assert tracks.cannot_link_pairs(table, np.arange(4)).tolist() == [[0, 1], [0, 2]]


def test_what_was_only_carried_across_a_cut_is_dropped():
    conf = np.array([0.9, np.nan, np.nan], np.float32)
    table = observe([0, 0, 1], faces(0, 0, 0), detect_conf=conf)
    left = tracks.drop_undetected(table)
    assert left.track_id.tolist() == [0, 0]
    assert left.embedding_rows.tolist() == [0, 1]


def test_tracks_without_a_clear_face_are_nobody():
    sharpness = np.array([0.001, 0.3, 0.002, 0.001], np.float32)
    table = observe([0, 0, 1, 1], faces(0, 0, 1, 1), sharpness=sharpness)
    recognisable = tracks.recognisable(table, tracks.embed(table), 0.01)
    assert recognisable.ids.tolist() == [0]


@pytest.mark.parametrize(("sharp", "expected"), [(1, []), (3, [0])])
def test_one_sharp_face_of_many_is_chance(sharp, expected):
    sharpness = np.array([0.3] * sharp + [0.01] * (20 - sharp), np.float32)
    table = observe([0] * 20, faces(*[0] * 20), sharpness=sharpness)
    assert tracks.recognisable(table, tracks.embed(table), 0.1).ids.tolist() == expected


def test_a_face_of_twice_the_size_is_not_the_one_before():
    people, frames = faces(0, 0, noise=0.02), [0, 3]
    small = np.array([[0, 10, 40, 50]], np.float32)
    for side, expected in ((70, [0, 0]), (90, [0, 1])):
        both = np.concatenate([small, np.array([[0, 10, side, 10 + side]], np.float32)])
        table = observe([0, 1], people, frames=frames, boxes=both)
        assert linking.link_tracklets(table, 0.5).tolist() == expected


def test_what_can_hardly_be_recognised_or_is_cut_by_the_edge_weighs_little():
    ratings = {
        "recognisability": np.array([1.4, 0.9, 0.5, 1.4], np.float32),
        "inside": np.array([1, 1, 1, 0.5], np.float32),
    }
    table = observe([0, 1, 2, 3], faces(0, 0, 0, 0), **ratings)
    clear, blurred, blank, cut = table.quality.tolist()
    assert clear == pytest.approx(1)
    assert blank < blurred < cut < 0.3


def test_the_less_is_recognised_the_further_a_track_is_from_others():
    seen = np.array([1.5, 1.3, 1.0, np.nan], np.float32)
    table = observe([0, 1, 2, 3], faces(0, 1, 2, 3), recognisability=seen)
    np.testing.assert_allclose(
        tracks.embed(table).spread(0.5), [0, 0, 1.2 * 0.25 * 0.3, 0], atol=1e-6
    )


def test_a_track_knows_how_much_its_faces_differ():
    table = observe([0, 0, 1], np.array([[1.0, 0], [0, 1], [1, 1]]))
    np.testing.assert_allclose(tracks.embed(table).variances, [0.5, 0])


def test_a_table_of_an_older_version_weighs_by_sharpness():
    table = observe([0, 1], faces(0, 1), sharpness=np.array([0.5, 0.2], np.float32))
    np.testing.assert_allclose(table.quality, [0.5, 0.2])


def test_a_face_at_the_edge_of_the_picture_joins_nobody_by_chance():
    ratings = {"recognisability": np.full(2, 1.4, np.float32)}
    table = observe([0, 1], faces(0, 1), inside=np.array([1, 0.0625], np.float32), **ratings)
    np.testing.assert_allclose(tracks.embed(table).recognisability, [1.4, 0.7])
