"""A joblist on a real Slurm of one node: every output is there, and is the server's to the byte."""

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import analyzer
from joblist.shard import Shard
from jobs.slurm import rounds
from jobs.slurm.folder import Folder, Plan
from tests.support import media
from tests.support.cluster import cluster
from tests.support.identities import archived
from tests.support.processes import ROOT, children, until
from tests.support.redis_server import RedisServer
from tests.support.servers import write_media
from tests.support.slurm_node import Node, node

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
KINDS = ("ass", "characters", "csv")
OPTIONS = ("--fps", "2")


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with node(tmp_path_factory.mktemp("slurm") / "node") as running:
        yield running


def jobs(slurm: Node, folder: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "jobs", *args],
        cwd=folder,
        env={**slurm.env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def submit(slurm: Node, folder: Path, *args: str) -> None:
    done = jobs(slurm, folder, "slurm", "submit", "jobs.csv", "--cpus", "1", *args)
    assert done.returncode == 0, done.stderr


def logs(folder: Path) -> str:
    return "".join(p.read_text() for p in sorted((folder / "jobs.slurm" / "log").iterdir()))


def tasks(*words: str) -> list[int]:
    """Processes of a task, by words of their command; bash's and Python's."""
    numbers = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            parts = path.read_bytes().decode(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if all(word in parts for word in words):
            numbers.append(int(path.parent.name))
    return numbers


def states(folder: Path) -> list[dict[str, str]]:
    text = (folder / "jobs.slurm" / "merged.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def outputs(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.startswith(".")}


def films(sample: Path, folder: Path) -> dict[str, Path]:
    """23 short clips, and one film that is long enough to be cut in three."""
    paths = {f"film{n:02}": folder / f"film{n:02}.mp4" for n in range(23)}
    for number, path in enumerate(paths.values()):
        media.ffmpeg("-i", sample / "sample.mp4", "-t", 2 + number / 5, "-c", "copy", path)
    return {**paths, "long": sample / "sample.mp4"}


def by_server(folder: Path, films: dict[str, Path]) -> dict[str, bytes]:
    folder.mkdir()
    with cluster(folder, {}, options=OPTIONS) as target:
        target.joblist(films, kinds=KINDS)
        target.serve()
        for _ in range(2):
            target.analyse("--threads", "1")
        assert target.finish(within_s=600) == 0, target.log()
        return outputs(target.out)


def write_joblist(folder: Path, films: dict[str, Path]) -> None:
    with (folder / "jobs.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["source_path", *(f"dest_{kind}" for kind in KINDS)])
        for name, source in films.items():
            writer.writerow([source, *(f"out/{name}.{kind}" for kind in KINDS)])


def test_an_array_is_the_server_to_the_byte_with_a_task_killed(
    slurm: Node, sample: Path, tmp_path: Path
) -> None:
    listed = films(sample, tmp_path)
    expected = by_server(tmp_path / "server", listed)
    folder = tmp_path / "50% of it's here"
    folder.mkdir()
    write_joblist(folder, listed)
    cut = ("--parts", "3", "--part_minutes", "0.08")
    submit(slurm, folder, "--shards", "4", *cut, *OPTIONS)
    again = jobs(slurm, folder, "slurm", "submit", "jobs.csv", "--shards", "4")
    assert (again.returncode, "still at work" in again.stderr) == (2, True)
    victim = kill_in_mid_job(folder)
    slurm.wait(within_s=800)
    assert outputs(folder / "out") == expected, logs(folder)
    lines = states(folder)
    assert [line["state"] for line in lines] == ["done"] * 24
    assert jobs(slurm, folder, "slurm", "merge", "jobs.csv").returncode == 0
    assert states(folder) == lines
    status = jobs(slurm, folder, "slurm", "status", "jobs.csv").stdout
    assert "24 done of 24" in status
    assert "round 1, 4 tasks" in status
    text = (folder / "jobs.slurm" / "journals" / victim).read_text()
    assert '"failed"' not in text
    before = {p: p.stat().st_mtime_ns for p in (folder / "out").iterdir()}
    again = jobs(slurm, folder, "slurm", "submit", "jobs.csv", "--shards", "4", *cut, *OPTIONS)
    assert "nothing to do" in again.stdout
    assert before == {p: p.stat().st_mtime_ns for p in (folder / "out").iterdir()}


def kill_in_mid_job(folder: Path) -> str:
    """Kill a task that has begun a second job; return the name of its journal."""
    journals = folder / "jobs.slurm" / "journals"

    def busy() -> list[Path]:
        started = []
        for path in journals.glob("0001-shard-*"):
            whats = [json.loads(line)["what"] for line in path.read_text().splitlines()]
            if "done" in whats and whats[-1] == "began":
                started.append(path)
        return started

    until(busy, within_s=300)
    victim = busy()[0]
    _, python = processes(folder, int(victim.stem.rpartition("-")[2]))
    os.kill(python, signal.SIGKILL)
    return victim.name


def processes(folder: Path, slot: int) -> tuple[int, int]:
    """The script and the command of a task."""
    both = [
        pid
        for pid in tasks("slurm", "task", str(folder / "jobs.slurm"), "shard", "1")
        if f"SLURM_ARRAY_TASK_ID={slot}" in Path(f"/proc/{pid}/environ").read_text().split("\0")
    ]
    (python,) = (pid for pid in both if not set(both) & set(children(pid)))
    (script,) = (pid for pid in both if python in children(pid))
    return script, python


def test_people_are_counted_once_with_a_task_killed(
    slurm: Node, sample: Path, tmp_path: Path
) -> None:
    redis = RedisServer(tmp_path)
    redis.start()
    try:
        (tmp_path / "address").write_text(redis.url())
        write_joblist(tmp_path, {f"film{n}": sample / "sample.mp4" for n in range(6)})
        submit(slurm, tmp_path, "--shards", "2", "--identities", "@address", *OPTIONS)
        kill_in_mid_job(tmp_path)
        slurm.wait(within_s=400)
        assert [line["state"] for line in states(tmp_path)] == ["done"] * 6, logs(tmp_path)
        people, saved = archived(tmp_path / "out", redis.url())
        assert people == 2
        output = jobs(slurm, tmp_path, "slurm", "merge", "jobs.csv").stdout
        assert f"archive: {people} people known, {saved} faces saved" in output
        assert "geheim" not in output + logs(tmp_path)
    finally:
        redis.kill()


class Plain:
    """Jobs that are not analysed, but do what their media say; see tests.support.tasks."""

    def __init__(self, slurm: Node, folder: Path, media: dict[str, str], *, tasks: int) -> None:
        self.slurm, self.path = slurm, folder
        self.folder = Folder(folder / "jobs.slurm")
        plan = Plan(
            joblist="jobs.csv",
            factory="tests.support.tasks:make_task",
            program=analyzer.__version__,
            options={},
            digest="opts",
            tasks=tasks,
            threads=1,
            sbatch=("--cpus-per-task=1",),
        )
        specs = write_media(folder, media)
        cut = [Shard(number, 3) for number in range(3)]
        self.jobs = [replace(plan.template, spec=spec) for spec in specs]
        self.folder.write_plan(
            plan, ((w, cut if Path(w.csv).name.startswith("cut") else []) for w in self.jobs)
        )

    def begin(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SLURM_CONF", self.slurm.env["SLURM_CONF"])
        monkeypatch.chdir(ROOT)
        assert rounds.submit_round(self.folder, retry=True)

    def busy(self, name: str) -> bool:
        """Whether a medium has told the number of its process."""
        return (self.path / name).exists() and bool((self.path / name).read_text())

    def ends(self) -> dict[str, str]:
        return {Path(line["source_path"]).stem: line["state"] for line in states(self.path)}


def hold(folder: Path, name: str, seconds: float) -> str:
    """A medium that keeps its first task busy."""
    return f"pid {folder / name}\nsleep {seconds}"


@pytest.mark.parametrize("victim", ["command", "script"])
def test_a_task_that_dies_leaves_nothing_undone(
    slurm: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, victim: str
) -> None:
    media = {"cut": "sleep 1", **{f"job{n}": hold(tmp_path, f"pid{n}", 3) for n in range(4)}}
    plain = Plain(slurm, tmp_path, media, tasks=2)
    plain.begin(monkeypatch)
    until(lambda: any(plain.busy(f"pid{n}") for n in range(4)), within_s=120)
    number = next(n for n in range(4) if plain.busy(f"pid{n}"))
    slot = plain.jobs[1 + number].slot(2)
    script, python = processes(tmp_path, slot)
    for pid in (script, python) if victim == "script" else (python,):
        os.kill(pid, signal.SIGKILL)
    slurm.wait(within_s=300)
    assert plain.ends() == dict.fromkeys(media, "done"), logs(tmp_path)
    # Without its script, no task asks for another turn of the task: that is a round of its own.
    assert plain.folder.round().number == (2 if victim == "script" else 1), logs(tmp_path)
    assert not list((tmp_path / "out").glob("*.part.*"))


def test_bad_jobs_are_put_aside_and_named(
    slurm: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = {
        "good": "",
        "input": "input no video in it",
        "bug": "raise",
        "killer": "murder",
        "segfault": "segfault",
        "once": f"once {tmp_path / 'once'}",
        "cut": "",
        "cut_input": "input no video in it",
    }
    plain = Plain(slurm, tmp_path, media, tasks=2)
    plain.begin(monkeypatch)
    slurm.wait(within_s=500)
    good = ("good", "once", "cut")
    expected = {name: "done" if name in good else "failed" for name in media}
    assert plain.ends() == expected, logs(tmp_path)
    done = jobs(slurm, tmp_path, "slurm", "merge", "jobs.csv")
    assert done.returncode == 1
    for text in ("3 done, 5 failed of 8", "input.mp4 (input: no video in it)", "killed 3 times",
                 "cut_input.mp4 (shard 1 of 3: input: no video", "SIGSEGV"):  # fmt: skip
        assert text in done.stdout
    assert not list((tmp_path / "out").glob("bug*"))


def test_the_time_limit_costs_nothing_but_time(
    slurm: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = {f"job{n}": hold(tmp_path, f"pid{n}", 4) for n in range(3)}
    plain = Plain(slurm, tmp_path, media, tasks=1)
    plain.begin(monkeypatch)
    until(lambda: plain.busy("pid0"), within_s=120)
    array = plain.folder.round().arrays["shard"]
    # What --signal=B:TERM does before the end.
    slurm.ask("scancel", "--batch", "--signal=TERM", f"{array}_0")
    slurm.wait(within_s=200)
    assert plain.ends() == dict.fromkeys(media, "done"), logs(tmp_path)
    assert plain.folder.round().number == 1
    text = plain.folder.journal(1, "shard", 0).read_text()
    assert text.count("began") == 3


def test_a_cancelled_task_stays_cancelled(
    slurm: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Plain(slurm, tmp_path, {"job": hold(tmp_path, "pid", 300)}, tasks=1)
    plain.begin(monkeypatch)
    until(lambda: plain.busy("pid"), within_s=120)
    slurm.ask("scancel", *plain.folder.round().arrays.values())
    slurm.wait(within_s=60)
    assert plain.folder.round().number == 1
    done = jobs(slurm, tmp_path, "slurm", "merge", "jobs.csv")
    assert (done.returncode, "1 left of 1" in done.stdout) == (1, True)


def test_pilots_work_for_a_server_and_drain(slurm: Node, sample: Path, tmp_path: Path) -> None:
    # Pilots come from other machines, where no token is found.
    with cluster(tmp_path, {}, options=(*OPTIONS, "--no_token")) as target:
        target.joblist({f"film{n}": sample / "sample.mp4" for n in range(4)}, kinds=KINDS)
        target.serve()
        pilot = ("slurm", "pilot", target.uri, "--workers", "2", "--cpus", "1")
        done = jobs(slurm, tmp_path, *pilot)
        assert done.returncode == 0, done.stderr
        until(lambda: target.counts().get("leased", 0) == 2, within_s=120)
        slurm.ask("scancel", "--batch", "--signal=TERM", "--name=ina-pilot")
        slurm.wait(within_s=120)
        assert target.events("lost") == 0
        left = 4 - target.counts().get("done", 0)
        assert left >= 1, "they should have left before the end"
        jobs(slurm, tmp_path, *pilot)
        assert target.finish(within_s=300) == 0, target.log()
        target.assert_nothing_lost(done=4)
        slurm.wait(within_s=60)
