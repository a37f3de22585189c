"""Accuracy of attributes on labelled pictures: overall, by group, face size and disturbance."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.attributes import heads as attributes
from analyzer.attributes.calibration import CHIP_PER_FACE, CHIP_PX, Calibration, Views
from analyzer.attributes.heads import AGE_BINS, AGE_EDGES, ETHNICITIES
from analyzer.attributes.labeller import Labeller
from analyzer.evaluation import disturbances as disturb
from analyzer.evaluation import intervals
from analyzer.evaluation.datasets import Dataset
from analyzer.imaging.quality import sharpness, shrink
from analyzer.stages.align import Aligner
from analyzer.stages.describe import Describer
from analyzer.types import F32, F64, I64, U8, Progress, ProgressHook

AGE_CENTRES = np.array([1.5, 6.5, 15, 25, 35, 45, 55, 65, 75])
"""(9,) years that stand for the age bins when errors are counted in years."""
SIZES_PX = (CHIP_PX, 80, 40, 20)
"""Sides to which chips are shrunk, and enlarged again."""
CLASSES = {"sex": ("f", "m"), "age": AGE_BINS, "ethnicity": ETHNICITIES}
"""Head -> names of its classes."""
SPANS = {"children, 0-9": (0, 2), "teens, 10-19": (2, 3), "adults, 20+": (3, 9), "old, 60+": (7, 9)}
"""Name of a range of ages -> its first bin, and the one behind its last."""
_CHIPS = 512
_FEATURES_BOX = np.array([[23, 19, 127, 123]], np.float32)
"""Where a detector would find the face on a chip."""
_RELIABILITY_BINS = 10
Rows = NDArray[np.bool_]
_Part = tuple[Mapping[str, F32], F32, F32]
"""Raw values, sharpness and frontality of some pictures."""


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """What a describer said of n labelled pictures at one size, or of n disturbed ones."""

    size_px: int
    """Side in pixels to which the chips were shrunk."""
    raw: Mapping[str, F32]
    """Head -> (n, k)."""
    labels: Mapping[str, I64]
    """Head -> (n,) classes; -1 where it is not labelled."""
    views: Views
    disturbance: str = ""
    """Of `analyzer.evaluation.disturbances`; empty for the pictures as they are."""

    def labelled(self, head: str) -> Rows:
        """Return which pictures (n,) have a label of this head."""
        return self.labels[head] >= 0

    def predicted(self, head: str) -> I64:
        """Most probable classes (n,)."""
        raw = self.raw[head]
        return (raw[:, 0] > 0).astype(np.int64) if head == "sex" else raw.argmax(axis=1)

    def right(self, head: str) -> Rows:
        """Return whether each label (n,) is right; of an age, also one bin beside it."""
        if head == "age":
            return np.abs(attributes.age_bin(self.raw["age"]) - self.labels["age"]) <= 1
        return self.predicted(head) == self.labels[head]

    def age_errors(self) -> F64:
        """Return years (n,) from the centre of the labelled bin to the age."""
        years = attributes.years(attributes.decode("age", self.raw["age"]).value)
        return years - AGE_CENTRES[self.labels["age"]]

    def given(self, labeller: Labeller) -> Rows:
        """Return which pictures (n,) get a label of sex."""
        decoded = labeller.decode({head: self.raw[head] for head in ("sex", "age")}, self.views)
        return np.array(decoded["sex"].label) != ""

    def age_ends(self, calibration: Calibration) -> tuple[F64, F64]:
        """Return the ends (n,) of each age interval, in years."""
        return calibration.age_interval(self.raw["age"], self.views)

    def held(self, calibration: Calibration) -> F64:
        """Probability (n,) that each age interval holds the true age."""
        return held(*self.age_ends(calibration), self.labels["age"])


def held(low: F64, high: F64, ages: I64) -> F64:
    """Probability (n,) that an age, uniform within its labelled bin, lies between low and high."""
    start, end = AGE_EDGES[ages], AGE_EDGES[ages + 1]
    return np.clip(np.minimum(high, end) - np.maximum(low, start), 0, None) / (end - start)


def predict(
    describer: Describer,
    aligner: Aligner,
    dataset: Dataset,
    *,
    sizes_px: Sequence[int] = SIZES_PX,
    disturbances: Sequence[str] = (),
    progress: ProgressHook = lambda _: None,
) -> list[Predictions]:
    """Describe all pictures at each size, and disturbed, by the path that an analysis takes.

    Args:
        describer: Must have been asked for all heads.
        aligner: The describer's, for the frontality of the faces.
        dataset: Labelled chips.
        sizes_px: Sides in pixels to which chips are shrunk.
        disturbances: Names of `analyzer.evaluation.disturbances`, at full size.
        progress: Hook that is called with the pictures done.

    Returns:
        One a size, then one a disturbance.
    """
    versions = [(size, "") for size in sizes_px] + [(CHIP_PX, name) for name in disturbances]
    parts: list[list[_Part]] = [[] for _ in versions]
    for start in range(0, len(dataset), _CHIPS):
        chips = dataset.chips(start, start + _CHIPS)
        frontality = np.concatenate([_frontality(aligner, chip) for chip in chips])
        for (size, name), part in zip(versions, parts, strict=True):
            seen = chips if size == chips.shape[1] else shrink(chips, size)
            seen = disturb.disturb(name, seen, start) if name else seen
            part.append((describer.describe(seen).heads, sharpness(seen), frontality))
        done = min(start + _CHIPS, len(dataset))
        progress(Progress(stage="describe", done=done, total=len(dataset)))
    return [_join(p, dataset.labels, *version) for version, p in zip(versions, parts, strict=True)]


def _frontality(aligner: Aligner, chip: U8) -> F32:
    return aligner.align(chip, _FEATURES_BOX, None).frontality


def _join(
    parts: Sequence[_Part], labels: Mapping[str, I64], size: int, disturbance: str
) -> Predictions:
    heads, sharp, frontal = zip(*parts, strict=True)
    count = sum(map(len, sharp))
    views = Views(
        face_px=np.full(count, size / CHIP_PER_FACE, np.float32),
        sharpness=np.concatenate(sharp),
        frontality=np.concatenate(frontal),
    )
    raw = {name: np.concatenate([part[name] for part in heads]) for name in attributes.SIZES}
    return Predictions(size_px=size, raw=raw, labels=labels, views=views, disturbance=disturbance)


def report(
    sizes: Sequence[Predictions],
    calibration: Calibration | None,
    labeller: Labeller | None = None,
) -> dict[str, Any]:
    """Return all figures as JSON-able values: each with its 95 % interval and its count.

    Args:
        sizes: Predictions on the same pictures at each size, the largest first.
        calibration: The describer's, if it has one.
        labeller: Decides which labels of sex are given; `None`: that is not measured.
    """
    return {
        "count": len(sizes[0].labels["sex"]),
        "classes": {head: list(names) for head, names in CLASSES.items()},
        "sizes": {str(p.size_px): _figures(p, calibration, labeller) for p in sizes},
    }


def _figures(
    p: Predictions, calibration: Calibration | None, labeller: Labeller | None
) -> dict[str, Any]:
    """Everything at one size."""
    measured = samples(p, calibration, labeller)
    figures: dict[str, Any] = {"overall": measured.row(everyone(p)), "groups": groups(measured)}
    figures["gaps"] = gaps(figures["groups"]["ethnicity"])
    figures["cells"] = list(_cells(measured))
    figures["confusion"] = {head: _confusion(p, head) for head in CLASSES}
    if calibration:
        figures["reliability"] = {head: _reliability(p, head, calibration) for head in CLASSES}
        figures["abstention"] = {head: _abstention(p, head, calibration) for head in CLASSES}
    return figures


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Values that figures are the means of."""

    labels: Mapping[str, I64]
    """Head -> (n,) classes."""
    values: Mapping[str, NDArray[Any]]
    """Figure -> (n,) what it is the mean, or the root of the mean, of."""
    counted: Mapping[str, Rows]
    """Figure -> (n,) which pictures count."""

    def row(self, rows: Rows) -> dict[str, Any]:
        """Return the figures of some pictures (n,); `None` where there are none."""
        figures: dict[str, Any] = {"count": int(rows.sum())}
        for name, values in self.values.items():
            figures[name] = figure(name, values[rows & self.counted[name]])
        return figures


