"""Meaning of the raw decision values of the attribute heads.

A head has a name and k raw values per face: `sex` (1, the logit of male against female), `age`
(9, logits of the FairFace bins) and `ethnicity` (7, logits). All are *perceived* attributes:
how a face looks to the people who labelled the training pictures, not what a person is.
A row of NaN stands for a face that was not described: it decodes to NaN and an empty label,
and is left out of averages.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.errors import UsageError
from analyzer.types import F32, F64, I64, Attribute, Decoded

AGE_BINS = (
    "0-2",
    "3-9",
    "10-19",
    "20-29",
    "30-39",
    "40-49",
    "50-59",
    "60-69",
    "more than 70",
)
ETHNICITIES = (
    "White",
    "Black",
    "Latino_Hispanic",
    "East Asian",
    "Southeast Asian",
    "Indian",
    "Middle Eastern",
)
SIZES = {"sex": 1, "age": len(AGE_BINS), "ethnicity": len(ETHNICITIES)}
"""Head name -> number of raw values per face."""

INTERVAL = 0.8
"""Share of true ages that lie between an attribute's `low` and `high`."""
AGE_EDGES = np.array([0, 3, 10, 20, 30, 40, 50, 60, 70, 90], np.float64)
"""(10,) years between the age bins."""

_YEARS_OF_BINS = ([0, 1, 2, 3, 9], [1.5, 6.5, 15, 25, 90])
"""Points of the scale of the bins, and their ages in years."""
_LEAST_PROBABILITY = float(np.finfo(np.float32).tiny)


def years(value: Any) -> F64:
    """Map ages on the scale of the bins (0 to 9) to years (0 to 100), as inaFaceAnalyzer does."""
    return np.clip(np.interp(value, *_YEARS_OF_BINS), 0, 100)


def bins_of(ages: F64) -> F32:
    """Return decision values (n, 9) that decode to ages in years; the inverse of `years`.

    The probability is divided between the two bins around an age. Ages above that of the last bin
    become the age of the last bin.

    Args:
        ages: (n,) years.
    """
    position = np.interp(ages, _YEARS_OF_BINS[1], _YEARS_OF_BINS[0])
    bins = np.arange(len(AGE_BINS))
    distance = np.abs(np.minimum(position, len(AGE_BINS) - 1)[:, None] - bins)
    return _log(np.maximum(1 - distance, 0))


def decode(head: str, raw: F32) -> Decoded:
    """Decode raw values to one decision value and one label per row.

    Args:
        head: `sex`, `age` or `ethnicity`.
        raw: (n, k) decision values.

    Raises:
        UsageError: No such head, or k is not its size.
    """
    _check(head, raw)
    is_known = ~np.isnan(raw).any(axis=1)
    value = np.full(len(raw), np.nan, np.float32)
    label = np.full(len(raw), "", object)
    value[is_known], label[is_known] = _DECODERS[head](raw[is_known].astype(np.float64))
    return Decoded(value=value, label=tuple(label))


def aggregate(
    head: str, raw: F32, weights: NDArray[Any] | None = None, method: str = "weighted"
) -> F32:
    """Aggregate the rows of one track or person to one row.

    Args:
        head: `sex`, `age` or `ethnicity`.
        raw: (n, k) decision values.
        weights: (n,) weight of each row, 0 or more; `None`: all equal.
        method: Name of the method:
            `weighted`: decoding the result gives the weighted mean of the logits of sex, of the
            age on the scale of the bins, and of the probabilities of the ethnicity classes.
            `mean`: the same without weights.
            `median`, which outliers do not change: the median of the logits of sex; the median
            age, with the distribution of the middle face (of the two middle faces, if n is even);
            the medians of the probabilities of the ethnicity classes, scaled to a sum of 1.
            `vote`: the mean of the rows with the most frequent label. Ages in the same bin count
            as the same label. Of equally frequent labels, the one with the greatest sum of
            `margin` wins.

    Returns:
        (k,) decision values; NaN if no row with a weight above 0 was described.

    Raises:
        UsageError: No such head, or k is not its size.
    """
    _check(head, raw)
    if weights is None or method != "weighted":
        weights = np.ones(len(raw))
    used = ~np.isnan(raw).any(axis=1) & (np.asarray(weights) > 0)
    if not used.any():
        return np.full(SIZES[head], np.nan, np.float32)
    described = raw[used]
    if method == "median":
        return _median(head, described)
    if method == "vote":
        return _vote(head, described)
    return _average(head, described, np.asarray(weights, np.float64)[used])


def _average(head: str, rows: F32, weights: F64) -> F32:
    """Return the weighted mean (k,) of rows (n, k); see `aggregate`."""
    values = rows.astype(np.float64)
    if head == "sex":
        return np.average(values, axis=0, weights=weights).astype(np.float32)
    return _log(np.average(_softmax(values), axis=0, weights=weights))


