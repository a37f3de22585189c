"""Workers and the server are killed and stopped at random: nothing is lost or done twice."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.cluster import Cluster, cluster
from tests.support.processes import children, kill

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]
JOBS = 300
WORKERS = 6
LEASE_S = 2.0
SERVER_KILLS = 5
POISON = {"poison1": "exit 9", "poison2": "sleep 0.1\nsegfault", "poison3": "sleep 0.1\nmurder"}


class Monkey:
    """Does harm to a cluster until its server comes to its end."""

    def __init__(
        self,
        target: Cluster,
        start: "Callable[[], subprocess.Popen[str]]",
        *,
        seed: int,
        server_kills: int,
        pause_s: tuple[float, float],
    ) -> None:
        self.worker_kills = self.server_kills = self.stops = 0
        self._target = target
        self._start = start
        self._random = random.Random(seed)
        self._wanted = server_kills
        self._pause_s = pause_s
        self._stopped: list[tuple[float, int]] = []

    def run(self, *, within_s: float) -> int:
        """Return the server's exit code."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            time.sleep(self._random.uniform(*self._pause_s))
            self._wake()
            assert self._target.server is not None
            code = self._target.server.poll()
            if code is not None:
                return code
            moves = [self._kill_worker, self._stop_worker, self._kill_server]
            # A quick machine may be done after a few moves: the first is the one that matters.
            (self._random.choice(moves) if self.worker_kills else self._kill_worker)()
            self._replace_workers()
        raise AssertionError(f"not finished: {self._target.counts()}\n{self._target.log()}")

    def _kill_worker(self) -> None:
        victim = self._random.choice(self._target.workers)
        kill(victim)
        self.worker_kills += 1

    def _stop_worker(self) -> None:
        """Longer than the lease; with its child, or the supervisor alone."""
        victim = self._random.choice(self._target.workers)
        pids = [victim.pid, *(children(victim.pid) if self._random.random() < 0.5 else ())]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        until = time.monotonic() + 1.5 * LEASE_S
        self._stopped += [(until, pid) for pid in pids]
        self.stops += 1

    def _wake(self) -> None:
        now = time.monotonic()
        for until, pid in list(self._stopped):
            if until <= now:
                self._stopped.remove((until, pid))
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _kill_server(self) -> None:
        if self.server_kills >= self._wanted:
            return
        assert self._target.server is not None
        kill(self._target.server)
        self.server_kills += 1
        self._target.serve()

    def _replace_workers(self) -> None:
        workers = self._target.workers
        for worker in [worker for worker in workers if worker.poll() is not None]:
            workers.remove(worker)
            self._start()


def media(seed: int) -> dict[str, str]:
    """Short jobs, and three that kill the process they run in, or its supervisor."""
    chance = random.Random(seed)
    texts = {f"m{n}": f"sleep {chance.uniform(0.05, 0.25):.3f}" for n in range(JOBS)}
    order = [*texts.items(), *POISON.items()]
    chance.shuffle(order)
    return dict(order)


@pytest.mark.parametrize("seed", [1, 2])
def test_chaos(tmp_path: Path, seed: int) -> None:
    with cluster(tmp_path, media(seed), options=("--lease", str(LEASE_S))) as target:
        target.serve()
        for _ in range(WORKERS):
            target.work()
        monkey = Monkey(
            target, target.work, seed=seed, server_kills=SERVER_KILLS, pause_s=(0.3, 0.9)
        )
        code = monkey.run(within_s=180)
        kills = (monkey.worker_kills, monkey.server_kills, monkey.stops)
        print(f"seed {seed}: {kills} kills of workers, kills of the server, stops")
        assert code == 1
        poison = {Path(row[0]).stem for row in target.query(BAD)}
        assert poison == set(POISON)
        target.assert_nothing_lost(done=JOBS)
        assert monkey.server_kills >= 4
        assert monkey.worker_kills > 0
        assert monkey.stops > 0


BAD = "SELECT json_extract(spec, '$.source_path') FROM job WHERE state = 'poison'"


def test_chaos_with_the_real_analysis(tmp_path: Path, shared: Path) -> None:
    source = shared / "media" / "video" / "single_face.mp4"
    if not source.exists():
        pytest.skip(f"{source} is missing")
    # A job takes about as long as a worker lives: most are lost more than three times.
    options = ("--lease", "4", "--max_attempts", "50", "--fps", "5")
    with cluster(tmp_path, {}, options=options) as target:
        target.joblist({f"copy{n}": source for n in range(24)})
        target.serve()

        def start() -> "subprocess.Popen[str]":
            return target.analyse("--threads", "1")

        start(), start()
        monkey = Monkey(target, start, seed=3, server_kills=2, pause_s=(2.0, 5.0))
        assert monkey.run(within_s=280) == 0, target.log()
        target.assert_nothing_lost(done=24)
        contents = {path.read_bytes() for path in target.out.glob("*.csv")}
        assert len(contents) == 1
        assert len(contents.pop().splitlines()) > 10
        print(f"{monkey.worker_kills} kills of workers, {monkey.stops} stops")
        assert monkey.worker_kills > 0
