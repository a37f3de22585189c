"""What the attributes promise, measured on FairFace's validation pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from analyzer import registry
from analyzer.attributes.heads import AGE_BINS, ETHNICITIES
from analyzer.attributes.labeller import Labeller
from analyzer.evaluation import attributes
from analyzer.evaluation.attributes import Predictions
from analyzer.inference.runtime import Runtime
from analyzer.options import ATTRIBUTES, AnalysisOptions
from analyzer.options.analysis import MIN_SEX_AGE
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


@pytest.fixture(scope="module")
def given(predictions: list[Predictions], describer: Any) -> NDArray[np.bool_]:
    """Which pictures get a label of sex with default options."""
    age = AnalysisOptions().min_sex_age
    labeller = Labeller(calibration=describer.calibration, min_sex_age=age)
    return predictions[0].given(labeller)


def distance(right: NDArray[np.bool_], ethnicities: NDArray[np.int64]) -> float:
    """Distance between the best and the worst ethnicity."""
    shares = [right[ethnicities == i].mean() for i in range(len(ETHNICITIES))]
    return float(max(shares) - min(shares))


def test_labels_are_as_right_as_promised(predictions: list[Predictions]) -> None:
    full, small, *_ = predictions
    assert full.right("sex").mean() >= 0.92
    assert (full.predicted("age") == full.labels["age"]).mean() >= 0.59
    assert full.right("ethnicity").mean() >= 0.68
    assert small.right("sex").mean() >= 0.78


@pytest.mark.xfail(strict=True, reason="92.2, 95.9 and 87.5 %")
def test_labels_are_as_right_as_wanted(predictions: list[Predictions]) -> None:
    full, small, *_ = predictions
    assert full.right("sex").mean() >= 0.93
    assert full.right("sex")[full.labels["age"] >= 3].mean() >= 0.965
    assert (full.predicted("age") == full.labels["age"]).mean() >= 0.605
    assert full.right("ethnicity").mean() >= 0.695
    assert small.right("sex").mean() >= 0.88


@pytest.mark.xfail(strict=True, reason="7.3 points; docs/model_card.md says what was tried")
def test_no_group_is_far_behind(predictions: list[Predictions]) -> None:
    full = predictions[0]
    assert distance(full.right("sex"), full.labels["ethnicity"]) <= 0.07


@pytest.mark.xfail(strict=True, reason="86.9 % kept, 94.3 % right, 6.2 points")
def test_labels_that_are_given_are_right(
    predictions: list[Predictions], given: NDArray[np.bool_]
) -> None:
    full = predictions[0]
    right = full.right("sex")[given]
    assert given.mean() >= 0.85
    assert right.mean() >= 0.945
    assert distance(right, full.labels["ethnicity"][given]) <= 0.055


@pytest.mark.xfail(strict=True, reason="6 to 9 % of 500")
@pytest.mark.parametrize("cover", TOP)
def test_a_cover_changes_few_labels_of_sex(cover: str, predictions: list[Predictions]) -> None:
    covered = predictions[2 + DISTURBED.index(cover)]
    assert (covered.predicted("sex") != predictions[0].predicted("sex")).mean() <= 0.03


def test_darkness_costs_little(predictions: list[Predictions]) -> None:
    dark = predictions[2 + DISTURBED.index(DARK)]
    assert predictions[0].right("sex").mean() - dark.right("sex").mean() <= 0.015


def test_age_intervals_hold_four_fifths(predictions: list[Predictions], describer: Any) -> None:
    full = predictions[0]
    held = full.held(describer.calibration)
    for rows in (np.ones(len(held), bool), full.labels["sex"] == 0, full.labels["sex"] == 1):
        assert 0.78 <= held[rows].mean() <= 0.82


def test_who_abstains_is_right(predictions: list[Predictions], describer: Any) -> None:
    full = predictions[0]
    confident = describer.calibration.sure("sex", full.raw["sex"], full.views, 0.97)
    assert confident.mean() >= 0.7
    assert full.right("sex")[confident].mean() >= 0.97


@pytest.mark.xfail(strict=False, reason="4.1 ms: docs/performance.md says what was tried")
def test_describer_is_quick() -> None:
    figures = describe.run()
    assert figures["ours_all_cores_with_heads_ms_per_face"] <= 4
    assert figures["largest_embedding_difference"] < 1e-5


def test_weights_are_small() -> None:
    assert _dlib_attributes.SHIPPED.stat().st_size <= 15e6
