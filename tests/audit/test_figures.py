"""Kappa, Wilson bounds and prediction-powered shares against other programs, and by hand."""

from math import sqrt

import numpy as np
import pytest

from analyzer.audit import kappa, labels, powered, rates
from analyzer.audit.audit_file import Audit, AuditedFace, PredictedShare
from analyzer.audit.labels import RaterLabels
from analyzer.errors import UsageError
from analyzer.evaluation.intervals import wilson

RANDOM = np.random.default_rng(4)


def face(number: int, predicted: int, weight: float = 1.0, cluster: int | None = None):
    return AuditedFace(
        face=number,
        report="a.report.zip",
        row=number,
        uri="a.mp4",
        time_s=0.0,
        cluster=number if cluster is None else cluster,
        weight=weight,
        seconds=1.0,
        groups={"darkness": "dark" if number % 2 else "light"},
        size=0,
        predicted={"sex": predicted},
        answers={"sex": 9 * predicted},
        labels={"sex": predicted},
    )


def audit_of(faces, share: float, error: float) -> Audit:
    shares = [PredictedShare(share=s, error=error) for s in (share, 1 - share)]
    return Audit(
        seed=0, faces=faces, total=1000, clustered_by="person", shares={"sex": shares}, models={}
    )


def test_kappa_by_hand():
    """Cohen 1960: seen 0.7, by chance 0.5 x 0.6 + 0.5 x 0.4 = 0.5; (0.7 - 0.5) / 0.5."""
    pairs = [("f", "f")] * 20 + [("f", "m")] * 5 + [("m", "f")] * 10 + [("m", "m")] * 15
    found = kappa.kappa(pairs)
    assert found.value == pytest.approx(0.4)
    assert (found.agreed, found.faces) == (35, 50)


def test_kappa_and_its_interval_as_statsmodels():
    rater = pytest.importorskip("statsmodels.stats.inter_rater", reason="pip install statsmodels")
    first = RANDOM.choice(["f", "m", "u"], 300, p=[0.4, 0.5, 0.1])
    second = np.where(RANDOM.random(300) < 0.8, first, RANDOM.choice(["f", "m", "u"], 300))
    found = kappa.kappa(list(zip(first.tolist(), second.tolist(), strict=True)))
    counts = np.array([[((first == a) & (second == b)).sum() for b in "fmu"] for a in "fmu"])
    other = rater.cohens_kappa(counts)
    assert found.value == pytest.approx(other.kappa)
    assert (found.high - found.low) / 2 == pytest.approx(1.959964 * other.std_kappa, rel=1e-6)


def test_kappa_of_one_label_is_not_known():
    assert kappa.kappa([("f", "f")] * 9).value is None


def test_wilson_as_statsmodels():
    proportion = pytest.importorskip(
        "statsmodels.stats.proportion", reason="pip install statsmodels"
    )
    for wrong, count in ((0, 10), (3, 40), (39, 40)):
        expected = proportion.proportion_confint(wrong, count, method="wilson")
        assert [float(end) for end in wilson(wrong, count)] == pytest.approx(expected, abs=1e-6)


def test_errors_as_drawn_and_weighted():
    faces = [face(n, predicted=0, weight=30.0 if n < 4 else 1.0) for n in range(20)]
    truth = {n: "m" if n < 4 else "f" for n in range(20)}
    found = rates.labelled(audit_of(faces, 0.5, 0.0), truth, "sex")
    whole = next(rates.rates(found))
    assert (whole.errors, whole.faces) == (4, 20)
    assert whole.weighted == pytest.approx(120 / 136)
    # As many equal faces tell as much: 136 squared over 4 x 900 + 16.
    low, high = wilson(120 / 136 * 136**2 / 3616, 136**2 / 3616)
    assert (whole.weighted_low, whole.weighted_high) == pytest.approx((float(low), float(high)))
    groups = {(rate.variable, rate.group): rate.errors for rate in rates.rates(found)}
    assert groups["darkness", "dark"] == groups["darkness", "light"] == 2
    assert groups["labelled sex", "m"] == 4
    assert rates.confusion(found, found.weight).tolist() == [[16, 0], [120, 0]]


