"""The prefetch thread: bounded, honest about errors, gone when nobody reads."""

import threading
import time
from contextlib import closing

import pytest

from analyzer.pipeline.prefetch import prefetch


def test_yields_everything_in_order():
    assert list(prefetch(iter(range(100)), depth=3)) == list(range(100))


def test_error_is_raised_in_its_place():
    def items():
        yield 1
        raise ValueError("broken at two")

    got = prefetch(items(), depth=3)
    assert next(got) == 1
    with pytest.raises(ValueError, match="broken at two"):
        next(got)


def test_never_runs_further_ahead_than_its_depth():
    made = []

    def items():
        for i in range(50):
            made.append(i)
            yield i

    with closing(prefetch(items(), depth=4)) as got:
        next(got)
        time.sleep(0.1)
        assert len(made) <= 1 + 4 + 1


def test_thread_ends_with_its_reader():
    before = threading.active_count()
    got = prefetch(iter(range(1000)), depth=2)
    next(got)
    got.close()
    assert threading.active_count() == before
