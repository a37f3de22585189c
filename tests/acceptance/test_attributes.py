"""What the attributes promise, measured on FairFace's validation pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analyzer import registry
from analyzer.attributes.heads import AGE_BINS, ETHNICITIES
from analyzer.attributes.labeller import Labeller
from analyzer.evaluation import attributes
from analyzer.evaluation.attributes import Predictions
from analyzer.inference.runtime import Runtime
from analyzer.options import ATTRIBUTES, AnalysisOptions
from analyzer.stages.describe import _dlib_attributes
from benchmarks import describe

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1200)]

TOP = ("crop, top 10 %", "cap, top 10 %", "scarf, top 10 %")
DARK = "gamma 0.5, darker"
DISTURBED = (*TOP, DARK)


@pytest.fixture(scope="module")
def describer() -> Any:
    return registry.load("describe", "dlib_resnet", runtime=Runtime(), attributes=ATTRIBUTES)


@pytest.fixture(scope="module")
def predictions(shared: Path, describer: Any) -> list[Predictions]:
    """Of all validation pictures, at full size, at 20 pixels, and disturbed by `DISTURBED`."""
    folder = shared / "data" / "fairface"
    if not folder.is_dir():
        pytest.skip(f"{folder} is missing")
    aligner = registry.load("align", describer.aligner, runtime=Runtime())
    dataset = registry.module("datasets", "fairface").create(folder=folder, split="val")
    return attributes.predict(
        describer, aligner, dataset, sizes_px=(150, 20), disturbances=DISTURBED
    )


def test_labels_are_as_right_as_promised(predictions: list[Predictions]) -> None:
    full, small, *_ = predictions
    assert full.right("sex").mean() >= 0.92
    assert full.right("ethnicity").mean() >= 0.68
    assert small.right("sex").mean() >= 0.78


@pytest.mark.xfail(strict=True, reason="58.9 %: the adjustment by the prior takes 0.4 points")
def test_ages_are_as_right_as_promised(predictions: list[Predictions]) -> None:
    full = predictions[0]
    assert (full.predicted("age") == full.labels["age"]).mean() >= 0.59


def given(predictions: Predictions, describer: Any) -> Any:
    """Return which faces (n,) have a label of sex by default."""
    usual = AnalysisOptions()
    return predictions.given(
        Labeller(
            calibration=describer.calibration,
            min_sex_age=usual.min_sex_age,
            min_sex_confidence=usual.min_sex_confidence,
        )
    )


def test_no_group_is_far_behind(predictions: list[Predictions], describer: Any) -> None:
    full = predictions[0]
    right, kept = full.right("sex"), given(full, describer)
    groups = [right[kept & (full.labels["ethnicity"] == i)].mean() for i in range(len(ETHNICITIES))]
    assert max(groups) - min(groups) <= 0.055


def test_sex_is_given_where_it_is_right(predictions: list[Predictions], describer: Any) -> None:
    """To most adults, and to the few children that are clear."""
    full = predictions[0]
    kept, age, right = given(full, describer), full.labels["age"], full.right("sex")
    adult, child = age >= AGE_BINS.index("20-29"), age < AGE_BINS.index("10-19")
    assert kept.mean() >= 0.85
    assert right[kept].mean() >= 0.955
    assert kept[adult].mean() >= 0.95
    assert right[kept & adult].mean() >= 0.97
    assert kept[child].mean() <= 0.4
    assert right[kept & child].mean() >= 0.82
    assert right[~kept].mean() <= 0.75


def test_small_faces_of_adults_keep_their_sex(
    predictions: list[Predictions], describer: Any
) -> None:
    small = predictions[1]
    kept, adult = given(small, describer), small.labels["age"] >= AGE_BINS.index("20-29")
    assert kept[adult].mean() >= 0.9
    assert small.right("sex")[kept & adult].mean() >= 0.95


@pytest.mark.parametrize("cover", TOP)
def test_a_cover_makes_few_labels_the_other_sex(
    cover: str, predictions: list[Predictions], describer: Any
) -> None:
    full, covered = predictions[0], predictions[2 + DISTURBED.index(cover)]
    flips = covered.predicted("sex") != full.predicted("sex")
    assert (flips & given(full, describer) & given(covered, describer)).mean() <= 0.015


@pytest.mark.xfail(strict=True, reason="92.1 % over all, 96.1 % of adults, 87.6 % at 20 pixels")
def test_labels_are_as_right_as_wanted(predictions: list[Predictions]) -> None:
    full, small, *_ = predictions
    assert full.right("sex").mean() >= 0.93
    assert full.right("sex")[full.labels["age"] >= AGE_BINS.index("20-29")].mean() >= 0.965
    assert (full.predicted("age") == full.labels["age"]).mean() >= 0.605
    assert full.right("ethnicity").mean() >= 0.695
    assert small.right("sex").mean() >= 0.88


def test_given_labels_are_as_right_as_wanted(
    predictions: list[Predictions], describer: Any
) -> None:
    full = predictions[0]
    kept, ethnicity = given(full, describer), full.labels["ethnicity"]
    right = full.right("sex")
    groups = [right[kept & (ethnicity == i)].mean() for i in range(len(ETHNICITIES))]
    assert kept.mean() >= 0.85
    assert right[kept].mean() >= 0.945
    assert max(groups) - min(groups) <= 0.055


@pytest.mark.xfail(strict=True, reason="3.10, 3.58 and 3.14 %")
@pytest.mark.parametrize("cover", TOP)
def test_a_cover_changes_few_labels_of_sex(cover: str, predictions: list[Predictions]) -> None:
    covered = predictions[2 + DISTURBED.index(cover)]
    assert (covered.predicted("sex") != predictions[0].predicted("sex")).mean() <= 0.03


def test_darkness_costs_little(predictions: list[Predictions]) -> None:
    dark = predictions[2 + DISTURBED.index(DARK)]
    assert predictions[0].right("sex").mean() - dark.right("sex").mean() <= 0.015


def test_age_intervals_hold_four_fifths_of_every_age(
    predictions: list[Predictions], describer: Any
) -> None:
    full = predictions[0]
    held = full.held(describer.calibration)
    assert 0.79 <= held.mean() <= 0.85
    for head in ("age", "sex"):
        for group in np.unique(full.labels[head]):
            assert held[full.labels[head] == group].mean() >= 0.76


def test_who_abstains_is_right(predictions: list[Predictions], describer: Any) -> None:
    full = predictions[0]
    confident = describer.calibration.sure("sex", full.raw["sex"], full.views, 0.97)
    assert confident.mean() >= 0.7
    assert full.right("sex")[confident].mean() >= 0.97


@pytest.mark.xfail(strict=False, reason="3.8 to 5 ms: docs/performance.md says what was tried")
def test_describer_is_quick() -> None:
    figures = describe.run()
    assert figures["ours_all_cores_with_heads_ms_per_face"] <= 4
    assert figures["largest_embedding_difference"] < 1e-5


def test_weights_are_small() -> None:
    assert _dlib_attributes.SHIPPED.stat().st_size <= 15e6
