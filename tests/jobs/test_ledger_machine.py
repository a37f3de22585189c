"""Random conversations with a ledger; what must hold after each step."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from jobs import queries
from jobs.imports import import_jobs
from jobs.ledger import Ledger
from jobs.model import State
from jobs.store import Store
from tests.jobs.conftest import Clock, manifest, specs

JOBS = 4
numbers = st.integers(1, JOBS)
tokens = st.integers(1, 5)


class Conversation(RuleBasedStateMachine):
    """Workers say anything, in any order, with any token."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        path = Path(self.folder.name)
        self.store = Store(path / "x.ledger")
        self.ledger = Ledger(self.store, clock=self.clock)
        import_jobs(self.ledger, specs(path, JOBS), options_digest="o")
        self.requests = 0
        self.highest: dict[int, int] = {}
        self.winners: dict[int, int] = {}

    @rule()
    def claim(self) -> None:
        self.requests += 1
        for job in self.ledger.claim("w", str(self.requests), 1):
            assert job.token > self.highest.get(job.id, 0)
            self.highest[job.id] = job.token

    @rule(job=numbers, token=tokens)
    def prepare(self, job: int, token: int) -> None:
        if self.ledger.prepare(job, token, "w", manifest(Path("/x.csv"))):
            assert token == self.highest[job]
            self.winners[job] = token

    @rule(job=numbers, token=tokens)
    def published(self, job: int, token: int) -> None:
        if self.ledger.published(job, token, "w", options_digest="o"):
            assert self.winners[job] == token

    @rule(job=numbers, token=tokens, kind=st.sampled_from(["input", "transient", "bug", "crash"]))
    def fail(self, job: int, token: int, kind: str) -> None:
        self.ledger.fail(job, token, "w", kind=kind, text="")

    @rule(job=numbers, token=tokens, blame=st.booleans())
    def take_back(self, job: int, token: int, blame: bool) -> None:
        self.ledger.take_back(job, token, blame=blame, why="expired")

    @rule(seconds=st.integers(0, 100))
    def wait(self, seconds: int) -> None:
        self.clock.now += seconds
        self.ledger.promote()

    @invariant()
    def counters_are_right(self) -> None:
        found = self.store._db.execute("SELECT state, COUNT(*) FROM job GROUP BY state")
        assert dict(found) == self.store.read(queries.counts)

    @invariant()
    def done_jobs_have_one_done_event(self) -> None:
        query = """SELECT state, (SELECT COUNT(*) FROM event WHERE job = job.id AND what = 'done')
                   FROM job"""
        for state, n in self.store._db.execute(query):
            assert n == (state == State.DONE.value)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


TestConversation = Conversation.TestCase
TestConversation.settings = settings(
    max_examples=15, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
