"""Sampling by time, checked against its definition."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.stages.decode._sampling import Sampling

RATES = st.sampled_from([Fraction(24000, 1001), Fraction(30000, 1001), Fraction(25), Fraction(60)])


def sampled(rate: Fraction, count: int, **options: float | None) -> list[int]:
    rule = Sampling.of(**{"fps": None, "step": None, "start": None, "stop": None, **options})
    times = [i / rate for i in range(count)]
    before = [None, *times]
    return [i for i in range(count) if rule.wants(i, times[i], before[i])]


@given(rate=RATES, fps=st.sampled_from([1.0, 2.5, 5.0, 10.0, 12.5]))
def test_one_sample_a_cell_and_no_drift(rate, fps):
    got = sampled(rate, 2000, fps=fps)
    cells = [math.floor(i / rate * Fraction(fps)) for i in got]
    assert cells == list(range(len(cells)))
    lateness = [i / rate - cell / Fraction(fps) for i, cell in zip(got, cells, strict=True)]
    assert min(lateness) >= 0
    assert max(lateness) < 1 / rate


@given(rate=RATES)
def test_more_samples_than_frames_means_all_frames(rate):
    assert sampled(rate, 50, fps=120.0) == list(range(50))


def test_an_hour_at_ntsc_rate_has_3600_samples_at_one_a_second():
    rate = Fraction(30000, 1001)
    got = sampled(rate, math.ceil(3600 * rate), fps=1.0)
    assert len(got) == 3600
    assert got[-1] / rate == pytest.approx(3599, abs=1 / 29)
