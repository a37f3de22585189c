"""No sex for who looks too young for it, by the interval of the age, and none that is unsure."""

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


def test_a_sex_that_is_not_sure_is_not_given_and_keeps_its_value():
    raw = {"sex": np.array([[3.0], [0.05], [-3.0], [np.nan]], np.float32)}
    of_faces = views(200, 200, 200, 200)
    sure = TABLES.confidence("sex", raw["sex"], of_faces)
    for least, labels in ((0.0, ("m", "m", "f", "")), (0.7, ("m", "", "f", ""))):
        decoded = Labeller(calibration=TABLES, min_sex_confidence=least).decode(raw, of_faces)
        assert decoded["sex"].label == labels
        np.testing.assert_array_equal(decoded["sex"].value, raw["sex"][:, 0])
    # The limit itself is sure enough.
    at_limit = Labeller(calibration=TABLES, min_sex_confidence=float(sure[1]))
    assert at_limit.decode(raw, of_faces)["sex"].label == ("m", "m", "f", "")


def test_a_small_face_must_be_clearer():
    raw = {"sex": np.full((2, 1), 0.5, np.float32)}
    sure = Labeller(calibration=TABLES, min_sex_confidence=0.7)
    assert sure.decode(raw, views(200, 20))["sex"].label == ("m", "")


def test_a_person_is_surer_of_its_sex_than_its_unsure_faces():
    """One face that says little does not take the label of a person with others that say much."""
    raw = {"sex": np.array([[0.05], [3.0], [3.0]], np.float32)}
    sure = Labeller(calibration=TABLES, min_sex_confidence=0.7)
    assert sure.decode(raw, views(200, 200, 200))["sex"].label == ("", "m", "m")
    assert sure.summarize(raw, views(200, 200, 200), np.ones(3, np.float32))["sex"].label == "m"


def test_without_a_calibration_nobody_is_unsure():
    raw = {"sex": np.array([[0.05]], np.float32)}
    assert Labeller(min_sex_confidence=0.7).decode(raw, views(200))["sex"].label == ("m",)


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


@pytest.mark.parametrize(
    ("name", "usual", "wrong"),
    [("min_sex_age", 14, -1), ("min_sex_confidence", 0.7, 1.5)],
)
def test_the_limits_are_options_that_results_depend_on(name, usual, wrong):
    default = AnalysisOptions()
    assert getattr(default, name) == usual
    assert AnalysisOptions(**{name: 0}).digest() != default.digest()
    assert AnalysisOptions.from_dict({name: str(usual)}).digest() == default.digest()
    with pytest.raises(UsageError, match=name):
        AnalysisOptions(**{name: wrong})
    with pytest.raises(UsageError, match="give a value"):
        AnalysisOptions(**{name: None})
