"""Joining by faces: the groups of average linkage, its constraints, its graph and its cost."""

import numpy as np
import pytest

from analyzer.evaluation import agreement, truth
from analyzer.inference.runtime import Runtime
from analyzer.stages.cluster import _graph, average
from analyzer.types.groups import dense

CLUSTERER = average.create(runtime=Runtime(device="cpu"))
NOBODY = np.empty((0, 2), np.int64)


def one_pair_after_the_other(faces, owner, apart, limit):
    """Average linkage of squared distances as the textbook has it, with all distances of faces."""
    groups = [np.nonzero(owner == track)[0] for track in range(owner.max() + 1)]
    members = [{track} for track in range(len(groups))]
    rivals = {frozenset(pair) for pair in apart.tolist()}
    squared = ((faces[:, None] - faces[None]) ** 2).sum(-1)
    while True:
        pairs = [
            (squared[np.ix_(groups[a], groups[b])].mean(), a, b)
            for a in range(len(groups))
            for b in range(a + 1, len(groups))
            if not any(frozenset((i, j)) in rivals for i in members[a] for j in members[b])
        ]
        best = min(pairs, default=(np.inf, 0, 0))
        if best[0] >= limit**2:
            break
        _, a, b = best
        groups[a] = np.concatenate([groups[a], groups.pop(b)])
        members[a] |= members.pop(b)
    labels = np.empty(owner.max() + 1, np.int64)
    for label, tracks in enumerate(members):
        labels[list(tracks)] = label
    return dense(labels)


@pytest.mark.parametrize("seed", range(12))
def test_the_groups_are_those_of_joining_one_pair_after_the_other(seed):
    rng = np.random.default_rng(seed)
    people, owner = rng.integers(0, 4, 24), np.sort(np.r_[np.arange(24), rng.integers(0, 24, 60)])
    centres = rng.normal(size=(4, 6)) * 0.25
    faces = centres[people[owner]] + rng.normal(size=(len(owner), 6)) * 0.12
    pairs = rng.integers(0, 24, (6, 2))
    apart = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
    counts = np.bincount(owner).astype(np.float32)
    means = np.stack([faces[owner == track].mean(0) for track in range(24)])
    variances = np.array([faces[owner == t].var(0).sum() for t in range(24)])
    labels = CLUSTERER.cluster_spread(
        means.astype(np.float32), counts, variances.astype(np.float32), apart, 0.5
    )
    expected = one_pair_after_the_other(faces, owner, apart, 0.5 * 1.2)
    np.testing.assert_array_equal(labels, expected)


def test_groups_that_grow_diverse_do_not_draw_everybody_in():
    """The centres of two groups are nearer than any two of their faces."""
    means = np.zeros((2, 8), np.float32)
    means[1, 0] = 0.3
    ones, apart = np.ones(2, np.float32), NOBODY
    narrow = CLUSTERER.cluster_spread(means, ones, np.full(2, 0.05, np.float32), apart, 0.5)
    wide = CLUSTERER.cluster_spread(means, ones, np.full(2, 0.16, np.float32), apart, 0.5)
    assert (narrow.tolist(), wide.tolist()) == ([0, 0], [0, 1])


def test_the_order_of_the_tracks_does_not_matter():
    embeddings, _ = truth.crowd(20, 15, spread=0.5)
    order = np.random.default_rng(1).permutation(300)
    ones = np.ones(300, np.float32)
    labels = CLUSTERER.cluster(embeddings, ones, NOBODY, 0.9)
    again = CLUSTERER.cluster(embeddings[order], ones, NOBODY, 0.9)
    np.testing.assert_array_equal(dense(labels[order]), again)


def test_many_tracks_are_searched_in_cells_and_nearly_no_neighbour_is_missed(monkeypatch):
    embeddings, people = truth.crowd(60, 50, spread=0.9)
    _, exact = _graph._search(embeddings, 65, exact=True)
    monkeypatch.setattr(_graph, "_EXACT_UP_TO", 1000)
    _, found = _graph._search(embeddings, 65, exact=False)
    pairs = zip(exact.tolist(), found.tolist(), strict=True)
    assert np.mean([len(set(a) & set(b)) / 65 for a, b in pairs]) > 0.8
    near, _ = truth.crowd(60, 50, spread=0.25)
    labels = CLUSTERER.cluster(near, np.ones(3000, np.float32), NOBODY, 0.6)
    assert agreement.compare(people, labels).pairs.f1 == 1
