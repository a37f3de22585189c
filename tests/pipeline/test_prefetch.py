"""The prefetch thread: bounded, honest about errors, gone when its reader stops."""

import threading
import time

import pytest

from analyzer.pipeline.prefetch import prefetch


def test_yields_everything_in_order():
    with prefetch(iter(range(100)), depth=3) as items:
        assert list(items) == list(range(100))


def test_error_is_raised_in_its_place():
    def items():
        yield 1
        raise ValueError("broken at two")

    with prefetch(items(), depth=3) as ahead:
        assert next(ahead) == 1
        with pytest.raises(ValueError, match="broken at two"):
            next(ahead)


def test_never_runs_further_ahead_than_its_depth():
    produced = []

    def items():
        for i in range(50):
            produced.append(i)
            yield i

    with prefetch(items(), depth=4) as ahead:
        next(ahead)
        time.sleep(0.1)
        assert len(produced) <= 1 + 4 + 1


def test_thread_ends_with_its_reader():
    before = set(threading.enumerate())
    with prefetch(iter(range(1000)), depth=2) as ahead:
        next(ahead)
    assert set(threading.enumerate()) <= before


def test_one_ahead_of_another_ends_in_any_order():
    before = set(threading.enumerate())
    with prefetch(iter(range(100)), depth=2) as inner, prefetch(inner, depth=2) as outer:
        assert [next(outer) for _ in range(5)] == [0, 1, 2, 3, 4]
    assert set(threading.enumerate()) <= before
