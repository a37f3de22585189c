"""Drawing of segments: a stratum by lot, a film in it, segments in the film.

Draws are independent of each other, and films are drawn with a probability proportional to their
duration, with replacement. So draws may be looked at one after the other; and within each stratum
they are the clusters of an ordinary design (Hansen and Hurwitz 1943).
"""

from dataclasses import dataclass

import numpy as np

from analyzer.types import F64, I64

LEAST_DRAWS = 5
"""Draws that each stratum is to get, however small it is."""
_FEWEST = 2
"""Draws without which a stratum has no spread."""


@dataclass(frozen=True)
class Sample:
    """Segments drawn, in the order of the draws; arrays (n,)."""

    film: I64
    start_s: F64
    stop_s: F64
    stratum: I64
    draw: I64
    """From 1; 0 where all of the archive is taken."""
    weight: F64
    """Segments of the archive for which each one stands."""
    draw_weight: F64
    """What its draw counts among draws of all strata: 1, unless small strata get more of them."""


def segment_counts(duration_s: F64, segment_s: float) -> I64:
    """Return the number of segments (N,) of films; they are of equal length within each."""
    return np.maximum(1, np.rint(duration_s / segment_s)).astype(np.int64)


def draw(
    duration_s: F64,
    stratum: I64,
    *,
    draws: int,
    segment_s: float,
    per_film: int,
    seed: int,
) -> Sample:
    """Draw segments; all of them, where no fewer are wanted than there are.

    Args:
        duration_s: Durations of the films (N,).
        stratum: Number of each film's stratum (N,), from 0.
        draws: How often a film is drawn; some more, until each stratum has two.
        segment_s: Length of a segment; those of a film are a little longer or shorter.
        per_film: Segments of each film that is drawn, without replacement.
        seed: Seed of the draws.
    """
    counts = segment_counts(duration_s, segment_s)
    if draws * per_film >= counts.sum():
        return _everything(duration_s, stratum, counts)
    rng = np.random.default_rng(seed)
    totals: F64 = np.bincount(stratum, duration_s).astype(np.float64)
    share = totals / totals.sum()
    chance = np.maximum(share, min(1.0, LEAST_DRAWS / draws) * (share > 0))
    chance /= chance.sum()
    strata = _strata(chance, draws, rng)
    film = _films(duration_s, stratum, totals, strata, rng)
    taken = np.minimum(per_film, counts[film])
    owner = np.repeat(np.arange(len(film)), taken)
    segment = _segments(counts[film], taken, rng)
    of_stratum = np.bincount(strata, minlength=len(totals))
    length_s = duration_s[film] / counts[film]
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = totals[strata] / (of_stratum[strata] * taken * length_s)
        draw_weight = (share / chance)[strata]
    return Sample(
        film=film[owner],
        start_s=_edge(segment, duration_s[film[owner]], counts[film[owner]]),
        stop_s=_edge(segment + 1, duration_s[film[owner]], counts[film[owner]]),
        stratum=strata[owner],
        draw=owner + 1,
        weight=weight[owner],
        draw_weight=draw_weight[owner],
    )


def _strata(chance: F64, draws: int, rng: np.random.Generator) -> I64:
    """Draw strata by lot, until there are enough draws and each stratum has two of them.

    When to stop depends on strata alone, not on what is seen in them: it biases nothing.
    """
    wanted = chance > 0
    strata = rng.choice(len(chance), draws, p=chance)
    while (np.bincount(strata, minlength=len(chance))[wanted] < _FEWEST).any():
        strata = np.append(strata, rng.choice(len(chance), p=chance))
    return strata.astype(np.int64)


def _films(
    duration_s: F64, stratum: I64, totals: F64, strata: I64, rng: np.random.Generator
) -> I64:
    """Draw a film of each stratum in `strata`, by duration."""
    order = np.argsort(stratum, kind="stable")
    ends = np.cumsum(duration_s[order])
    begins = np.concatenate([[0.0], np.cumsum(totals)[:-1]])
    points = begins[strata] + rng.random(len(strata)) * totals[strata]
    place = np.searchsorted(ends, points, side="right")
    last = np.cumsum(np.bincount(stratum, minlength=len(totals))) - 1
    # Rounding of sums may lead one past the end of a stratum.
    first = np.concatenate([[0], last[:-1] + 1])
    film: I64 = order[np.clip(place, first[strata], last[strata])]
    return film


def _segments(counts: I64, taken: I64, rng: np.random.Generator) -> I64:
    """Draw some of the segments of each film, without replacement."""
    if (taken == 1).all():
        return rng.integers(0, counts)
    some = [
        rng.choice(count, wanted, replace=False)
        for count, wanted in zip(counts.tolist(), taken.tolist(), strict=True)
    ]
    return np.concatenate(some).astype(np.int64)


def _edge(number: I64, duration_s: F64, counts: I64) -> F64:
    """Return where segments begin: the end of one is the beginning of the next."""
    return np.round(number * (duration_s / counts), 3)


def _everything(duration_s: F64, stratum: I64, counts: I64) -> Sample:
    film = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(film)) - np.repeat(np.cumsum(counts) - counts, counts)
    ones = np.ones(len(film))
    return Sample(
        film=film,
        start_s=_edge(number, duration_s[film], counts[film]),
        stop_s=_edge(number + 1, duration_s[film], counts[film]),
        stratum=stratum[film],
        draw=np.zeros(len(film), np.int64),
        weight=ones,
        draw_weight=ones,
    )
