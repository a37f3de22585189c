"""Shares without what the network confuses: by hand, and with the errors that add up."""

from dataclasses import replace

import numpy as np
import pytest

from analyzer.sampling import corrected, estimate, ratio
from analyzer.sampling.segments import Answers, Segments
from analyzer.shares import confusion
from analyzer.shares.confusion import Confusion
from analyzer.types import F64

SURE = 1e9
"""Faces of a table that leaves no doubt."""


def table(faces: float) -> Confusion:
    """Of women 90 of 100 are taken for women, of men 20 of 100."""
    return Confusion(("f", "m"), np.array([[[0.9, 0.1], [0.2, 0.8]]]) * faces)


def sample(women: F64, men: F64, faces: float, *, is_census: bool = False) -> Segments:
    """Segments with these seconds of answers, each a draw of its own."""
    n = len(women)
    draw = np.zeros(n, np.int64) if is_census else np.arange(1, n + 1)
    return Segments(
        amounts={"f": women, "m": men},
        length_s=np.full(n, 60.0),
        weight=np.ones(n) if is_census else np.linspace(1, 3, n),
        stratum=np.arange(n, dtype=np.int64) % 2,
        cluster=np.arange(n, dtype=np.int64),
        draw=draw,
        draw_weight=np.ones(n),
        columns={"group_decade": [str(1970 + 10 * (i % 2)) for i in range(n)]},
        listed=n,
        missing=0,
        first_missing=float("inf"),
        answers=Answers(np.stack([women, men], 1)[:, None], table(faces), ["f", "m"]),
    )


@pytest.fixture
def seconds() -> tuple[F64, F64]:
    rng = np.random.default_rng(1)
    return rng.gamma(2.0, 3.0, 40), rng.gamma(2.0, 5.0, 40)


def test_one_answer_a_group_is_the_adjusted_count(seconds: tuple[F64, F64]) -> None:
    """Forman: (observed - false) / (true - false); and its error is that of the observed share."""
    segments = sample(*seconds, SURE)
    women, _ = estimate.shares(segments).shares
    assert women.corrected is not None
    assert women.corrected.value == pytest.approx((women.ratio.value - 0.2) / 0.7, abs=1e-6)
    assert women.corrected.error == pytest.approx(women.ratio.error / 0.7, rel=1e-4)
    assert women.corrected_interval == pytest.approx(women.corrected.logit_interval())


def test_the_tables_error_is_added(seconds: tuple[F64, F64]) -> None:
    sure, unsure = (corrected.shares(sample(*seconds, n), np.ones(40))["f"] for n in (SURE, 200))
    sums = np.tensordot(sample(*seconds, 200).weight, np.stack(seconds, 1), 1)[None]
    by_table = confusion.spread(table(200), sums)[0]
    assert unsure.error == pytest.approx(np.hypot(sure.error, by_table), rel=0.03)
    # By hand: with p = (o - b) / (a - b) and the variances of a and b, binomial.
    p, a, b = sure.value, 0.9, 0.2
    by_hand = np.sqrt(p**2 * a * (1 - a) / 200 + (1 - p) ** 2 * b * (1 - b) / 200) / (a - b)
    assert by_table == pytest.approx(by_hand, rel=0.2)


def test_a_part_of_the_archive_is_corrected_by_its_own_answers(seconds: tuple[F64, F64]) -> None:
    segments = sample(*seconds, SURE)
    found = estimate.shares(segments, by="group_decade").shares
    for share in found:
        if share.group == "f":
            assert share.corrected is not None
            assert share.corrected.value == pytest.approx((share.ratio.value - 0.2) / 0.7, abs=1e-6)
    inside = np.arange(40) % 2 == 0
    alone = ratio.estimate(
        seconds[0] * inside,
        (seconds[0] + seconds[1]) * inside,
        segments.weight,
        segments.stratum,
        segments.cluster,
    )
    assert found[2].ratio == alone


def test_where_all_was_analysed_only_the_table_errs(seconds: tuple[F64, F64]) -> None:
    women, _ = estimate.shares(sample(*seconds, 200, is_census=True)).shares
    assert women.ratio.error == 0
    assert women.corrected is not None
    assert 0.01 < women.corrected.error < 0.1


def test_without_answers_nothing_is_corrected(seconds: tuple[F64, F64]) -> None:
    found = estimate.shares(replace(sample(*seconds, SURE), answers=None))
    assert all(share.corrected is None for share in found.shares)
    assert "not corrected" in estimate.summary(found)
