"""Persons that the edge cuts join the clear person that they alone are near to, and nobody else."""

import numpy as np
import pytest

from analyzer.observations import attachment
from analyzer.observations.tracks import Tracks

NOBODY_ELSE = np.empty((0, 2), np.int64)
CLEAR, DIM, CUT, DARK_CUT = (1.4, 1.0), (1.2, 1.0), (1.2, 0.6), (0.7, 0.6)
"""Recognisability and share in the picture: a portrait, a dim face, half of each."""


def described(points, kinds, variances=0.0):
    """Tracks at points of a plane; distances are those of embeddings."""
    embeddings = np.zeros((len(points), 8), np.float32)
    embeddings[:, :2] = points
    count = len(points)
    return Tracks(
        np.arange(count),
        embeddings,
        np.ones(count, np.float32),
        np.full(count, variances, np.float32),
        *np.array(kinds, np.float32).reshape(-1, 2).T,
    )


def attach(tracks, labels=None, apart=NOBODY_ELSE):
    labels = np.arange(len(tracks.ids)) if labels is None else np.array(labels)
    return attachment.attach(labels, tracks, np.array(apart).reshape(-1, 2), 0.5).tolist()


@pytest.mark.parametrize(
    ("place", "kind", "person"),
    [
        (0.3, CUT, 0),
        (0.3, CLEAR, 2),  # of whole faces the clusterer decides
        (0.3, DIM, 2),
        (0.7, CUT, 1),
        (0.5, CUT, 2),  # as near to one as to the other
        (0.47, CUT, 0),
        (0.47, DARK_CUT, 2),  # without detail, a face is about as near to everybody
        (0.3, DARK_CUT, 0),
        (-0.63, CUT, 2),  # too far from everybody
        (-0.6, CUT, 0),
    ],
)
def test_half_a_face_joins_the_one_clear_person_near(place, kind, person):
    tracks = described([(0, 0), (1, 0), (place, 0)], [CLEAR, CLEAR, kind])
    assert attach(tracks) == [0, 1, person]


def test_a_dim_person_draws_nobody_and_yet_may_be_the_nearer_one():
    assert attach(described([(0, 0), (1, 0), (0.3, 0)], [DIM, CLEAR, CUT])) == [0, 1, 2]
    assert attach(described([(0, 0), (0.7, 0), (0.28, 0)], [CLEAR, DIM, CUT])) == [0, 1, 0]
    assert attach(described([(0, 0), (0.6, 0), (0.28, 0)], [CLEAR, DIM, CUT])) == [0, 1, 2]


def test_the_faces_of_a_person_are_compared_not_their_mean_alone():
    tracks = described([(0, 0), (1, 0), (0.3, 0)], [CLEAR, CLEAR, CUT], variances=0.2)
    assert attach(tracks) == [0, 1, 2]


def test_one_clear_person_alone_draws_nobody():
    assert attach(described([(0, 0), (0.3, 0)], [CLEAR, CUT])) == [0, 1]


def test_nobody_joins_a_person_on_screen_at_once():
    tracks = described([(0, 0), (1, 0), (0.3, 0)], [CLEAR, CLEAR, CUT])
    assert attach(tracks, apart=[(2, 0)]) == [0, 1, 2]
    assert attach(tracks, apart=[(2, 0), (1, 2)]) == [0, 1, 2]


def test_of_two_in_one_picture_the_nearer_joins():
    tracks = described([(0, 0), (1, 0), (0.3, 0), (0.2, 0)], [CLEAR, CLEAR, CUT, CUT])
    assert attach(tracks, apart=[(2, 3)]) == [0, 1, 2, 0]
    assert attach(tracks) == [0, 1, 0, 0]


def test_all_tracks_of_a_cut_person_go_along():
    tracks = described([(0, 0), (1, 0), (0.3, 0), (0.3, 0.1)], [CLEAR, CLEAR, CUT, CUT])
    assert attach(tracks, [0, 1, 2, 2]) == [0, 1, 0, 0]
    assert attach(tracks, [0, 1, 2, 2], apart=[(3, 0)]) == [0, 1, 2, 2]


def test_two_persons_are_never_joined_by_half_a_face():
    tracks = described([(0, 0), (0.2, 0), (0.1, 0.3), (2, 0)], [CLEAR, CLEAR, CUT, CLEAR])
    assert attach(tracks)[:2] == [0, 1]


def test_nothing_changes_where_it_is_not_known_what_is_recognised():
    tracks = described([(0, 0), (1, 0), (0.3, 0)], [(np.nan, 1)] * 3)
    assert attach(tracks) == [0, 1, 2]
    assert attach(described(np.empty((0, 2)), [])) == []


def test_neither_the_order_nor_the_size_of_a_block_matters(monkeypatch):
    random = np.random.default_rng(3)
    points = np.concatenate([random.uniform(0, 4, (30, 2)), random.uniform(0, 4, (60, 2))])
    kinds = [CLEAR] * 30 + [CUT] * 60
    pairs = random.integers(0, 90, (80, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    expected = np.array(attach(described(points, kinds), apart=pairs))
    assert len(set(expected.tolist())) < 90
    monkeypatch.setattr(attachment, "_BLOCK", 100)
    order = random.permutation(90)
    place = np.argsort(order)
    tracks = described(points[order], np.array(kinds)[order])
    got = np.array(attach(tracks, apart=place[pairs]))[place]
    assert len(set(zip(got.tolist(), expected.tolist(), strict=True))) == len(set(got.tolist()))
    assert len(set(got.tolist())) == len(set(expected.tolist()))
