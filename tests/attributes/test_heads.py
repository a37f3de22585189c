import numpy as np
import pytest

from analyzer.attributes import heads
from analyzer.errors import UsageError


def logits(*probabilities: float) -> np.ndarray:
    return np.log(np.array([probabilities], np.float32) + 1e-30).astype(np.float32)


def random_rows(head: str, n: int = 50) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (3 * rng.normal(size=(n, heads.SIZES[head]))).astype(np.float32)


def ages(*values: float) -> np.ndarray:
    """A row for each value, which is its age on the scale of the bins."""
    bins, values = np.arange(9), np.array(values)[:, None]
    return np.log(np.clip(1 - np.abs(bins - values), 1e-30, 1)).astype(np.float32)


UNKNOWN = {head: np.full((1, k), np.nan, np.float32) for head, k in heads.SIZES.items()}
POOLS = ["weighted", "mean", "median", "vote"]


def test_years_follow_the_reference_mapping():
    points = [0, 1, 2, 3, 9]
    assert heads.years(points).tolist() == [1.5, 6.5, 15, 25, 90]
    assert heads.years(6) == pytest.approx(57.5)
    assert heads.years([-3, 40]).tolist() == [1.5, 90]


def test_sex_is_the_logit_and_m_where_positive():
    decoded = heads.decode("sex", np.array([[2.5], [-1], [0]], np.float32))
    assert decoded.value.tolist() == [2.5, -1, 0]
    assert decoded.label == ("m", "f", "f")


def test_age_is_the_expected_bin_and_its_years():
    raw = np.concatenate([logits(*np.eye(9)[0]), logits(0, 0, 0.5, 0.5, 0, 0, 0, 0, 0)])
    decoded = heads.decode("age", raw)
    np.testing.assert_allclose(decoded.value, [0, 2.5], atol=1e-5)
    assert decoded.label == ("1.5", "20.0")


def test_ethnicity_is_the_most_probable_class():
    decoded = heads.decode("ethnicity", logits(0.1, 0, 0.2, 0.7, 0, 0, 0))
    assert decoded.label == ("East Asian",)
    assert decoded.value[0] == pytest.approx(0.7)


@pytest.mark.parametrize("head", heads.SIZES)
def test_faces_not_described_have_no_value_no_label_and_no_weight(head):
    raw = random_rows(head, 4)
    raw[1] = np.nan
    decoded = heads.decode(head, raw)
    assert np.isnan(decoded.value).tolist() == [False, True, False, False]
    assert [bool(label) for label in decoded.label] == [True, False, True, True]
    weights = np.array([1, 9, 2, 3], np.float32)
    described = [0, 2, 3]
    np.testing.assert_array_equal(
        heads.aggregate(head, raw, weights),
        heads.aggregate(head, raw[described], weights[described]),
    )


@pytest.mark.parametrize("head", heads.SIZES)
def test_nothing_known_averages_to_unknown(head):
    raw = random_rows(head, 3)
    for rows, weights in ((raw[:0], np.ones(0)), (raw * np.nan, np.ones(3)), (raw, np.zeros(3))):
        averaged = heads.aggregate(head, rows, weights)
        summary = heads.summarize(head, averaged)
        assert summary.label == ""
        assert np.isnan(summary.value)
        assert summary.low is None


@pytest.mark.parametrize("head", ["sex", "age"])
def test_decoded_average_is_the_weighted_mean_of_decoded_rows(head):
    raw, weights = random_rows(head), np.linspace(0, 1, 50)
    averaged = heads.decode(head, heads.aggregate(head, raw, weights)[None])
    expected = np.average(heads.decode(head, raw).value, weights=weights)
    assert averaged.value[0] == pytest.approx(expected, abs=1e-4)


def test_average_of_ethnicity_is_the_mean_probability():
    raw = np.concatenate([logits(0.6, 0.4, 0, 0, 0, 0, 0), logits(0.1, 0.9, 0, 0, 0, 0, 0)])
    summary = heads.summarize("ethnicity", heads.aggregate("ethnicity", raw, [3, 1]))
    assert summary.label == "Black"
    assert summary.value == pytest.approx(0.525)


def test_without_a_calibration_an_interval_holds_four_fifths_of_the_distribution():
    low, high = heads.age_interval(logits(0, 0, 0, 0.5, 0.5, 0, 0, 0, 0))
    assert (low[0], high[0]) == (pytest.approx(22, abs=0.01), pytest.approx(38, abs=0.01))


