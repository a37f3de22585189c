"""Random conversations with a ledger; what must hold after each step."""

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from jobs.ledger import operations, queries
from jobs.ledger.imports import import_jobs
from jobs.ledger.ledger import Ledger
from jobs.ledger.store import Store
from jobs.server.leases import HeldLease, LeaseBook
from jobs.types import Job, State
from tests.support.jobs import Clock, manifest, specs

JOBS = 3
numbers = st.integers(1, JOBS)
tokens = st.integers(1, 6)
WORKERS = "abc"
workers = st.sampled_from(WORKERS)
LEASE_S, LATE_S, STEP_S = 120.0, 30.0, 20.0


class Conversation(RuleBasedStateMachine):
    """Workers say anything, in any order, with any token."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        path = Path(self.folder.name)
        self.specs = specs(path, JOBS)
        self.manifest = manifest(path / "x.csv")
        (path / "x.csv").touch()
        self.listed = frozenset(range(1, JOBS + 1))
        self.options = "o"
        self.redone: Counter[int] = Counter()
        """Times that each job was done, and then requeued."""
        self.open()
        import_jobs(self.ledger, self.specs, options_digest=self.options)
        self.book = LeaseBook(LEASE_S, late_s=LATE_S, clock=self.clock)
        self.requests: dict[str, tuple[str, Job]] = {}
        """By name: who asked, and the job that was the answer."""
        self.highest: dict[int, int] = {}
        self.leases: dict[int, dict[int, str]] = {number: {} for number in range(1, JOBS + 1)}
        """The good ones of each job: who has which token."""
        self.winners: dict[int, int] = {}

    def open(self) -> None:
        """Open the ledger, as a new server does."""
        self.store = Store(Path(self.folder.name) / "x.ledger")
        # Nothing is killed here, and waiting for the disk would take most of the time.
        self.store._db.execute("PRAGMA synchronous = OFF")
        self.ledger = Ledger(self.store, clock=self.clock)

    def job(self, number: int) -> Job:
        return self.store.read(lambda db: queries.job(db, number))

    def state(self, number: int) -> State:
        return self.job(number).state

    def is_winner(self, number: int, token: int) -> bool:
        """Whether a token is good for a job that is being published, or was by this server."""
        return token == self.winners.get(number) and self.state(number) is not State.SKIPPED

    def leased(self, request: str, worker: str, jobs: list[Job]) -> None:
        """Note the answer to a claim."""
        for job in jobs:
            assert job.worker == worker
            assert job.token > self.highest.get(job.id, 0)
            self.highest[job.id] = job.token
            self.leases[job.id][job.token] = worker
            self.winners.pop(job.id, None)
            self.requests[request] = worker, job
            self.book.note_call(worker)
            self.book.add(HeldLease.of(job, running=True))

    @rule(worker=workers)
    def claim(self, worker: str) -> None:
        request = f"r{len(self.requests)}"
        jobs = self.ledger.claim(worker, request, 1)
        assert not any(self.leases[job.id] for job in jobs)
        self.leased(request, worker, jobs)

    @rule(worker=workers, job=numbers)
    def claim_a_second_time(self, worker: str, job: int) -> None:
        request = f"r{len(self.requests)}"
        held = self.leases[job]
        jobs = self.ledger.claim_second(worker, request, [job])
        may = self.state(job) is State.LEASED and worker not in held.values()
        assert not jobs or (may and len(held) == 1)
        self.leased(request, worker, jobs)

    @rule(data=st.data())
    def repeat_a_claim(self, data: st.DataObject) -> None:
        if self.requests:
            request = data.draw(st.sampled_from(sorted(self.requests)))
            worker, job = self.requests[request]
            jobs = self.ledger.claim(worker, request, 1)
            if job.token in self.leases[job.id] and job.id not in self.winners:
                assert [(j.id, j.token, j.worker) for j in jobs] == [(job.id, job.token, worker)]
            else:
                # A request that is not remembered is a new one.
                self.leased(request, worker, jobs)

    @rule(job=numbers, token=tokens)
    def prepare(self, job: int, token: int) -> None:
        wins = token in self.leases[job] or self.is_winner(job, token)
        assert self.ledger.prepare(job, token, "w", self.manifest) == wins
        if wins:
            self.winners[job] = token
            self.leases[job] = {k: v for k, v in self.leases[job].items() if k == token}

    @rule(job=numbers, token=tokens)
    def published(self, job: int, token: int) -> None:
        is_winner = self.is_winner(job, token)
        done = self.ledger.published(job, token, "w", options_digest=self.options)
        assert done == is_winner
        if is_winner:
            self.leases[job] = {}
            if self.state(job) is State.READY:
                # Its options have changed since it was leased.
                del self.winners[job]

    @rule(worker=workers)
    def finish(self, worker: str) -> None:
        """A worker does what it has, as workers do."""
        for number, held in self.leases.items():
            for token in [token for token, holder in held.items() if holder == worker]:
                self.prepare(number, token)
                self.published(number, token)

    @rule(job=numbers, token=tokens, kind=st.sampled_from(["input", "transient", "bug", "crash"]))
    def fail(self, job: int, token: int, kind: str) -> None:
        before = self.job(job)
        state = self.ledger.fail(job, token, "w", kind=kind, text="")
        assert (state is not None) == (token in self.leases[job])
        self.ended(before, token, state)
        if state is not None and not self.leases[job]:
            self.winners.pop(job, None)

    @rule(job=numbers, token=tokens, blame=st.booleans())
    def take_back(self, job: int, token: int, blame: bool) -> None:
        before = self.job(job)
        state = self.ledger.take_back(job, token, blame=blame, why="expired")
        is_good = token in self.leases[job] and job not in self.winners
        assert (state is not None) == is_good
        self.ended(before, token, state)

    def ended(self, before: Job, token: int, state: State | None) -> None:
        """One lease is over: of two, the other goes on, and nothing is counted."""
        if state is None:
            return
        del self.leases[before.id][token]
        assert (state is State.LEASED) == bool(self.leases[before.id])
        if state is State.LEASED:
            after = self.job(before.id)
            assert (after.lost, after.fails) == (before.lost, before.fails)

    @rule(job=numbers, what=st.sampled_from(["cancel", "retry"]))
    def operate(self, job: int, what: str) -> None:
        if getattr(operations, what)(self.ledger, [job]):
            assert what != "retry" or job in self.listed
            self.leases[job] = {}
            self.winners.pop(job, None)

    @rule(job=numbers)
    def redo(self, job: int) -> None:
        """Verify finds an altered output; a row that is no longer listed is not done again."""
        token = self.winners.get(job, 0)
        was_done = self.state(job) in (State.DONE, State.SKIPPED)
        is_redone = was_done and job in self.listed
        assert bool(operations.redo(self.ledger, [(job, token, "altered")])) == is_redone
        if was_done and self.state(job) not in (State.DONE, State.SKIPPED):
            del self.winners[job]
            self.redone[job] += 1

    @rule(listed=st.frozensets(numbers), options=st.sampled_from("op"))
    def start_again_with_another_list(self, listed: frozenset[int], options: str) -> None:
        if any(self.leases.values()):
            return
        finished = {n for n in self.leases if self.state(n) in (State.DONE, State.SKIPPED)}
        self.store.close()
        self.open()
        rows = [self.specs[number - 1] for number in sorted(listed)]
        import_jobs(self.ledger, rows, options_digest=options)
        self.listed, self.options = listed, options
        for number in finished:
            if self.state(number) is State.READY:
                assert number in listed
                self.redone[number] += 1
                del self.winners[number]
        assert not {n for n in self.leases if n not in listed and self.state(n) is State.READY}

    @rule()
    def restart(self) -> None:
        """Of two leases, a new server keeps the first; see JobService."""
        for job in self.store.read(queries.outstanding):
            if job.second_worker:
                self.take_back(job.id, job.token, False)

    @rule(seconds=st.sampled_from([STEP_S, LATE_S, LATE_S + 1, 10 * LEASE_S]))
    def reap_late(self, seconds: float) -> None:
        """A look that comes late takes nothing back; the others find the leases that are due."""
        before = {number: dict(held) for number, held in self.leases.items()}
        self.clock.now += seconds
        self.reap()
        if seconds > LATE_S:
            assert self.leases == before

    def reap(self) -> None:
        self.drop_ended()
        for held, blame in self.book.expire():
            self.take_back(held.job, held.token, blame)

    def drop_ended(self) -> None:
        """Have no lease in the book that has ended in the ledger."""
        for held in self.book.held():
            if held.token not in self.leases[held.job]:
                self.book.drop(held.job, held.token)

    def let_live(self, living: set[str], seconds: float) -> None:
        """Let time go on, with heartbeats of the living."""
        for _ in range(round(seconds / STEP_S)):
            self.clock.now += STEP_S
            for worker in living:
                self.book.note_call(worker)
                for held in self.book.held(worker):
                    self.book.renew(worker, held.job, held.token, {})
            self.reap()

    @rule(dead=st.sets(workers, min_size=1))
    def die_together(self, dead: set[str]) -> None:
        """Two of three that die together are no fault of their jobs; one alone may be."""
        self.let_live({*WORKERS}, 3 * LEASE_S + STEP_S)
        self.drop_ended()
        lost = {number: self.job(number).lost for number in self.leases}
        alone = [
            held.job
            for held in self.book.held()
            if held.worker in dead and len(self.leases[held.job]) == 1
            if held.job not in self.winners
        ]
        replacements = {f"r{self.clock.now}"}
        self.let_live({*WORKERS} - dead | replacements, LEASE_S + STEP_S)
        for number, before in lost.items():
            is_blamed = len(dead) == 1 and number in alone
            assert self.job(number).lost == before + is_blamed
        for worker in replacements:
            self.book.remove_worker(worker)

    @rule(seconds=st.integers(0, 100))
    def wait(self, seconds: int) -> None:
        self.clock.now += seconds
        self.ledger.promote()

    @invariant()
    def counters_are_right(self) -> None:
        counted = self.store._db.execute("SELECT state, COUNT(*) FROM job GROUP BY state")
        assert dict(counted) == self.store.read(queries.counts)

    @invariant()
    def done_jobs_have_done_events(self) -> None:
        query = """SELECT state, (SELECT COUNT(*) FROM event WHERE job = job.id AND what = 'done'),
                   id FROM job"""
        for state, done, number in self.store._db.execute(query):
            assert done == self.redone[number] + (state in (State.DONE.value, State.SKIPPED.value))

    @invariant()
    def jobs_know_their_leases(self) -> None:
        for number, held in self.leases.items():
            job = self.job(number)
            assert bool(held) == (job.state in queries.OUT)
            if held:
                newest = max(held)
                first = min(held)
                assert (job.token, job.worker) == (newest, held[first])
                assert job.second_worker == (held[newest] if newest != first else None)

    @invariant()
    def the_files_of_a_lease_that_ended_are_found(self) -> None:
        """The part files are removed; see jobs.server.cleanup."""
        rows = self.store._db.execute("SELECT job, token, what FROM event WHERE what <> 'import'")
        final = (*queries.ENDS, "done", "superseded")
        ends = {(job, token) for job, token, what in rows if what in final}
        for _, job in self.requests.values():
            if job.token not in self.leases[job.id]:
                assert (job.id, job.token) in ends

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


QUICK = settings(max_examples=15, stateful_step_count=40, suppress_health_check=list(HealthCheck))
TestConversation = Conversation.TestCase
TestConversation.settings = QUICK


@pytest.mark.acceptance
@pytest.mark.timeout(3600)
class TestManyConversations(Conversation.TestCase):
    """The same, 5,000 times."""

    settings = settings(QUICK, max_examples=5000)
