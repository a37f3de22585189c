"""Coverage of the intervals of shares, on simulated films and collections with known shares.

A film has shots of uneven length, in each of them some faces, mostly of one group. The network
takes some of one group for the other, all faces of a track alike, and its detector misses dark
faces, most of all in dark shots; one group has more of them. What the network confuses was counted
on faces of their own, and an audit has counted the missed ones. A collection is drawn from an
archive of 20,000 films with shares of their own. Beside the intervals stand those that take frames
for independent samples. RUNS sets how many films and collections are drawn of each kind.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from analyzer.shares import answers as network
from analyzer.shares.amounts import FACE_TIME, Amounts, added_up
from analyzer.shares.confusion import Confusion
from analyzer.shares.measure import of_amounts
from analyzer.types import F64, I64

_RUNS = int(os.environ.get("RUNS", "1000"))
_SHARES = (0.02, 0.2, 0.5)
_SHOTS = {"film": 1200, "short": 150}
_FILMS, _SHOTS_EACH, _COLLECTED = 20_000, 120, 200
_ALIKE, _FILMS_ALIKE = 0.6, 0.1
"""Correlation of the groups of two faces in one shot; of two shots in one film."""
_LABELLED, _AUDITED = 2500, 1500
"""Number of labelled faces of each group; of those that an audit looked for."""
_CENTRES, _SPREAD = np.array([-3.0, 2.6]), 1.7
"""Mean logits of women and men, and their standard deviation."""
_DARK = np.array([0.6, 0.2])
"""Share of dark faces among women and men."""
_DARK_SHOTS = 0.25
_FOUND = np.array([[0.98, 0.85], [0.9, 0.4]])
"""Share of faces that is found: in bright and dark shots, of light and dark faces."""
_RATE = 2.0
"""Faces a second and track."""
_GROUPS, _ANSWERS = 2, network.count("sex")


@dataclass(frozen=True)
class _Tracks:
    """Tracks of a film or an archive, also those that are not found."""

    shots: I64
    is_man: I64
    seconds: F64
    logits: F64
    is_found: NDArray[np.bool_]


@dataclass(frozen=True)
class _Found:
    """What is known of a film or a collection, and what is true."""

    amounts: Amounts
    frames: float
    """Number of faces in frames."""
    truth: float


def run() -> dict[str, float]:
    """Coverage in per cent, and mean errors in points, of observed and corrected shares."""
    random = np.random.default_rng(1)
    figures: dict[str, float] = {"runs": _RUNS}
    for share in _SHARES:
        archive = _archive(random, share)
        makers: dict[str, Callable[[], _Found]] = {
            **{kind: partial(_film, random, shots, share) for kind, shots in _SHOTS.items()},
            "collection": partial(_collection, random, archive),
        }
        for kind, make in makers.items():
            for name, value in _coverage(random, make):
                figures[f"{kind}_{share:.0%}_{name}"] = value
    return figures


def _coverage(
    random: np.random.Generator, make: Callable[[], _Found]
) -> Iterator[tuple[str, float]]:
    """Yield the figures of one kind of films or collections."""
    held: Counter[str] = Counter()
    sums: defaultdict[str, float] = defaultdict(float)
    for _ in range(_RUNS):
        made, table = make(), _table(random)
        women = next(of_amounts([made.amounts], {"sex": table}))
        confused = next(of_amounts([made.amounts], {"sex": replace(table, found=None)}))
        interval, truth = women.interval, made.truth
        if interval.low is not None and interval.high is not None:
            held["given"] += 1
            held["held"] += interval.low <= truth <= interval.high
            held["above"] += truth < interval.low
            sums["width"] += interval.high - interval.low
        half = 1.96 * np.sqrt(women.observed * (1 - women.observed) / made.frames)
        held["naive"] += abs(women.observed - truth) <= half
        sums["observed"] += women.observed - truth
        sums["found"] += confused.best - truth
        sums["corrected"] += women.best - truth
    given = max(1, held["given"])
    yield "given", 100 * held["given"] / _RUNS
    yield "held", 100 * held["held"] / given
    yield "above", 100 * held["above"] / given
    yield "width", 100 * sums["width"] / given
    yield "naive_held", 100 * held["naive"] / _RUNS
    for name in ("observed", "found", "corrected"):
        yield f"{name}_off", 100 * sums[name] / _RUNS


def _film(random: np.random.Generator, shots: int, share: float) -> _Found:
    """Return a film of which the share is known, with shots as clusters."""
    tracks = _tracks(random, np.full(shots, share))
    return _found(tracks, tracks.shots, shots, share)


def _archive(random: np.random.Generator, share: float) -> _Found:
    """Return an archive with films as clusters; its share is that of all of its faces."""
    of_film = _beta(random, np.full(_FILMS, share), _FILMS_ALIKE)
    tracks = _tracks(random, np.repeat(of_film, _SHOTS_EACH))
    truth = float(tracks.seconds @ (1 - tracks.is_man) / tracks.seconds.sum())
    return _found(tracks, tracks.shots // _SHOTS_EACH, _FILMS, truth)


def _collection(random: np.random.Generator, archive: _Found) -> _Found:
    """Return films of the archive that are drawn at random."""
    films = random.choice(_FILMS, _COLLECTED, replace=False)
    all_films = archive.amounts
    assert all_films.answers is not None
    drawn = replace(all_films, labelled=all_films.labelled[films], answers=all_films.answers[films])
    return _Found(drawn, drawn.labelled.sum() * _RATE, archive.truth)


def _tracks(random: np.random.Generator, shares: F64) -> _Tracks:
    """Return the tracks of shots with these shares of women (n,)."""
    count = len(shares)
    lengths = random.lognormal(1.3, 0.8, count)
    faces = random.poisson(0.7, count) + (random.random(count) < 0.8)
    women = _beta(random, shares, _ALIKE)
    is_dark_shot = (random.random(count) < _DARK_SHOTS).astype(np.int64)
    shots = np.repeat(np.arange(count), faces)
    is_man = (random.random(len(shots)) >= women[shots]).astype(np.int64)
    is_dark = (random.random(len(shots)) < _DARK[is_man]).astype(np.int64)
    is_found = random.random(len(shots)) < _FOUND[is_dark_shot[shots], is_dark]
    logits = random.normal(_CENTRES[is_man], _SPREAD)
    return _Tracks(shots, is_man, lengths[shots], logits, is_found)


def _beta(random: np.random.Generator, means: F64, alike: float) -> F64:
    """Return shares with these means (n,), of which two faces are as much alike as said."""
    scale = (1 - alike) / alike
    return random.beta(np.maximum(means * scale, 1e-9), np.maximum((1 - means) * scale, 1e-9))


def _found(tracks: _Tracks, clusters: I64, count: int, truth: float) -> _Found:
    """Return the amounts of the tracks that are found, added up by clusters."""
    at, seconds = clusters[tracks.is_found], tracks.seconds[tracks.is_found]
    logits = tracks.logits[tracks.is_found]
    labels = (logits > 0).astype(np.int64)
    cells = network.answers("sex", logits[:, None].astype(np.float32))
    answers = added_up((at, cells), seconds, (count, _ANSWERS))
    labelled = added_up((at, labels), seconds, (count, _GROUPS))
    amounts = Amounts(FACE_TIME, "sex", "clusters", labelled, answers[:, None])
    return _Found(amounts, seconds.sum() * _RATE, truth)


def _table(random: np.random.Generator) -> Confusion:
    """Return what was counted: answers of the network, and faces that the audit saw."""
    counts = [
        np.bincount(
            network.answers("sex", random.normal(c, _SPREAD, (_LABELLED, 1)).astype(np.float32)),
            minlength=_ANSWERS,
        )
        for c in _CENTRES
    ]
    of_shot = _FOUND * np.array([1 - _DARK_SHOTS, _DARK_SHOTS])[:, None]
    recall = np.stack([1 - _DARK, _DARK], axis=1) @ of_shot.sum(axis=0)
    found = random.binomial(_AUDITED, recall)
    audit = np.stack([found, _AUDITED - found], axis=1).astype(np.float64)
    return Confusion(network.GROUPS["sex"], np.array([counts], np.float64), found=audit)
