"""Coverage of the intervals of shares, on simulated films with known shares.

A film has shots of uneven length, in each of them some faces, mostly of one group. The network
takes some of one group for the other, all faces of a track alike. Its table was counted on faces
of their own. Beside it stands the interval that takes frames for independent samples. RUNS sets how
many films are drawn of each kind.
"""

import os
from collections import Counter
from collections.abc import Iterator

import numpy as np

from analyzer.shares import answers as network
from analyzer.shares import confusion
from analyzer.shares.confusion import Confusion
from analyzer.shares.interval import ratio_interval
from analyzer.types import F64, I64

_RUNS = int(os.environ.get("RUNS", "1000"))
_SHARES = (0.02, 0.2, 0.5)
_SHOTS = {"film": 1200, "short": 150}
_ALIKE = 0.6
"""Correlation of the groups of two faces in one shot."""
_LABELLED = 2500
"""Number of labelled faces of each group."""
_CENTRES, _SPREAD = np.array([-3.0, 2.6]), 1.7
"""Mean logits of women and men, and their standard deviation."""
_RATE = 2.0
"""Faces a second and track."""


def run() -> dict[str, float]:
    """Coverage in per cent, and mean errors in points, of observed and corrected shares."""
    random = np.random.default_rng(1)
    figures: dict[str, float] = {"runs": _RUNS}
    for kind, shots in _SHOTS.items():
        for share in _SHARES:
            for name, value in _of_films(random, shots, share):
                figures[f"{kind}_{share:.0%}_{name}"] = value
    return figures


def _of_films(random: np.random.Generator, shots: int, share: float) -> Iterator[tuple[str, float]]:
    held: Counter[str] = Counter()
    off: dict[str, list[float]] = {"observed": [], "corrected": []}
    for number in range(_RUNS):
        table = _table(random)
        likelihoods = table.likelihoods()
        at, seconds, logits = _film(random, shots, share)
        cells = network.answers("sex", logits[:, None].astype(np.float32))
        sizes = np.zeros(len(cells), np.int64)
        sums = confusion.amounts(sizes, cells, seconds, (1, network.count("sex")))
        women = confusion.prevalence(likelihoods, sums)
        moves = confusion.influences(likelihoods, sums, women)[0, cells, 0]
        labelled = (logits <= 0).astype(np.float64)
        observed = float(np.average(labelled, weights=seconds))
        off["observed"].append(observed - share)
        off["corrected"].append(float(women[0]) - share)
        interval = ratio_interval(
            confusion.added_up(at, seconds * (women[0] + moves), shots),
            confusion.added_up(at, seconds, shots),
            seen=confusion.added_up(at, seconds * labelled, shots),
            spread=float(confusion.spread(table, sums, seed=number)[0]),
            seed=number,
        )
        if interval.low is None or interval.high is None:
            held["none"] += 1
        else:
            held["given"] += interval.low <= share <= interval.high
        half = 1.96 * np.sqrt(observed * (1 - observed) / (seconds.sum() * _RATE))
        held["naive"] += abs(observed - share) <= half
    given = _RUNS - held["none"]
    yield "given", 100 * given / _RUNS
    yield "held", 100 * held["given"] / max(1, given)
    yield "naive_held", 100 * held["naive"] / _RUNS
    for name, errors in off.items():
        yield f"{name}_off", 100 * float(np.mean(errors))


def _film(random: np.random.Generator, shots: int, share: float) -> tuple[I64, F64, F64]:
    """Return shot, seconds and logit of each track of a film."""
    lengths = random.lognormal(1.3, 0.8, shots)
    faces = random.poisson(0.7, shots) + (random.random(shots) < 0.8)
    scale = (1 - _ALIKE) / _ALIKE
    women = random.beta(share * scale, (1 - share) * scale, shots)
    at = np.repeat(np.arange(shots), faces)
    is_man = (random.random(len(at)) >= women[at]).astype(np.int64)
    return at, lengths[at], random.normal(_CENTRES[is_man], _SPREAD)


def _table(random: np.random.Generator) -> Confusion:
    counts = [
        np.bincount(
            network.answers("sex", random.normal(c, _SPREAD, (_LABELLED, 1)).astype(np.float32)),
            minlength=network.count("sex"),
        )
        for c in _CENTRES
    ]
    return Confusion(network.GROUPS["sex"], np.array([counts], np.float64))
