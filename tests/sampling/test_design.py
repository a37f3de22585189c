"""Segments drawn from an archive: their weights, their chances, their borders."""

import numpy as np
import pytest

from analyzer.sampling import design
from analyzer.sampling.size import Spread

RNG = np.random.default_rng(0)
DURATION_S = RNG.lognormal(7, 0.8, 300)
STRATUM = RNG.integers(0, 3, 300)


def draw(**changes) -> design.Sample:
    wish = {"draws": 400, "segment_s": 60.0, "per_film": 1, "seed": 7, **changes}
    return design.draw(DURATION_S, STRATUM, **wish)


@pytest.mark.parametrize("per_film", [1, 3])
def test_weights_make_up_the_archive(per_film: int) -> None:
    """In each stratum, the seconds for which the segments stand are those of its films."""
    sample = draw(per_film=per_film)
    length_s = sample.stop_s - sample.start_s
    stood_for = np.bincount(sample.stratum, sample.weight * length_s)
    assert stood_for == pytest.approx(np.bincount(STRATUM, DURATION_S), rel=1e-3)
    assert (STRATUM[sample.film] == sample.stratum).all()


def test_segments_lie_in_their_films_and_are_about_a_minute() -> None:
    sample = draw(per_film=2)
    assert (sample.start_s >= 0).all()
    assert (sample.stop_s <= DURATION_S[sample.film] + 1e-3).all()
    whole = DURATION_S[sample.film] >= 60
    length_s = (sample.stop_s - sample.start_s)[whole]
    assert ((length_s > 40) & (length_s < 90)).all()


def test_segments_of_a_draw_differ() -> None:
    sample = draw(per_film=3)
    pairs = set(zip(sample.draw.tolist(), sample.start_s.tolist(), strict=True))
    assert len(pairs) == len(sample.draw)


def test_the_seed_decides() -> None:
    first, again, other = draw(), draw(), draw(seed=8)
    assert first.start_s.tolist() == again.start_s.tolist()
    assert first.start_s.tolist() != other.start_s.tolist()


def test_films_are_drawn_by_duration() -> None:
    sample = design.draw(
        np.array([9000.0, 1000.0]), np.zeros(2, np.int64), draws=160, segment_s=60, per_film=1,
        seed=1,
    )  # fmt: skip
    assert np.mean(sample.film == 0) == pytest.approx(0.9, abs=0.08)


def test_small_strata_get_draws_all_the_same() -> None:
    """What they get beyond their share, a draw of theirs counts less."""
    duration_s, stratum = np.full(1001, 1e4), np.zeros(1001, np.int64)
    stratum[-1] = 1
    sample = design.draw(duration_s, stratum, draws=500, segment_s=60, per_film=1, seed=1)
    counts = np.bincount(sample.stratum)
    assert counts[1] >= 2
    of_small = sample.draw_weight[sample.stratum == 1][0]
    assert of_small == pytest.approx(1 / 1001 / (5 / 500), rel=0.02)


def test_a_sample_of_everything_is_everything() -> None:
    sample = draw(draws=10**6)
    assert set(sample.weight) == {1.0}
    assert set(sample.draw) == {0}
    length_s = np.bincount(sample.film, sample.stop_s - sample.start_s)
    assert length_s == pytest.approx(DURATION_S, abs=2e-3)
    first = sample.film[1:] == sample.film[:-1]
    assert (sample.start_s[1:][first] == sample.stop_s[:-1][first]).all()


def test_how_many_draws_an_interval_needs() -> None:
    spread = Spread.assumed(0.5)
    assert spread.draws(0.02, 1) == 2401
    assert spread.reach(2401, 1) == pytest.approx(0.02)
    assert spread.draws(0.02, 4) == 1141
    assert spread.draws(0.5, 1) == 30
