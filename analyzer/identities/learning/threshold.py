"""The threshold that suits an archive, learnt from the answers that its users gave.

Two who were said to be the same, and two who were said to be different, each have the distance of
their means at that moment. The share of the same falls with the distance; isotonic regression is
the falling curve that is nearest to the answers, without a guess at its form (Zadrozny and Elkan,
"Transforming Classifier Scores into Accurate Multiclass Probability Estimates", KDD 2002). Where it
passes one half, as few answers as possible are on the wrong side.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.identities.log.events import Different, Event, Merged, Split, forgotten
from analyzer.identities.log.people import undone_events
from analyzer.identities.records import WIDEST
from analyzer.types import F64, I64

NEEDED = 20
"""Answers of each kind. Of 20 with none on the wrong side, fewer than 14 % are there with 95 %
certainty (1 - 0.05^(1/20)); of 10, fewer than 26 %."""
_DRAWS = 500
_SEED = 23


class TooFewAnswers(UsageError):
    """No threshold can be learnt yet; the message says what is missing."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What somebody said of two."""

    event: int
    """Its number in the log."""
    distance: float
    """Euclidean, of the two means when it was said."""
    is_same: bool


@dataclass(frozen=True, kw_only=True)
class CurveStep:
    """Distances at which the curve has one height."""

    nearest: float
    """Least distance of an answer."""
    farthest: float
    """Greatest distance of an answer."""
    answers: int
    same: int
    """How many of them said that two are one."""
    probability: float
    """That two at such a distance are one: height of the curve."""


@dataclass(frozen=True, kw_only=True)
class LearntThreshold:
    """A threshold, and how sure it is."""

    threshold: float
    low: float
    """Lower end of its 95 % interval over answers drawn anew (bootstrap)."""
    high: float
    confirmed: int
    """Answers that two are one."""
    refused: int
    """Answers that they are different."""
    wrong: int
    """Answers on the wrong side of it."""
    steps: tuple[CurveStep, ...]
    """The nearest distances first."""


def answers_of(events: Sequence[Event]) -> list[Judgement]:
    """Return what a log teaches.

    Merged pairs are the same; those said to be different, and what was split off, are not. A pair
    counts once, by its last answer. What was undone teaches nothing, nor do people who were
    forgotten, nor a split in a log that kept no distance of it.
    """
    undone, erased = undone_events(events), forgotten(events)
    answers: dict[frozenset[int], Judgement] = {}
    for event in events:
        action = event.action
        if event.number in undone or not isinstance(action, Merged | Different | Split):
            continue
        other = action.part if isinstance(action, Split) else action.other
        pair = frozenset((action.identity, other))
        if action.distance is not None and not pair & erased:
            is_same = isinstance(action, Merged)
            answers[pair] = Judgement(event=event.number, distance=action.distance, is_same=is_same)
    return sorted(answers.values(), key=lambda answer: answer.event)


def learn(answers: Iterable[Judgement], *, sure: float = 0.5) -> LearntThreshold:
    """Return the threshold that answers teach.

    Args:
        answers: Of the archive.
        sure: Above which probability two are to be one.

    Raises:
        TooFewAnswers: They do not say where it is.
    """
    given = sorted(answers, key=lambda answer: answer.distance)
    distances = np.array([answer.distance for answer in given], np.float64)
    same = np.array([answer.is_same for answer in given], bool)
    _require_enough(int(same.sum()), int((~same).sum()))
    at, counts, shares = _by_distance(distances, same)
    curve = _falling(shares, counts)
    threshold = _passing(at, curve, sure)
    if threshold is None:
        raise TooFewAnswers(
            "distances do not tell the confirmed from the refused pairs: the curve does not pass "
            f"{sure:g}; `threshold` without --sure asks for one half, and `history` shows what was "
            "said"
        )
    low, high = _interval(distances, same, sure)
    wrong = int((same != (distances < threshold)).sum())
    return LearntThreshold(
        threshold=threshold,
        low=min(low, threshold),
        high=max(high, threshold),
        confirmed=int(same.sum()),
        refused=int((~same).sum()),
        wrong=wrong,
        steps=_steps(at, counts, shares, curve),
    )


def _require_enough(confirmed: int, refused: int) -> None:
    lacking = [
        f"{NEEDED - count} more {what}"
        for count, what in (
            (confirmed, "that two are one (`same`, `merge`)"),
            (refused, "that two are different (`different`, `split`)"),
        )
        if count < NEEDED
    ]
    if lacking:
        raise TooFewAnswers(
            f"{confirmed} pairs were confirmed and {refused} refused, and {NEEDED} of each are "
            "needed: with fewer, even where none is on the wrong side, more than one in seven "
            f"of their kind may be. Give {' and '.join(lacking)}; `suggest` has pairs to answer"
        )


def _by_distance(distances: F64, same: NDArray[np.bool_]) -> tuple[F64, F64, F64]:
    """Return the different distances (k,), the answers at each, and the share of the same."""
    at, place = np.unique(distances, return_inverse=True)
    counts = np.bincount(place).astype(np.float64)
    return at, counts, np.bincount(place, weights=same.astype(np.float64)) / counts


def _falling(shares: F64, counts: F64) -> F64:
    # SciPy takes a while to load, and most commands need no curve.
    curve: F64 = registry.module("curves", "isotonic").falling(shares, counts)
    return curve


def _passing(at: F64, curve: F64, sure: float) -> float | None:
    """Return the middle between the last distance above `sure` and the next; `None`: none."""
    above = int((curve > sure).sum())
    if not 0 < above < len(at):
        return None
    return round(min(WIDEST, float(at[above - 1] + at[above]) / 2), 4)


def _interval(distances: F64, same: NDArray[np.bool_], sure: float) -> tuple[float, float]:
    """Return the 95 % interval of the threshold over answers that are drawn anew."""
    random = np.random.default_rng(_SEED)
    drawn: list[float] = []
    for _ in range(_DRAWS):
        rows: I64 = random.integers(0, len(distances), len(distances))
        at, counts, shares = _by_distance(distances[rows], same[rows])
        threshold = _passing(at, _falling(shares, counts), sure)
        drawn += [] if threshold is None else [threshold]
    if not drawn:
        return WIDEST, 0.0
    low, high = np.percentile(drawn, [2.5, 97.5])
    return round(float(low), 4), round(float(high), 4)


def _steps(at: F64, counts: F64, shares: F64, curve: F64) -> tuple[CurveStep, ...]:
    """Return the steps of a falling curve (k,)."""
    same = np.rint(shares * counts).astype(np.int64)
    starts = [0, *(np.flatnonzero(np.diff(curve)) + 1).tolist()]
    return tuple(
        CurveStep(
            nearest=round(float(at[start]), 4),
            farthest=round(float(at[end - 1]), 4),
            answers=int(counts[start:end].sum()),
            same=int(same[start:end].sum()),
            probability=round(float(curve[start]), 4),
        )
        for start, end in zip(starts, [*starts[1:], len(at)], strict=True)
    )
