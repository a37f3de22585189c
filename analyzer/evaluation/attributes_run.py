"""Measure a describer on labelled pictures; what `evaluate attributes` does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from analyzer.attributes.labeller import Labeller
from analyzer.errors import UsageError
from analyzer.evaluation import attributes
from analyzer.evaluation.attributes import SIZES_PX, Predictions
from analyzer.evaluation.datasets import PublishedDataset
from analyzer.stages.align import Aligner
from analyzer.stages.describe import Describer
from analyzer.types import I64, U8, ProgressHook

RAW = "raw"
"""Labels as the data set has them."""
CLEAN = "as it is"
"""Name of the pictures that are not disturbed, in a table."""
LABELS = (RAW, "corrected", "cleaned")


class FirstPictures:
    """The first pictures of a data set."""

    def __init__(self, dataset: PublishedDataset, count: int) -> None:
        self._dataset = dataset
        self._count = min(count, len(dataset))
        self.labels: Mapping[str, I64] = {
            head: of_all[:count] for head, of_all in dataset.labels.items()
        }
        self.reviewed: Mapping[str, I64] = {
            name: sex[:count] for name, sex in dataset.reviewed.items()
        }
        self.digest = dataset.digest

    def __len__(self) -> int:
        return self._count

    def chips(self, start: int, stop: int) -> U8:
        """Return pictures as chips; see `analyzer.evaluation.datasets.Dataset`."""
        return self._dataset.chips(start, min(stop, self._count))


def measure(
    describer: Describer,
    aligner: Aligner,
    dataset: PublishedDataset,
    *,
    labels: str,
    disturbances: Sequence[str],
    min_sex_age: float,
    min_sex_confidence: float,
    progress: ProgressHook,
) -> dict[str, Any]:
    """Return all figures as JSON-able values; see `analyzer.evaluation.attributes.report`.

    Args:
        describer: Must have been asked for all heads.
        aligner: The describer's.
        dataset: Labelled pictures.
        labels: One of `LABELS`, by which everything is counted.
        disturbances: Names of `analyzer.evaluation.disturbances`.
        min_sex_age: As in an analysis: below it no label of sex is given.
        min_sex_confidence: Likewise: none that is less likely to be right.
        progress: Hook that is called with the pictures done.

    Raises:
        UsageError: Other labels than the raw ones, of a data set that nobody reviewed.
    """
    if labels != RAW and not dataset.reviewed:
        raise UsageError(f"{labels} labels: nobody reviewed these pictures: count by the raw ones")
    predictions = attributes.predict(
        describer, aligner, dataset, disturbances=disturbances, progress=progress
    )
    counted = [_labelled(p, labels, dataset) for p in predictions]
    labeller = Labeller(
        calibration=describer.calibration,
        min_sex_age=min_sex_age,
        min_sex_confidence=min_sex_confidence,
    )
    sizes = counted[: len(SIZES_PX)]
    report = attributes.report(sizes, describer.calibration, labeller)
    if len(counted) > len(sizes):
        report["disturbances"] = disturbed(sizes[0], counted[len(sizes) :], labeller)
    if dataset.reviewed:
        report["labels"] = {
            name: _by_labels(_labelled(predictions[0], name, dataset), labeller) for name in LABELS
        }
    return report


def _labelled(p: Predictions, name: str, dataset: PublishedDataset) -> Predictions:
    """Return predictions with labels of sex as they would be after the review."""
    sex: I64 = dataset.reviewed.get(name, p.labels["sex"])
    return replace(p, labels={**p.labels, "sex": sex})


def _by_labels(p: Predictions, labeller: Labeller) -> dict[str, Any]:
    """Return the figures of sex by one kind of labels, overall and by range of ages."""
    rows = p.labelled("sex")
    told = replace(
        p,
        raw={head: raw[rows] for head, raw in p.raw.items()},
        labels={head: of_all[rows] for head, of_all in p.labels.items()},
        views=p.views[rows],
    )
    measured = attributes.samples(told, None, labeller)
    by_group = attributes.groups(measured)
    return {
        "overall": measured.row(attributes.everyone(told)),
        "ages": by_group["ages"],
        "gaps": attributes.gaps(by_group["ethnicity"]),
    }


def disturbed(
    clean: Predictions, versions: Sequence[Predictions], labeller: Labeller
) -> dict[str, dict[str, Any]]:
    """Return the figures of disturbed pictures, and of how many the label of sex changes.

    Args:
        clean: Predictions on the pictures as they are.
        versions: Predictions on the same pictures, each disturbed in one way.
        labeller: Decides which labels are given.

    Returns:
        Name of the disturbance -> `overall` and `adults`, as `attributes.Samples.row` has them,
        and of all pictures `flips`, the share that gets the other sex than the clean picture, and
        `flips_given`, the same share of those that get a label in both. The clean pictures come
        first, under `CLEAN`.
    """
    given = clean.given(labeller)
    adult = clean.labels["age"] >= attributes.SPANS["adults, 20+"][0]
    figures = {}
    for p in (clean, *versions):
        measured = attributes.samples(p, None, labeller)
        flips = p.predicted("sex") != clean.predicted("sex")
        figures[p.disturbance or CLEAN] = {
            "overall": measured.row(attributes.everyone(p)),
            "adults": measured.row(adult),
            "flips": attributes.figure("flips", flips),
            "flips_given": attributes.figure("flips", flips[given & p.given(labeller)]),
        }
    return figures