def test_without_a_calibration_an_interval_holds_the_age_of_a_skewed_distribution():
    raw = np.concatenate([logits(0.93, 0, 0, 0, 0, 0, 0, 0, 0.07), random_rows("age")])
    low, high = heads.age_interval(raw)
    assert (low <= heads.ages(raw)).all()
    assert (heads.ages(raw) <= high).all()
    assert high[0] == heads.ages(raw)[0]


def test_a_person_has_the_distribution_of_the_age_and_of_nothing_else():
    shares = [0, 0, 0.1, 0.5, 0.3, 0.1, 0, 0, 0]
    summary = heads.summarize("age", logits(*shares)[0])
    assert summary.distribution == pytest.approx(shares, abs=1e-6)
    assert heads.summarize("sex", np.array([2], np.float32)).distribution == ()
    assert heads.summarize("age", np.full(9, np.nan, np.float32)).distribution == ()


def test_wrong_heads_and_sizes_are_refused():
    with pytest.raises(UsageError, match="there are: sex, age, ethnicity"):
        heads.decode("beauty", np.zeros((1, 1), np.float32))
    with pytest.raises(UsageError, match=r"\(n, 9\)"):
        heads.aggregate("age", np.zeros((1, 7), np.float32), np.ones(1))


@pytest.mark.parametrize("head", heads.SIZES)
@pytest.mark.parametrize("how", POOLS)
def test_pools_know_only_what_was_described_and_no_order(how, head):
    raw = random_rows(head, 7)
    with_gaps = np.concatenate([UNKNOWN[head], raw[::-1], UNKNOWN[head]])
    got, expected = (heads.aggregate(head, rows, method=how) for rows in (with_gaps, raw))
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    assert np.isnan(heads.aggregate(head, UNKNOWN[head], method=how)).all()
    assert np.isnan(heads.aggregate(head, UNKNOWN[head][:0], method=how)).all()


@pytest.mark.parametrize("head", heads.SIZES)
@pytest.mark.parametrize("how", POOLS)
def test_one_face_stands_for_itself(how, head):
    raw = random_rows(head, 1)
    pooled = heads.aggregate(head, raw, method=how)[None]
    got, expected = heads.decode(head, pooled), heads.decode(head, raw)
    assert got.label == expected.label
    np.testing.assert_allclose(got.value, expected.value, rtol=1e-5)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
@pytest.mark.parametrize("head", ["sex", "age"])
def test_the_median_decodes_to_the_median_of_decision_values(head, n):
    raw = random_rows(head, n)
    got = heads.decode(head, heads.aggregate(head, raw, method="median")[None]).value[0]
    assert got == pytest.approx(np.median(heads.decode(head, raw).value), abs=1e-5)


def test_the_median_of_ethnicity_is_that_of_each_class():
    raw = np.concatenate([logits(0.8, 0.2, 0, 0, 0, 0, 0)] * 2 + [logits(0, 1, 0, 0, 0, 0, 0)])
    decoded = heads.decode("ethnicity", heads.aggregate("ethnicity", raw, method="median")[None])
    assert decoded.label == ("White",)
    assert decoded.value[0] == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("head", "raw", "label", "value"),
    [
        ("sex", np.array([[0.5], [0.7], [-9]], np.float32), "m", 0.6),
        ("sex", np.array([[0.5], [0.7], [-2], [-1]], np.float32), "f", -1.5),
        ("sex", np.array([[-0.5], [-0.7], [2], [1]], np.float32), "m", 1.5),
        ("age", ages(3.6, 3.8, 8.0), "32.6", 3.7),
        ("age", ages(2.0, 2.0, 5.2), "15.0", 2.0),
        (
            "ethnicity",
            np.concatenate([logits(0.6, 0.4, 0, 0, 0, 0, 0)] * 2 + [logits(0, 1, 0, 0, 0, 0, 0)]),
            "White",
            0.6,
        ),
    ],
)
def test_the_most_frequent_label_wins_and_the_surer_of_two(head, raw, label, value):
    decoded = heads.decode(head, heads.aggregate(head, raw, method="vote")[None])
    assert decoded.label == (label,)
    assert decoded.value[0] == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize("head", heads.SIZES)
def test_the_winner_of_a_vote_keeps_its_label(head):
    """The mean of faces with one label has that label."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        raw = (2 * rng.normal(size=(9, heads.SIZES[head]))).astype(np.float32)
        won = heads.aggregate(head, raw, method="vote")[None]
        if head == "age":
            bins = heads.age_bin(raw)
            winner, most = heads.age_bin(won)[0], np.bincount(bins).max()
            assert (bins == winner).sum() == most
        else:
            labels = heads.decode(head, raw).label
            most = max(labels.count(label) for label in labels)
            assert labels.count(heads.decode(head, won).label[0]) == most
