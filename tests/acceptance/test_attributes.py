"""What the attributes promise, measured on FairFace's validation pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analyzer import registry
from analyzer.attributes.heads import ETHNICITIES
from analyzer.evaluation import attributes
from analyzer.evaluation.attributes import Predictions
from analyzer.inference.runtime import Runtime
from analyzer.options import ATTRIBUTES
from analyzer.stages.describe import _dlib_attributes
from benchmarks import describe

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def describer() -> Any:
    return registry.load("describe", "dlib_resnet", runtime=Runtime(), attributes=ATTRIBUTES)


@pytest.fixture(scope="module")
def predictions(shared: Path, describer: Any) -> list[Predictions]:
    """Of all validation pictures, at full size and at 20 pixels."""
    folder = shared / "data" / "fairface"
    if not folder.is_dir():
        pytest.skip(f"{folder} is missing")
    aligner = registry.load("align", describer.aligner, runtime=Runtime())
    dataset = registry.module("datasets", "fairface").create(folder=folder, split="val")
    return attributes.predict(describer, aligner, dataset, sizes_px=(150, 20))


def test_labels_are_as_right_as_promised(predictions: list[Predictions]) -> None:
    full, small = predictions
    assert full.right("sex").mean() >= 0.92
    assert (full.predicted("age") == full.labels["age"]).mean() >= 0.59
    assert full.right("ethnicity").mean() >= 0.68
    assert small.right("sex").mean() >= 0.78


@pytest.mark.xfail(strict=True, reason="7.3 points; docs/model_card.md says what was tried")
def test_no_group_is_far_behind(predictions: list[Predictions]) -> None:
    full = predictions[0]
    groups = [
        full.right("sex")[full.labels["ethnicity"] == i].mean() for i in range(len(ETHNICITIES))
    ]
    assert max(groups) - min(groups) <= 0.07


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


@pytest.mark.xfail(strict=False, reason="4.1 ms: docs/performance.md says what was tried")
def test_describer_is_quick() -> None:
    figures = describe.run()
    assert figures["ours_all_cores_with_heads_ms_per_face"] <= 4
    assert figures["largest_embedding_difference"] < 1e-5


def test_weights_are_small() -> None:
    assert _dlib_attributes.SHIPPED.stat().st_size <= 15e6
