"""Which frames are due for detection, and how they are grouped."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analyzer.pipeline.schedule import batches
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
    assert not any(s.frame.cut for group in groups for s in group[1:])
    inside = [a for a, b in pairwise(groups) if not b[0].frame.cut]
    assert all(len(group) >= size for group in inside)
    assert all(len(group) < size + period for group in groups)


@given(cuts=SHOTS, period=st.integers(1, 7))
def test_a_shot_is_treated_alike_wherever_decoding_began(cuts, period):
    first = next((i for i, cut in enumerate(cuts) if cut), None)
    if first is None:
        return
    whole, part = (
        [[(s.frame.index, s.due) for s in g] for g in batches(given, period=period, size=4)]
        for given in (frames(cuts), frames(cuts)[first:])
    )
    assert [group for group in whole if group[0][0] >= first] == part


def test_both_sides_of_a_cut_are_due():
    cuts = [False] * 5 + [True] + [False] * 4
    due = [s.due for g in batches(frames(cuts), period=4, size=3) for s in g]
    assert due == [True, False, False, False, True, True, False, False, False, True]


BAD = st.sets(st.integers(0, 59))


def without(bad: set[int]) -> Callable[[Frame], bool]:
    return lambda frame: frame.index not in bad


@given(cuts=SHOTS, bad=BAD, period=st.integers(1, 5), size=st.integers(1, 6))
def test_frames_that_are_not_usable_are_never_asked_and_the_next_is(cuts, bad, period, size):
    groups = list(batches(frames(cuts), period=period, size=size, usable=without(bad)))
    flat = [s for group in groups for s in group]
    assert [s.frame.index for s in flat] == list(range(len(cuts)))
    assert all(len(group) < 2 * size + period for group in groups)
    assert not any(s.due for s in flat if s.frame.index in bad)
    assert all(s.frame.index in bad for s in flat if s.gated)
    for frame, following in pairwise(flat):
        if frame.gated and not following.frame.cut:
            assert following.due or following.gated


def behind(cuts: list[bool], first: int, bad: set[int], period: int) -> dict[int, int]:
    """Each asked frame, and the first of those that a tracker may look back on from it."""
    starts = {}
    for group in batches(frames(cuts)[first:], period=period, size=4, usable=without(bad)):
        start = group[0].frame.index
        for each in group:
            start = each.frame.index if each.frame.cut else start
            if each.due:
                starts[each.frame.index] = start
                start = each.frame.index + 1
    return starts


@given(cuts=SHOTS, bad=BAD, period=st.integers(1, 5))
def test_how_far_back_one_may_look_does_not_depend_on_where_decoding_began(cuts, bad, period):
    first = next((i for i, cut in enumerate(cuts) if cut), len(cuts))
    whole, part = behind(cuts, 0, bad, period), behind(cuts, first, bad, period)
    assert {index: start for index, start in whole.items() if index >= first} == part
