import numpy as np
import pytest

from analyzer.attributes import age_intervals
from analyzer.attributes.calibration import Calibration
from analyzer.attributes.heads import age_bin, margin
from analyzer.attributes.labeller import Labeller
from analyzer.errors import UsageError
from analyzer.evaluation import intervals
from analyzer.imaging import quality
from analyzer.options import AnalysisOptions
from tests.support.observations import TABLES, views


def test_tables_come_back_from_json():
    again = Calibration.from_json(TABLES.to_json())
    np.testing.assert_array_equal(again.octaves, TABLES.octaves)
    np.testing.assert_array_equal(again.age_densities, TABLES.age_densities)
    assert again.thresholds_at("sex", 0.95, views(200)).tolist() == [0.8]


def test_large_faces_are_all_one_size_and_small_ones_count_in_octaves():
    octaves = views(1000, 150, 35, 0).octaves
    assert octaves[:2].tolist() == [0, 0]
    assert octaves[2] == pytest.approx(2, abs=0.01)
    assert np.isfinite(octaves[3])


def test_less_to_see_is_less_sure():
    raw = np.full((3, 1), 1.0, np.float32)
    sure = TABLES.confidence("sex", raw, views(200, 30, 10))
    assert (np.diff(sure) < 0).all()
    profile = TABLES.confidence("sex", raw[:1], views(200, frontal=0.1))
    assert profile[0] < sure[0]


def test_accuracies_between_the_rows_of_the_table_and_beyond_it():
    def at(accuracy, *sizes):
        return TABLES.thresholds_at("sex", accuracy, views(*sizes)).tolist()

    assert at(0.925, 200) == pytest.approx([0.7])
    assert at(0.5, 200, 1) == pytest.approx([0.6, 0.7])
    assert at(0.995, 200) == [2]
    small = 150 / 1.07 / 2**1.5
    assert at(0.95, small) == pytest.approx([1.4])


def test_intervals_follow_the_size():
    raw = np.tile(np.float32([[0, 0, 1, 4, 5, 3, 1, 0, 0]]), (4, 1))
    sizes = views(200, 150 / 1.07 / 2, 1, 1e-3)
    low, high = TABLES.age_interval(raw, sizes)
    assert (np.diff(high - low)[:2] > 0).all()
    between = np.interp(1, TABLES.octaves, TABLES.age_densities[:, 0])
    expected = age_intervals.densest(raw[:1], np.full((1, 9), between))
    np.testing.assert_allclose((low[1], high[1]), np.ravel(expected))
    assert (low[3], high[3]) == (low[2], high[2])


def test_labels_are_left_empty_and_values_kept():
    heads = {"sex": np.array([[3.0], [0.05], [-3.0], [np.nan]], np.float32)}
    plain = Labeller(calibration=TABLES).decode(heads, views(200, 200, 200, 200))
    assert plain["sex"].label == ("m", "f" if heads["sex"][1, 0] <= 0 else "m", "f", "")
    asked = Labeller(calibration=TABLES, min_accuracy=0.95).decode(heads, views(*[200] * 4))
    assert asked["sex"].label == ("m", "", "f", "")
    np.testing.assert_array_equal(asked["sex"].value, plain["sex"].value)


def test_a_person_without_a_label_has_no_interval():
    raw = {"age": np.zeros((2, 9), np.float32), "sex": np.ones((2, 1), np.float32)}
    weights = np.ones(2, np.float32)
    given = Labeller(calibration=TABLES).summarize(raw, views(200, 200), weights)
    assert given["age"].low < float(given["age"].label) < given["age"].high
    summary = Labeller(calibration=TABLES, min_accuracy=0.95).summarize(
        raw, views(200, 200), weights
    )
    assert (summary["age"].label, summary["age"].low, summary["age"].high) == ("", None, None)
    assert summary["age"].value == given["age"].value
    assert summary["age"].distribution == pytest.approx([1 / 9] * 9)
    assert summary["sex"].label == "m"


def test_who_was_not_calibrated_cannot_abstain():
    with pytest.raises(UsageError, match="not calibrated"):
        Labeller(min_accuracy=0.9)


@pytest.mark.parametrize("share", [0, 1, 97])
def test_an_accuracy_is_a_share(share):
    with pytest.raises(UsageError, match="min_label_accuracy"):
        AnalysisOptions(min_label_accuracy=share)


def test_wilson_is_the_textbook_interval():
    low, high = intervals.wilson(np.array([8, 0]), np.array([10, 0]))
    assert (low[0], high[0]) == (pytest.approx(0.490, abs=1e-3), pytest.approx(0.943, abs=1e-3))
    assert (low[1], high[1]) == (0, pytest.approx(1))


def test_bootstrap_holds_the_mean():
    values = np.random.default_rng(1).normal(5, 2, 1000)
    low, high = intervals.bootstrap(values)
    assert low < values.mean() < high
    assert high - low == pytest.approx(4 * 2 / np.sqrt(1000), rel=0.2)


def test_shrinking_keeps_brightness_and_loses_detail():
    chips = np.random.default_rng(0).integers(0, 256, (2, 150, 150, 3), np.uint8)
    small = quality.shrink(chips, 20)
    assert (small.shape, small.dtype) == (chips.shape, np.uint8)
    assert small.mean() == pytest.approx(chips.mean(), abs=1)
    assert small.std() < 0.2 * chips.std()
    np.testing.assert_array_equal(quality.shrink(chips, 150), chips)
    ramp = np.broadcast_to(np.arange(150, dtype=np.uint8)[None, :, None], (1, 150, 150, 3))
    np.testing.assert_allclose(quality.shrink(ramp, 75)[0, 0, 2:-2, 0], np.arange(2, 148), atol=1)


def test_margins_are_logits_of_being_right():
    age = np.log(np.array([[0.05, 0.6, 0.3, 0.05] + [1e-9] * 5], np.float32))
    assert age_bin(age).tolist() == [1]
    assert margin("age", age)[0] == pytest.approx(np.log(0.95 / 0.05), abs=1e-3)
    flat = np.zeros((1, 7), np.float32)
    assert margin("ethnicity", flat)[0] == pytest.approx(np.log((1 / 7) / (6 / 7)))
    assert margin("sex", np.array([[-2]], np.float32)).tolist() == [2]
