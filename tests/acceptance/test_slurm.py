"""A joblist on a real Slurm of one node: every output is there, and is the server's to the byte."""

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.cluster import cluster, until
from tests.acceptance.slurm_node import Node, node
from tests.analyzer import media

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
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
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            parts = path.read_bytes().decode(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if all(word in parts for word in words):
            found.append(int(path.parent.name))
    return found


def states(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "jobs.slurm" / "merged.jsonl").open()]


def outputs(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.startswith(".")}


def films(sample: Path, folder: Path) -> dict[str, Path]:
    """23 short clips, and one film that is long enough to be cut in three."""
    made = {f"film{n:02}": folder / f"film{n:02}.mp4" for n in range(23)}
    for number, path in enumerate(made.values()):
        media.ffmpeg("-i", sample / "sample.mp4", "-t", 2 + number / 5, "-c", "copy", path)
    return {**made, "long": sample / "sample.mp4"}


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
    slurm: Node, sample: Path, weird_folder: Path, tmp_path: Path
) -> None:
    listed = films(sample, tmp_path)
    wanted = by_server(tmp_path / "server", listed)
    folder = tmp_path / "50% of it's here"
    folder.mkdir()
    write_joblist(folder, listed)
    cut = ("--parts", "3", "--part_minutes", "0.08")
    submit(slurm, folder, "--shards", "4", *cut, *OPTIONS)
    again = jobs(slurm, folder, "slurm", "submit", "jobs.csv", "--shards", "4")
    assert (again.returncode, "still at work" in again.stderr) == (2, True)
    victim = kill_in_mid_job(folder)
    slurm.wait(within_s=800)
    assert outputs(folder / "out") == wanted, logs(folder)
    lines = states(folder)
    assert [line["state"] for line in lines] == ["done"] * 24
    assert jobs(slurm, folder, "slurm", "merge", "jobs.csv").returncode == 0
    assert states(folder) == lines
    told = jobs(slurm, folder, "slurm", "status", "jobs.csv").stdout
    assert "24 done of 24" in told
    assert "round 1, 4 tasks" in told
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
        found = []
        for path in journals.glob("0001-shard-*"):
            whats = [json.loads(line)["what"] for line in path.read_text().splitlines()]
            if "done" in whats and whats[-1] == "began":
                found.append(path)
        return found

    until(busy, within_s=300)
    victim = busy()[0]
    slot = str(int(victim.stem.rpartition("-")[2]))
    for pid in tasks("slurm", "task", str(folder / "jobs.slurm"), "shard", "1"):
        name = Path(f"/proc/{pid}/comm").read_text()
        env = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
        if f"SLURM_ARRAY_TASK_ID={slot}" in env and "bash" not in name and "task.sh" not in name:
            os.kill(pid, signal.SIGKILL)
            return victim.name
    raise AssertionError("the task is not there")
