"""No sex for who looks too young for it: decided by the upper end of the interval of the age."""

import numpy as np
import pytest

from analyzer.attributes import heads
from analyzer.attributes.labeller import PLAIN, Labeller
from analyzer.errors import UsageError
from analyzer.options import AnalysisOptions
from tests.support.observations import TABLES, views

AGES = np.log(
    np.array(
        [
            [0.02, 0.93, 0.05, 0, 0, 0, 0, 0, 0],  # 5 years, surely
            [0, 0, 0, 0, 0.5, 0.5, 0, 0, 0],  # 40 years
            [0, 0.65, 0, 0.35, 0, 0, 0, 0, 0],  # 13 years in the mean; may be 25
        ]
    )
    + 1e-9
).astype(np.float32)
SEXES = np.array([[3.0], [-3.0], [-2.0]], np.float32)
LIMITED = Labeller(calibration=TABLES, min_sex_age=20)


def test_a_child_has_no_sex_and_keeps_its_value():
    decoded = LIMITED.decode({"sex": SEXES, "age": AGES}, views(200, 200, 200))
    assert decoded["sex"].label == ("", "f", "f")
    np.testing.assert_array_equal(decoded["sex"].value, SEXES[:, 0])
    assert decoded["age"].label == PLAIN.decode({"age": AGES}, views(200, 200, 200))["age"].label


def test_who_may_be_older_keeps_the_label():
    """The mean of the third is below the limit, but not the end of its interval."""
    assert float(heads.years(heads.decode("age", AGES[2:]).value)[0]) < 20
    assert LIMITED.too_young({"age": AGES}, views(200, 200, 200)).tolist() == [True, False, False]


def test_everybody_is_labelled_on_demand():
    everybody = Labeller(calibration=TABLES, min_sex_age=0)
    decoded = everybody.decode({"sex": SEXES, "age": AGES}, views(200, 200, 200))
    assert decoded["sex"].label == ("m", "f", "f")


def test_without_an_age_there_is_nothing_to_decide_by():
    unknown = np.full_like(AGES, np.nan)
    for raw in ({"sex": SEXES}, {"sex": SEXES, "age": unknown}):
        decoded = LIMITED.decode(raw, views(200, 200, 200))
        assert decoded["sex"].label == ("m", "f", "f")


def test_a_describer_without_a_calibration_has_intervals_too():
    decoded = Labeller(min_sex_age=20).decode({"sex": SEXES, "age": AGES}, views(200, 200, 200))
    assert decoded["sex"].label == ("", "f", "f")


def test_who_is_not_sure_enough_is_left_out_besides():
    raw = {"sex": np.array([[3.0], [0.05], [-3.0]], np.float32), "age": AGES}
    asked = Labeller(calibration=TABLES, min_sex_age=20, min_accuracy=0.95)
    assert asked.decode(raw, views(200, 200, 200))["sex"].label == ("", "", "f")


def test_a_person_has_no_sex_where_the_stated_interval_ends_below():
    random = np.random.default_rng(3)
    kept = set()
    for spread in random.uniform(0.5, 8, 300):
        raw = {
            "age": (random.normal(0, spread, (1, 9)) - np.arange(9)).astype(np.float32),
            "sex": random.normal(0, 2, (1, 1)).astype(np.float32),
        }
        person = LIMITED.summarize(raw, views(60), np.ones(1, np.float32))
        assert bool(person["sex"].label) == (person["age"].high >= 20)
        kept.add(person["sex"].label)
    assert kept == {"", "f", "m"}


def test_the_age_is_an_option_that_results_depend_on():
    usual = AnalysisOptions()
    assert usual.min_sex_age == 20
    assert AnalysisOptions(min_sex_age=0).digest() != usual.digest()
    assert AnalysisOptions.from_dict({"min_sex_age": "20"}).digest() == usual.digest()
    with pytest.raises(UsageError, match="min_sex_age"):
        AnalysisOptions(min_sex_age=-1)
