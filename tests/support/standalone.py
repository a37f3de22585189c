"""Work that is done without a server."""

from pathlib import Path

from joblist.model import JobSpec
from jobs.standalone.journal import Journal
from jobs.standalone.runner import StandaloneRunner
from jobs.standalone.work import Work
from jobs.types import Outcome
from jobs.worker.graceful_stop import GracefulStop

FACTORY = "tests.support.tasks:make_task"


def work(folder: Path, text: str, **changes: object) -> Work:
    """Write a medium that says what its job does, once; return its work.

    Args:
        folder: Folder of the medium, and of the folder for outputs.
        text: What the job does; see `tests.support.tasks`.
        changes: Fields of the work.
    """
    source = folder / "a.mp4"
    if not source.exists():
        source.write_text(text)
    dests = {kind: str(folder / "out" / f"a.{kind}") for kind in ("csv", "ass")}
    spec = JobSpec(source_path=str(source), dests=dests)
    return Work(**{"spec": spec, "options": {"fps": 5}, "digest": "opts", **changes})  # type: ignore[arg-type]


def do(job: Work, path: Path, **settings: float) -> Outcome | None:
    """Do work in this process, with the journal at a path."""
    runner = StandaloneRunner(FACTORY, {}, stop=GracefulStop(0.0), **settings)
    try:
        with Journal(path) as journal:
            return runner.run_work(job, journal)
    finally:
        runner.close()
