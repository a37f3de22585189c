"""Which frames are due for detection, and how they are grouped."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analyzer.schedule import batches
from analyzer.types import Frame


def frames(cuts: list[bool]) -> list[Frame]:
    image = np.zeros((1, 1, 3), np.uint8)
    return [
        Frame(index=i, time_s=float(i), duration_s=1.0, image=image, cut=cut)
        for i, cut in enumerate(cuts)
    ]


SHOTS = st.lists(st.booleans(), max_size=60)


@given(cuts=SHOTS, period=st.integers(1, 7), size=st.integers(1, 9))
def test_every_frame_comes_once_and_every_group_ends_with_a_detection(cuts, period, size):
    groups = list(batches(frames(cuts), period=period, size=size))
    assert [s.frame.index for g in groups for s in g] == list(range(len(cuts)))
    assert all(group[-1].due for group in groups)
    assert all(len(group) >= size for group in groups[:-1])
    assert all(len(group) < size + period for group in groups)


@given(cuts=SHOTS, period=st.integers(1, 7))
def test_a_shot_is_treated_alike_wherever_decoding_began(cuts, period):
    first = next((i for i, cut in enumerate(cuts) if cut), None)
    if first is None:
        return
    whole = [s.due for g in batches(frames(cuts), period=period, size=4) for s in g]
    part = [s.due for g in batches(frames(cuts)[first:], period=period, size=4) for s in g]
    assert whole[first:] == part


def test_both_sides_of_a_cut_are_due():
    cuts = [False] * 5 + [True] + [False] * 4
    due = [s.due for g in batches(frames(cuts), period=4, size=3) for s in g]
    assert due == [True, False, False, False, True, True, False, False, False, True]