def _median(head: str, rows: F32) -> F32:
    """Return the median (k,) of rows (n, k); see `aggregate`."""
    if head == "sex":
        return np.median(rows, axis=0).astype(np.float32)
    if head == "ethnicity":
        return _log(np.median(_softmax(rows.astype(np.float64)), axis=0))
    order, last = np.argsort(decode(head, rows).value, kind="stable"), len(rows) - 1
    return aggregate(head, rows[order[last // 2 : (last + 1) // 2 + 1]])


def _vote(head: str, rows: F32) -> F32:
    """Return the mean (k,) of the rows with the most frequent label; see `aggregate`."""
    labels = age_bin(rows) if head == "age" else np.array(decode(head, rows).label)
    distinct, label = np.unique(labels, return_inverse=True)
    votes, margins = np.bincount(label), np.bincount(label, margin(head, rows))
    winner = max(range(len(distinct)), key=lambda i: (votes[i], margins[i]))
    return aggregate(head, rows[label == winner])


def summarize(head: str, raw: F32) -> Attribute:
    """Decode the aggregated values of one person; an age has its distribution.

    Args:
        head: `sex`, `age` or `ethnicity`.
        raw: (k,) decision values.
    """
    decoded = decode(head, raw[None])
    label, value = decoded.label[0], float(decoded.value[0])
    if head != "age" or not label:
        return Attribute(label=label, value=value)
    shares = tuple(probabilities(raw[None])[0].tolist())
    return Attribute(label=label, value=value, distribution=shares)


def age_interval(raw: F32) -> tuple[F64, F64]:
    """Return the middle `INTERVAL` of each age distribution, which is uniform inside a bin.

    That is for describers without a calibration. An end moves to the age that the values decode to,
    where that lies outside.

    Args:
        raw: (n, 9) decision values of age.

    Returns:
        Lower and upper ends, (n,) each, in years.
    """
    shares, labelled = probabilities(raw), ages(raw)
    tail = (1 - INTERVAL) / 2
    below = np.cumsum(shares, axis=1) - shares
    rows = np.arange(len(raw))

    def end(share: float) -> F64:
        bins = np.maximum((below <= share).sum(axis=1) - 1, 0)
        inside = (share - below[rows, bins]) / shares[rows, bins]
        return AGE_EDGES[bins] + np.clip(inside, 0, 1) * np.diff(AGE_EDGES)[bins]

    return np.fmin(end(tail), labelled), np.fmax(end(1 - tail), labelled)


def ages(raw: F32) -> F64:
    """Return the ages (n,) in years that decision values (n, 9) decode to."""
    return years(probabilities(raw) @ np.arange(len(AGE_BINS)))


def probabilities(raw: F32) -> F64:
    """Return the share (n, k) of each class in the distribution of decision values (n, k)."""
    return _softmax(raw.astype(np.float64))


def margin(head: str, raw: F32) -> F64:
    """Return the distance (n,) of each row from another label, as a logit; 0 is a guess.

    For age, it is the logit of the probability of the label's bin and the two bins beside it.

    Args:
        head: `sex`, `age` or `ethnicity`.
        raw: (n, k) decision values.
    """
    values = raw.astype(np.float64)
    if head == "sex":
        return np.abs(values[:, 0])
    probabilities = _softmax(values)
    if head == "ethnicity":
        share = probabilities.max(axis=1)
    else:
        bins = np.arange(len(AGE_BINS))
        near = np.abs(bins - age_bin(raw)[:, None]) <= 1
        share = (probabilities * near).sum(axis=1)
    share = np.clip(share, 1e-6, 1 - 1e-6)
    return np.log(share / (1 - share))


def age_bin(raw: F32) -> I64:
    """Return the bin (n,) of the age in years that decision values (n, 9) decode to."""
    return np.clip(np.searchsorted(AGE_EDGES, ages(raw), side="right") - 1, 0, len(AGE_BINS) - 1)


def _check(head: str, raw: F32) -> None:
    if head not in SIZES:
        raise UsageError(f"no attribute {head!r}; there are: {', '.join(SIZES)}")
    if raw.ndim != 2 or raw.shape[1] != SIZES[head]:
        raise UsageError(f"{head}: expected (n, {SIZES[head]}) values, got {raw.shape}")


def _softmax(values: F64) -> F64:
    """Return probabilities of logits (n, k), row by row."""
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _log(probabilities: F64) -> F32:
    """Return logits of probabilities."""
    return np.log(np.maximum(probabilities, _LEAST_PROBABILITY)).astype(np.float32)


def _sex(values: F64) -> tuple[F64, list[str]]:
    return values[:, 0], ["m" if value > 0 else "f" for value in values[:, 0]]


def _age(values: F64) -> tuple[F64, list[str]]:
    expected = _softmax(values) @ np.arange(len(AGE_BINS))
    return expected, [f"{age:.1f}" for age in years(expected)]


def _ethnicity(values: F64) -> tuple[F64, list[str]]:
    probabilities = _softmax(values)
    return probabilities.max(axis=1), [ETHNICITIES[i] for i in probabilities.argmax(axis=1)]


_DECODERS = {"sex": _sex, "age": _age, "ethnicity": _ethnicity}
"""Head name -> function from values (n, k) to decision values (n,) and n labels."""
