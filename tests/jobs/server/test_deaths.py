"""Workers that die together, and are replaced at once: no job of theirs is to blame."""

from collections.abc import Callable

from jobs.ledger import queries
from jobs.ledger.ledger import Ledger
from jobs.server.leases import HeldLease, LeaseBook
from jobs.types import State
from tests.support.jobs import Clock

LEASE_S, WORKERS = 120.0, 40


class Farm:
    """A server's ledger and leases, with workers that beat six times in a lease."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.ledger, self.clock = ledger, clock
        self.book = LeaseBook(LEASE_S, late_s=LEASE_S / 4, clock=clock)
        self.workers: dict[str, tuple[int, int] | None] = {}
        """Worker -> its job and token, if it has one."""
        self.count = 0

    def add(self, n: int) -> None:
        for _ in range(n):
            self.count += 1
            self.workers[f"w{self.count}"] = None

    def run(self, seconds: float, *, step_s: float = 10.0) -> None:
        """Let time go on: workers claim and beat, and the reaper looks."""
        until = self.clock.now + seconds
        while self.clock.now < until:
            for worker, held in self.workers.items():
                self.book.note_call(worker)
                if held:
                    self.book.renew(worker, *held, {"done": 0.5})
                else:
                    self.claim(worker)
            self.reap()
            self.clock.now += step_s

    def claim(self, worker: str) -> None:
        request = f"{worker} {self.clock.now}"
        for job in [] if self.book.is_outage() else self.ledger.claim(worker, request, 1):
            self.book.add(HeldLease.of(job, running=True))
            self.workers[worker] = job.id, job.token

    def reap(self) -> None:
        for held, blame in self.book.expire():
            self.ledger.take_back(held.job, held.token, blame=blame, why="expired")

    def lost(self) -> int:
        query = "SELECT SUM(lost) FROM job"
        return self.ledger.store.read(lambda db: int(db.execute(query).fetchone()[0]))


def test_40_workers_die_together_three_times_and_are_replaced(
    ledger: Ledger, clock: Clock, fill: Callable[[int], None]
) -> None:
    fill(WORKERS)
    farm = Farm(ledger, clock)
    farm.add(WORKERS)
    for _ in range(3):
        farm.run(200)
        assert ledger.store.read(queries.counts) == {"leased": WORKERS}
        farm.workers.clear()
        farm.add(WORKERS)
        farm.run(3 * LEASE_S)
    assert farm.lost() == 0
    assert ledger.store.read(queries.counts) == {"leased": WORKERS}


def test_one_of_40_that_dies_again_and_again_is_to_blame(
    ledger: Ledger, clock: Clock, fill: Callable[[int], None]
) -> None:
    fill(WORKERS + 1)
    farm = Farm(ledger, clock)
    farm.add(WORKERS + 1)
    for _ in range(3):
        farm.run(50)
        farm.workers = {name: held for name, held in farm.workers.items() if held and held[0] != 7}
        farm.add(1)
        farm.run(1.5 * LEASE_S)
    job = ledger.store.read(lambda db: queries.job(db, 7))
    assert (job.state, job.lost, farm.lost()) == (State.POISON, 3, 3)
