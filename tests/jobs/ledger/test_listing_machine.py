"""Random imports and verbs: only what is listed runs; what is done has its own options."""

import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from jobs.ledger import operations, queries
from jobs.ledger.imports import import_jobs
from jobs.ledger.ledger import Ledger
from jobs.ledger.store import Store
from jobs.types import Job, State
from tests.support.jobs import manifest, specs

JOBS = 4
numbers = st.sampled_from(range(1, JOBS + 1))


class Listings(RuleBasedStateMachine):
    """A ledger that is imported again and again, with other rows and options."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="ina-test-"))
        self.store = Store(self.folder / "jobs.ledger")
        # Nothing is killed here, and waiting for the disk would take most of the time.
        self.store._db.execute("PRAGMA synchronous = OFF")
        self.ledger = Ledger(self.store)
        self.specs = specs(self.folder, JOBS)
        for spec in self.specs:
            Path(spec.dests["csv"]).touch()
        self.options = "a"
        self.listed: set[str] = set()
        self.requests = 0
        self.made: dict[tuple[int, int], str] = {}
        """Job and token -> the options of the server that leased it."""
        self.relist(set(range(JOBS)), "a")

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(rows=st.sets(st.integers(0, JOBS - 1), min_size=1), options=st.sampled_from("ab"))
    def relist(self, rows: set[int], options: str) -> None:
        self.store.epoch += 1
        self.options = options
        self.listed = {self.specs[row].dests["csv"] for row in rows}
        import_jobs(self.ledger, [self.specs[row] for row in rows], options_digest=options)

    @rule()
    def claim(self) -> None:
        self.requests += 1
        for job in self.ledger.claim("w", f"r{self.requests}", 1):
            assert job.spec.dests["csv"] in self.listed
            self.made[job.id, job.token] = self.options

    @precondition(lambda self: self.made)
    @rule(data=st.data())
    def prepare(self, data: st.DataObject) -> None:
        job, token = data.draw(st.sampled_from(sorted(self.made)))
        path = Path(self.job(job).spec.dests["csv"])
        self.ledger.prepare(job, token, "w", manifest(path))

    @precondition(lambda self: self.made)
    @rule(data=st.data())
    def publish(self, data: st.DataObject) -> None:
        job, token = data.draw(st.sampled_from(sorted(self.made)))
        self.ledger.published(job, token, "w", options_digest=self.options)

    @precondition(lambda self: self.made)
    @rule(data=st.data(), kind=st.sampled_from(["input", "transient", "crash"]))
    def fail(self, data: st.DataObject, kind: str) -> None:
        job, token = data.draw(st.sampled_from(sorted(self.made)))
        self.ledger.fail(job, token, "w", kind=kind, text="")

    @rule(jobs=st.lists(numbers))
    def verify(self, jobs: list[int]) -> None:
        bad = [(job.id, job.token, "altered") for job in map(self.job, jobs)]
        self.add_up("redo", bad, [job for job, _, _ in bad])

    @rule(jobs=st.lists(numbers), verb=st.sampled_from(["retry", "cancel"]))
    def operate(self, jobs: list[int], verb: str) -> None:
        self.add_up(verb, jobs, jobs)

    def add_up(self, verb: str, values: list[object], jobs: list[int]) -> None:
        """Change jobs: each is changed, or there is a reason why not."""
        changed = getattr(operations, verb)(self.ledger, values)
        left = set(jobs).difference(changed)
        why = self.store.read(lambda db: operations.reasons(db, left))
        assert sum(why.values()) == len(left)

    def job(self, number: int) -> Job:
        return self.store.read(lambda db: queries.job(db, number))

    @invariant()
    def only_what_is_listed_may_run(self) -> None:
        for job in map(self.job, range(1, JOBS + 1)):
            if job.state in (State.READY, State.WAIT, State.LEASED):
                assert job.spec.dests["csv"] in self.listed, job

    @invariant()
    def what_is_done_has_the_options_it_was_done_with(self) -> None:
        for number, token, opts in self.store._db.execute(
            "SELECT id, token, opts FROM job WHERE state IN ('done', 'skipped')"
        ):
            # Without options: it runs again when it is listed.
            assert opts in ("", self.made[number, token])


TestListings = Listings.TestCase
TestListings.settings = settings(
    max_examples=15, stateful_step_count=40, suppress_health_check=list(HealthCheck)
)