def everyone(p: Predictions) -> Rows:
    """Return all pictures (n,)."""
    return np.ones(len(p.labels["sex"]), bool)


def samples(p: Predictions, calibration: Calibration | None, labeller: Labeller | None) -> Samples:
    """Return what the figures are made of; see `report`."""
    errors = p.age_errors()
    values: dict[str, NDArray[Any]] = {
        "sex_accuracy": p.right("sex"),
        "age_accuracy": p.predicted("age") == p.labels["age"],
        "age_one_off": p.right("age"),
        "ethnicity_accuracy": p.right("ethnicity"),
        "age_mae_years": np.abs(errors),
        "age_rmse_years": errors**2,
    }
    if calibration:
        low, high = p.age_ends(calibration)
        values |= {"age_held": p.held(calibration), "age_width_years": high - low}
    counted = {name: p.labelled(name.partition("_")[0]) for name in values}
    if labeller:
        given = p.given(labeller)
        values |= {"sex_given": given, "sex_given_accuracy": p.right("sex")}
        counted |= {"sex_given": p.labelled("sex"), "sex_given_accuracy": p.labelled("sex") & given}
    return Samples(labels=p.labels, values=values, counted=counted)


def groups(measured: Samples) -> dict[str, dict[str, Any]]:
    """Return the figures of each range of ages, and of each class of each head."""
    ages = measured.labels["age"]
    spans = {
        name: measured.row((ages >= first) & (ages < end)) for name, (first, end) in SPANS.items()
    }
    classes = {
        head: {name: measured.row(measured.labels[head] == i) for i, name in enumerate(names)}
        for head, names in CLASSES.items()
    }
    return {"ages": spans, **classes}