def test_powered_share_by_hand():
    """Of twenty faces five are women that were taken for men: 0.3 moves by 5 / 20."""
    faces = [face(n, predicted=n % 2) for n in range(20)]
    audit = audit_of(faces, 0.3, 0.02)
    truth = {n: "m" if n % 2 and n > 9 else "f" for n in range(20)}
    women = next(iter(powered.shares(audit, rates.labelled(audit, truth, "sex"))))
    assert women.value == pytest.approx(0.55)
    # Residuals 1 and 0: of the mean 0.25 x 0.75 / 19; and the variance of the predictions.
    assert women.error == pytest.approx(sqrt(0.1875 / 19 + 0.02**2))
    assert women.interval[0] == pytest.approx(0.55 - 1.959964 * women.error)
    assert women.labelled == pytest.approx(0.75)


def test_too_few_clusters_have_no_interval():
    faces = [face(n, predicted=n % 2, cluster=n // 2) for n in range(20)]
    audit = audit_of(faces, 0.3, 0.02)
    women = next(iter(powered.shares(audit, rates.labelled(audit, {2: "f", 7: "f"}, "sex"))))
    assert (women.clusters, women.interval) == (2, None)


def test_powered_share_as_ppi_py():
    ppi = pytest.importorskip("ppi_py", reason="pip install ppi-python")
    truth = (RANDOM.random(20_000) < 0.3).astype(float)
    said = np.where(RANDOM.random(20_000) < 0.9, truth, 1 - truth)
    faces = [face(n, predicted=int(1 - said[n])) for n in range(500)]
    audit = audit_of(faces, said[500:].mean(), said[500:].std() / sqrt(19_500))
    names = {n: "f" if truth[n] else "m" for n in range(500)}
    women = next(iter(powered.shares(audit, rates.labelled(audit, names, "sex"))))
    low, high = ppi.ppi_mean_ci(truth[:500], said[:500], said[500:], alpha=0.05, lam=1)
    assert women.value == pytest.approx(ppi.ppi_mean_pointestimate(
        truth[:500], said[:500], said[500:], lam=1)[0])  # fmt: skip
    # Divided by n there, by n - 1 here.
    assert women.interval == pytest.approx((low[0], high[0]), abs=2e-4)


def test_powered_intervals_cover():
    """Unequal chances, faces of a person alike, a network that errs often: 95 of 100 hold."""
    held = []
    for seed in range(300):
        random = np.random.default_rng(seed)
        weight, person = random.choice([1.0, 4.0], 400), random.integers(0, 200, 400)
        of_person = random.random(200) < 0.3
        truth, said = of_person[person], (of_person ^ (random.random(200) < 0.25))[person]
        faces = [face(n, int(not said[n]), weight[n], int(person[n])) for n in range(400)]
        # Of all persons the network says so much; known without error here.
        audit = audit_of(faces, 0.3 * 0.75 + 0.7 * 0.25, 0.0)
        names = {n: "f" if truth[n] else "m" for n in range(400)}
        women = next(iter(powered.shares(audit, rates.labelled(audit, names, "sex"))))
        low, high = women.interval
        held.append(low <= 0.3 <= high)
    assert 0.915 < np.mean(held) < 0.98


def rater(name: str, *given: str) -> RaterLabels:
    return RaterLabels(name, {"sex": dict(enumerate(given))})


def test_what_raters_do_not_agree_on_is_left_out_or_settled():
    two = [rater("a", "f", "f", "u", "m"), rater("b", "f", "m", "u")]
    alone = labels.combined(two, None, "sex")
    assert alone.agreed == {0: "f", 2: "u"}
    assert [(d.face, d.labels, d.settled) for d in alone.disputes] == [(1, ("f", "m"), None)]
    assert alone.single == 1
    assert labels.combined(two, rater("c", "m", "m"), "sex").agreed == {0: "f", 1: "m", 2: "u"}


@pytest.mark.parametrize(
    ("raters", "third", "message"),
    [
        ("aa", None, "two files of one rater"),
        ("abc", None, "labels of one or two raters"),
        ("a", "b", "--settle settles what two raters do not agree on"),
        ("ab", "b", "two files of one rater"),
    ],
)
def test_raters_that_do_not_fit(raters, third, message):
    with pytest.raises(UsageError, match=message):
        labels.combined([rater(name, "f") for name in raters], third and rater(third, "f"), "sex")
