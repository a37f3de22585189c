"""Lists, tasks and the merge of an array, without Slurm: tests/acceptance has one."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.outputs.digests import file_sha256
from jobs.slurm import batch, survey
from jobs.slurm.folder import JOIN, SHARD, Folder
from jobs.slurm.task import run as run_task
from jobs.standalone import journal
from tests.support.processes import ROOT
from tests.support.slurm_folders import TASKS, begin, fill, task


def run_all(folder: Folder) -> list[int]:
    number = folder.round().number
    return [
        task(folder, kind, slot)
        for kind in (SHARD, JOIN)
        for slot in range(TASKS)
        if folder.work_of_task(number, kind, slot)
    ]


def names(folder: Folder, kind: str) -> list[str]:
    listed = (folder.work_of_task(folder.round().number, kind, slot) for slot in range(TASKS))
    return sorted(Path(work.csv).name for works in listed for work in works)


def jobs(folder: Path, *args: str, path: str | None = None) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, "PYTHONPATH": str(ROOT), **({"PATH": path} if path else {})}
    command = [sys.executable, "-m", "jobs", "slurm", *args]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60)


def test_the_path_alone_picks_the_task(tmp_path: Path) -> None:
    first = fill(tmp_path, {f"m{n}": "" for n in range(60)})
    slots = [work.slot(TASKS) for work, _ in first.jobs()]
    assert {slots.count(n) > 8 for n in range(TASKS)} == {True}
    other = fill(tmp_path, {f"m{n}": "" for n in reversed(range(60))}, digest="others")
    assert [work.slot(TASKS) for work, _ in other.jobs()] == slots[::-1]


@pytest.mark.parametrize(
    ("slots", "text"),
    [([0], "0"), ([0, 1, 2], "0-2"), ([0, 2, 3, 7], "0,2-3,7"), (range(1000), "0-999")],
)
def test_ranges(slots: list[int], text: str) -> None:
    assert batch.ranges(slots) == text


def test_jobs_are_done_cut_ones_too_and_merged(tmp_path: Path) -> None:
    folder = fill(tmp_path, {"a": "", "cut": "", "b": "input bad"})
    submissions = begin(folder)
    assert len(submissions) == 3
    assert all(line.startswith("sbatch --parsable") for line in submissions)
    parts = [f"cut.csv.part.0.1.{number}of2.npz" for number in (1, 2)]
    assert names(folder, SHARD) == ["a.csv", "b.csv", *parts]
    assert names(folder, JOIN) == ["cut.csv"]
    assert set(run_all(folder)) == {0}
    counts, bad = survey.merge(folder)
    assert counts == {"done": 2, "failed": 1}
    assert [(result.work.spec.source_path, result.reason) for result in bad] == [
        (str(tmp_path / "b.mp4"), "input: bad")
    ]
    first = folder.merged.read_bytes()
    survey.merge(folder)
    assert folder.merged.read_bytes() == first
    lines = [json.loads(line) for line in first.splitlines()]
    assert list(lines[0]["manifest"]["files"]) == ["ass", "csv"]
    assert not list((tmp_path / "out").glob("*.part.*"))
    assert begin(folder) == []
    assert len(begin(folder, retry=True)) == 2
    assert names(folder, SHARD) == ["b.csv"]


def test_what_is_gone_is_listed_again(tmp_path: Path) -> None:
    folder = fill(tmp_path, {"a": "", "cut": ""})
    begin(folder)
    run_all(folder)
    (tmp_path / "out" / "cut.ass").unlink()
    assert survey.merge(folder)[0] == {"done": 1, "outputs gone": 1}
    begin(folder)
    assert len(names(folder, SHARD)) == 2
    assert names(folder, JOIN) == ["cut.csv"]
    assert set(run_all(folder)) == {0}
    assert survey.merge(folder)[0] == {"done": 2}


def test_a_film_is_not_put_together_without_all_parts(tmp_path: Path) -> None:
    folder = fill(tmp_path, {"cut": ""})
    begin(folder)
    (whole, makers) = next(folder.jobs())
    for slot in {makers[0].slot(TASKS)}:
        assert task(folder, SHARD, slot) == 0
    Path(makers[0].csv).unlink()
    assert task(folder, JOIN, whole.slot(TASKS)) == 1
    assert not Path(whole.csv).exists()
    begin(folder)
    assert makers[0].csv in [w.csv for n in range(TASKS) for w in folder.work_of_task(2, SHARD, n)]


@pytest.mark.parametrize("size_stays", [True, False])
def test_a_damaged_part_is_made_again_at_once(tmp_path: Path, size_stays: bool) -> None:
    folder = fill(tmp_path, {"cut": f"record {tmp_path / 'parts'}"})
    begin(folder)
    (whole, makers) = next(folder.jobs())
    for slot in {maker.slot(TASKS) for maker in makers}:
        assert task(folder, SHARD, slot) == 0
    part = Path(makers[1].csv)
    part.write_text("x" * part.stat().st_size if size_stays else "torn")
    assert task(folder, JOIN, whole.slot(TASKS)) == 0
    assert survey.merge(folder)[0] == {"done": 1}
    record = journal.read(folder.journals())[whole.name]
    assert (record.fails, record.lost) == (0, 0)
    made = sorted((tmp_path / "parts").read_text().split())
    assert made == ["shard-1", "shard-2", "shard-2"]
    assert not list((tmp_path / "out").glob("*.part.*"))


def test_work_whose_storage_is_away_is_left_to_another_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.slurm.task.RETRY_S", 0.01)
    (tmp_path / "films").mkdir()
    folder = fill(tmp_path / "films", {"a": "", "b": ""})
    begin(folder)
    (tmp_path / "films" / "a.mp4").unlink()
    disk = tmp_path / "films"
    folder.path.rename(tmp_path / "jobs.slurm")
    moved = Folder(tmp_path / "jobs.slurm")
    disk.rename(tmp_path / "away")
    for slot in range(TASKS):
        if moved.work_of_task(1, SHARD, slot):
            assert run_task(moved, SHARD, 1, slot) == 1
    records = journal.read(moved.journals()).values()
    assert {(record.state, record.kind, record.fails) for record in records} == {
        ("released", "unreachable", 0)
    }
    (tmp_path / "away").rename(disk)
    begin(moved)
    run_all(moved)
    assert survey.merge(moved)[0] == {"done": 1, "failed": 1}


def test_a_part_that_failed_for_good_fails_its_film(tmp_path: Path) -> None:
    folder = fill(tmp_path, {"cut": "input no video"})
    begin(folder)
    run_all(folder)
    counts, bad = survey.merge(folder)
    assert counts == {"failed": 1}
    assert bad[0].reason == "shard 1 of 2: input: no video"
    assert begin(folder) == []


def test_failures_that_may_pass_are_tried_three_times(tmp_path: Path) -> None:
    folder = fill(tmp_path, {"a": "transient later"})
    begin(folder)
    assert run_all(folder) == [0]
    (record,) = journal.read(folder.journals()).values()
    assert (record.fails, record.given_up) == (3, True)


@pytest.mark.parametrize("change", [{"program": "0.0.1"}, {"models": {"centerface": "0" * 64}}])
def test_a_task_with_another_version_does_nothing(
    tmp_path: Path, change: dict[str, object]
) -> None:
    folder = fill(tmp_path, {"a": ""}, **change)
    begin(folder)
    (whole, _) = next(folder.jobs())
    assert task(folder, SHARD, whole.slot(TASKS)) == 2
    assert survey.merge(folder)[0] == {"left": 1}


def test_a_joblist_is_checked_whole_before_anything_changes(tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").write_text("source_path,dest_csv\na.mp4,a.csv\nb.mp4\n")
    done = jobs(tmp_path, "submit", "jobs.csv", "--shards", "2")
    assert (done.returncode, "jobs.csv:3: 1 cells under 2 columns" in done.stderr) == (2, True)
    assert not (tmp_path / "jobs.slurm" / "plan.json").exists()


def test_dry_run_shows_what_a_shell_would_take(tmp_path: Path) -> None:
    folder = tmp_path / "it's 50%"
    folder.mkdir()
    (folder / "jobs.csv").write_text(
        "source_path,dest_csv\na.mp4,a.csv\na.mp4,a.csv\nb.mp4,b.csv\n"
    )
    args = ("--partition", "gpu", "--gpus", "1", "--time", "4:00:00", "--sbatch=--qos=long")
    done = jobs(folder, "submit", "jobs.csv", "--shards", "1", "--dry-run", *args)
    assert done.returncode == 0, done.stderr
    array, merge = map(shlex.split, done.stdout.splitlines())
    assert {"--array=0-0", "--array=0"} & set(array)
    assert {"--partition=gpu", "--gpus=1", "--time=4:00:00", "--qos=long"} <= set(array)
    assert "--signal=B:TERM@120" in array
    assert f"--output={tmp_path}/it's 50%%/jobs.slurm/log/shard-%A_%a.out" in array
    assert "--dependency=afterany:<shard>" in merge
    assert len(Folder(folder / "jobs.slurm").work_of_task(1, SHARD, 0)) == 2
    assert (folder / "jobs.slurm" / "task.sh").is_file()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("submit", "jobs.csv", "--shards", "0"), "--shards"),
        (("submit", "jobs.csv", "--shards", "1", "--part_minutes", "5"), "with --parts"),
        (("submit", "jobs.csv", "--shards", "1", "--parts", "2", "--shots", "none"), "--shots"),
        (("submit", "jobs.csv", "--shards", "1", "--fps", "-1"), "fps"),
        (
            ("submit", "jobs.csv", "--shards", "1", "--identities", "a.csv"),
            "jobs.csv:2: dest_csv would overwrite the identity store",
        ),
        (("submit", "jobs.csv", "--shards", "1"), "sbatch is not here"),
        (("pilot", "PYRO:x@y:1", "--workers", "2"), "sbatch is not here"),
        (("status", "jobs.csv"), "nothing was submitted here"),
        (("merge", "jobs.csv"), "nothing was submitted here"),
        (("task", "none", "shard", "1"), "which task?"),
    ],
)
def test_wrong_usage_is_told(tmp_path: Path, args: tuple[str, ...], says: str) -> None:
    (tmp_path / "jobs.csv").write_text("source_path,dest_csv\na.mp4,a.csv\n")
    done = jobs(tmp_path, *args, path=str(tmp_path))
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert says in done.stderr


def forgotten(file: Path) -> str:
    """Change a file as forget does; returns the line of its table."""
    before = file_sha256(file)
    file.write_text("nobody")
    return f"{file},{before},{file_sha256(file)}\n"


def accept(folder: Path, *args: str) -> tuple[int, str]:
    done = jobs(folder, "accept", "jobs.csv", "--changes", "changes.csv", *args)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def test_what_was_changed_on_purpose_is_not_done_again(tmp_path: Path) -> None:
    folder = fill(tmp_path, {"a": "", "b": "", "cut": ""})
    begin(folder)
    run_all(folder)
    out, table = tmp_path / "out", tmp_path / "changes.csv"
    table.write_text("path,sha256_before,sha256_after\n")
    with table.open("a") as file:
        file.writelines(forgotten(out / name) for name in ("a.csv", "cut.csv"))
    (out / "b.csv").write_text("somebody else was here")
    assert survey.merge(folder)[0] == {"outputs gone": 3}
    assert accept(tmp_path) == (0, "2 jobs with changed outputs accepted\n")
    assert accept(tmp_path) == (0, "0 jobs with changed outputs accepted\n")
    assert survey.merge(folder)[0] == {"done": 2, "outputs gone": 1}
    begin(folder)
    assert names(folder, SHARD) == ["b.csv"]
    run_all(folder)
    # Done anew, it is as the later round has it.
    (out / "a.csv").unlink()
    begin(folder)
    run_all(folder)
    assert survey.merge(folder)[0] == {"done": 3}
    assert (out / "a.csv").read_text() == "csv of a.mp4\n"


def test_nothing_is_accepted_that_is_not_as_the_table_says(tmp_path: Path) -> None:
    folder = fill(tmp_path, {"a": ""})
    begin(folder)
    run_all(folder)
    line = forgotten(tmp_path / "out" / "a.csv")
    (tmp_path / "changes.csv").write_text(f"path,sha256_before,sha256_after\n{line}")
    (tmp_path / "out" / "a.csv").write_text("altered")
    code, output = accept(tmp_path)
    assert (code, "altered or missing" in output) == (1, True)
    assert survey.merge(folder)[0] == {"outputs gone": 1}