def gaps(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any] | None]:
    """Return by how much the best group is ahead of the worst, in labels of sex.

    The interval is that of the difference of two shares. It does not know that the groups were
    picked as the best and the worst, which makes the distance larger than it is.

    Args:
        rows: Group -> its figures.
    """
    return {
        name: _gap({group: row[name] for group, row in rows.items() if row.get(name)})
        for name in ("sex_accuracy", "sex_given_accuracy")
        if any(name in row for row in rows.values())
    }


def _gap(shares: Mapping[str, Mapping[str, float]]) -> dict[str, Any] | None:
    if len(shares) < 2:
        return None
    worst, *_, best = sorted(shares, key=lambda group: shares[group]["value"])
    low, high = intervals.difference(shares[best], shares[worst])
    value = shares[best]["value"] - shares[worst]["value"]
    return {"value": value, "low": low, "high": high, "best": best, "worst": worst}


def figure(name: str, values: NDArray[Any]) -> dict[str, float] | None:
    """Return the mean of values (n,), its root where it is of squares, with its interval.

    Shares have Wilson's, other figures one by bootstrap; `None` where there is no value.
    """
    if not len(values):
        return None
    if values.dtype == bool:
        low, high = (float(end) for end in intervals.wilson(values.sum(), values.size))
        return {"value": float(values.mean()), "low": low, "high": high}
    low, high = intervals.bootstrap(values.astype(np.float64))
    interval = np.array([values.mean(), low, high])
    value, low, high = np.sqrt(interval) if "rmse" in name else interval
    return {"value": float(value), "low": float(low), "high": float(high)}


def _cells(measured: Samples) -> Iterator[dict[str, Any]]:
    """Yield the figures of every combination of classes that occurs."""
    for classes in product(*(range(len(names)) for names in CLASSES.values())):
        rows = np.logical_and.reduce(
            [measured.labels[head] == i for head, i in zip(CLASSES, classes, strict=True)]
        )
        if rows.any():
            named = {h: CLASSES[h][i] for h, i in zip(CLASSES, classes, strict=True)}
            yield {**named, **measured.row(rows)}


def _confusion(p: Predictions, head: str) -> list[list[int]]:
    """Return the confusion counts; rows are labels, columns are predictions."""
    size = len(CLASSES[head])
    flat = (p.labels[head] * size + p.predicted(head))[p.labelled(head)]
    counts: list[list[int]] = np.bincount(flat, minlength=size**2).reshape(size, size).tolist()
    return counts


def _reliability(p: Predictions, head: str, calibration: Calibration) -> list[dict[str, float]]:
    """Confidence and accuracy of equally many faces each, least sure first."""
    rows = p.labelled(head)
    sure = calibration.confidence(head, p.raw[head], p.views)[rows]
    right = p.right(head)[rows]
    bins = [b for b in np.array_split(np.argsort(sure, kind="stable"), _RELIABILITY_BINS) if len(b)]
    return [
        {"confidence": float(sure[b].mean()), "accuracy": float(right[b].mean()), "count": len(b)}
        for b in bins
    ]


def _abstention(p: Predictions, head: str, calibration: Calibration) -> list[dict[str, Any]]:
    """Return the share that is kept, and its accuracy, for each accuracy that can be asked for."""
    rows, right = p.labelled(head), p.right(head)

    def at(asked: float) -> dict[str, Any]:
        keep = calibration.sure(head, p.raw[head], p.views, asked)
        return {
            "asked": asked,
            "kept": figure("kept", keep[rows]),
            "right": figure("right", right[rows & keep]),
        }

    return [at(float(asked)) for asked in calibration.accuracies]
