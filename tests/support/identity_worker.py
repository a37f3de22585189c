"""A worker with the real analysis, in which something happens around its identity store.

`python -m tests.support.identity_worker SETTINGS`, as JSON. The setting `die` names a file: the
worker that makes it dies, with its child, between match and publish; the variable INA_DIE does so,
too, for engines that start this task. `wait_s`: see `open_store`.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import ina_worker
from analyzer.identities import address
from analyzer.workflows import analyze
from jobs.worker.child import Task
from jobs.worker.worker import Worker, WorkerSettings


def make_task(local: dict[str, Any]) -> Task:
    """Return the analysis, prepared for the worst."""
    assert address.open_store.__kwdefaults__ is not None
    address.open_store.__kwdefaults__["wait_s"] = local.get("wait_s", 120.0)
    remember = analyze.remember

    def deadly(*args: Any, **options: Any) -> Any:
        report = remember(*args, **options)
        die = local.get("die") or os.environ.get("INA_DIE")
        if die and not Path(die).exists():
            Path(die).touch()
            os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
        return report

    analyze.remember = deadly
    return ina_worker.make_task(local)


if __name__ == "__main__":
    settings = json.loads(sys.argv[1])
    factory = "tests.support.identity_worker:make_task"
    Worker(WorkerSettings(factory=factory, **settings)).run()
