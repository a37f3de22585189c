"""Leases: heartbeats, and who is to blame for silence."""

import pytest

from jobs.server.leases import HeldLease, LeaseBook
from tests.support.jobs import Clock


@pytest.fixture
def book(clock: Clock) -> LeaseBook:
    return LeaseBook(10.0, clock=clock)


def hold(book: LeaseBook, job: int, worker: str = "w", *, running: bool = True) -> None:
    book.note_call(worker)
    book.add(HeldLease(job=job, token=1, worker=worker, source="", running=running))


def test_a_lease_without_heartbeat_expires_with_blame(book: LeaseBook, clock: Clock) -> None:
    hold(book, 1)
    clock.now += 9.9
    assert list(book.expire()) == []
    clock.now += 0.1
    ((held, blame),) = book.expire()
    assert (held.job, blame) == (1, True)
    assert not book.renew("w", 1, 1, {})


def test_a_heartbeat_gives_the_full_time_again(book: LeaseBook, clock: Clock) -> None:
    hold(book, 1)
    for _ in range(5):
        clock.now += 9
        assert book.renew("w", 1, 1, {"fraction": 0.5})
        assert list(book.expire()) == []


def test_the_share_that_is_done_lasts_through_stages_that_do_not_tell_it(book: LeaseBook) -> None:
    hold(book, 1)
    for progress, done in (
        ({"fraction": 0.4, "done": 0.2}, 0.2),
        ({"fraction": 0.9}, 0.2),
        ({}, 0.2),
    ):
        assert book.renew("w", 1, 1, progress)
        (status,) = book.status("w")
        assert status["done"] == done


def test_only_the_holder_may_renew_or_drop(book: LeaseBook) -> None:
    hold(book, 1)
    assert not book.renew("other", 1, 1, {})
    assert not book.renew("w", 1, 2, {})
    assert not book.drop(1, 1, worker="other")
    assert book.drop(1, 1)


def test_a_queued_job_is_not_to_blame(book: LeaseBook, clock: Clock) -> None:
    hold(book, 1, running=False)
    clock.now += 10
    assert [blame for _, blame in book.expire()] == [False]


def test_a_job_that_its_living_worker_does_not_know_is_not_to_blame(
    book: LeaseBook, clock: Clock
) -> None:
    hold(book, 1)
    clock.now += 10
    book.note_call("w")
    assert [blame for _, blame in book.expire()] == [False]


def test_nobody_is_to_blame_when_most_workers_fall_silent(book: LeaseBook, clock: Clock) -> None:
    for job in range(1, 7):
        hold(book, job, f"w{job}")
    clock.now += 10
    assert not any(blame for _, blame in book.expire())


def test_one_of_many_workers_is_to_blame(book: LeaseBook, clock: Clock) -> None:
    for job in range(1, 7):
        hold(book, job, f"w{job}")
    clock.now += 9
    for job in range(2, 7):
        book.note_call(f"w{job}")
        book.renew(f"w{job}", job, 1, {})
    clock.now += 1
    assert [(held.job, blame) for held, blame in book.expire()] == [(1, True)]


def test_workers_that_came_later_say_nothing_about_a_silence(book: LeaseBook, clock: Clock) -> None:
    for job in range(1, 7):
        hold(book, job, f"w{job}")
    clock.now += 1
    for number in range(20):
        book.note_call(f"replacement {number}")
    clock.now += 9
    for number in range(20):
        book.note_call(f"replacement {number}")
    assert [blame for _, blame in book.expire()] == [False] * 6


def test_a_worker_that_fell_silent_with_an_earlier_server_is_not_to_blame(
    book: LeaseBook, clock: Clock
) -> None:
    book.add(HeldLease(job=1, token=1, worker="w", source="", running=True))
    book.note_call("other")
    clock.now += 10
    book.note_call("other")
    assert [blame for _, blame in book.expire()] == [False]


def test_a_late_look_extends_all_leases(clock: Clock) -> None:
    book = LeaseBook(10.0, late_s=2.5, clock=clock)
    hold(book, 1)
    hold(book, 2, "dead")
    clock.now += 60
    assert list(book.expire()) == []
    for _ in range(4):
        clock.now += 2.4
        assert book.renew("w", 1, 1, {})
        assert list(book.expire()) == []
    clock.now += 0.5
    assert book.renew("w", 1, 1, {})
    assert [held.job for held, _ in book.expire()] == [2]
