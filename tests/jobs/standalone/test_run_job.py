"""One job without a server: idempotent, with the publishing of a worker."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from joblist.model import JobSpec
from jobs.__main__ import main
from jobs.outputs.digests import file_sha256
from jobs.standalone.journal import Journal, Record, read
from jobs.types import Bounds
from tests.support.processes import ROOT, until
from tests.support.standalone import do, work


def lines(path: Path) -> list[str]:
    return [json.loads(line)["what"] for line in path.read_text().splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in (folder / "out").iterdir())


def test_a_job_is_published_with_its_manifest_and_done_once(tmp_path: Path, path: Path) -> None:
    job = work(tmp_path, "sleep 0.1")
    outcome = do(job, path)
    assert outcome is not None
    assert outcome.manifest is not None
    assert list(outcome.manifest.files) == ["ass", "csv"]
    for file in outcome.manifest.files.values():
        assert file_sha256(Path(file.path)) == file.sha256
    assert outcome.manifest.statistics["media_s"] == 2.0
    assert names(tmp_path) == ["a.ass", "a.csv"]
    assert lines(path) == ["began", "publishing", "done"]
    again = do(job, path)
    assert again == outcome
    assert len(lines(path)) == 3


def test_a_file_that_could_not_be_written_stands_in_the_journal(tmp_path: Path, path: Path) -> None:
    job = work(tmp_path, "give_up ass odd letters")
    outcome = do(job, path)
    assert outcome is not None
    assert outcome.manifest is not None
    assert outcome.manifest.lacks == "no ass: odd letters"
    assert names(tmp_path) == ["a.csv"]
    assert do(job, path) == outcome, "done, and not begun again"
    (record,) = read([path]).values()
    assert record.manifest == outcome.manifest


@pytest.mark.parametrize("change", ["output", "options", "job"])
def test_what_is_gone_or_changed_is_done_again(tmp_path: Path, path: Path, change: str) -> None:
    job = work(tmp_path, "")
    do(job, path)
    if change == "output":
        (tmp_path / "out" / "a.ass").unlink()
    elif change == "options":
        job = work(tmp_path, "", digest="others")
    else:
        dests = {**job.spec.dests, "mp4": str(tmp_path / "out" / "a.mp4")}
        job = work(tmp_path, "", spec=JobSpec(source_path=job.spec.source_path, dests=dests))
    do(job, path)
    assert lines(path) == ["began", "publishing", "done"] * 2


@pytest.mark.parametrize(
    ("text", "kind"),
    [("input no video", "input"), ("raise", "bug"), ("segfault", "crash"), ("hang", "resource"),
     ("transient later", "transient")],
)  # fmt: skip
def test_failures_leave_nothing_behind(tmp_path: Path, path: Path, text: str, kind: str) -> None:
    outcome = do(work(tmp_path, text), path, stall_s=1.0 if text == "hang" else 60.0)
    assert outcome is not None
    assert (outcome.manifest, outcome.kind) == (None, kind)
    assert lines(path) == ["began", "failed"]
    assert names(tmp_path) == []


def test_bounds_hold_before_anything_is_made(tmp_path: Path, path: Path) -> None:
    (tmp_path / "in").mkdir()
    outcome = do(work(tmp_path, "", bounds=Bounds(output_root=str(tmp_path / "in"))), path)
    assert outcome is not None
    assert outcome.kind == "input"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_death_at_the_renames_is_finished_by_the_next(
    tmp_path: Path, path: Path, when: str
) -> None:
    job = work(tmp_path, f"die {when} {tmp_path / 'once'}")
    code = (
        "import sys; from pathlib import Path; from tests.support.standalone import do, work;"
        "do(work(Path(sys.argv[1]), ''), Path(sys.argv[2]))"
    )
    dead = subprocess.run([sys.executable, "-c", code, tmp_path, path], cwd=ROOT, timeout=60)
    assert dead.returncode == -signal.SIGKILL
    assert lines(path) == ["began", "publishing"]
    # A new child would die again, but for `once`.
    outcome = do(job, path)
    assert outcome is not None
    assert outcome.manifest is not None
    assert lines(path) == ["began", "publishing", "done"]
    assert names(tmp_path) == ["a.ass", "a.csv"]


def test_what_a_killed_run_left_is_cleared(tmp_path: Path, path: Path) -> None:
    (tmp_path / "out").mkdir()
    for kind in ("csv", "ass"):
        (tmp_path / "out" / f"a.{kind}.part.0.1").touch()
    do(work(tmp_path, ""), path)
    assert names(tmp_path) == ["a.ass", "a.csv"]


def test_two_at_one_job_do_not_mix_their_files(tmp_path: Path, path: Path) -> None:
    once = tmp_path / "once"
    job = work(tmp_path, f"once_pid {once}\nsleep 3")
    with ThreadPoolExecutor() as pool:
        first = pool.submit(do, job, path)
        until(once.exists)
        second = pool.submit(do, job, path)
        kinds = {outcome.kind for outcome in (first.result(60), second.result(60)) if outcome}
    assert "" in kinds
    assert "input" not in kinds
    assert names(tmp_path) == ["a.ass", "a.csv"]
    assert (tmp_path / "out" / "a.csv").read_text() == "csv of a.mp4\n"
    assert read([path])[job.name].manifest is not None


def test_a_torn_line_counts_for_nothing(path: Path) -> None:
    with Journal(path) as journal:
        journal.add("w", "began")
        journal.add("w", "failed", kind="transient", error="later")
    path.write_bytes(path.read_bytes() + b'{"work": "w", "wh')
    with Journal(path) as journal:
        assert journal.record("w").fails == 1
        journal.add("w", "began")
    assert read([path])["w"] == Record(state="began", fails=1, kind="transient", error="later")


def test_three_kills_put_work_aside(path: Path) -> None:
    with Journal(path) as journal:
        for losses in (1, 2, 3):
            assert not journal.record("w").given_up
            journal.add("w", "began")
            assert journal.record("w").losses == losses
        assert journal.record("w").given_up
        journal.add("other", "began")
        journal.add("other", "released")
        assert journal.record("other").losses == 0


def test_what_was_changed_on_purpose_is_not_done_again(tmp_path: Path, path: Path) -> None:
    job = work(tmp_path, "")
    do(job, path)
    file, table = tmp_path / "out" / "a.ass", tmp_path / "changes.csv"
    before = file_sha256(file)
    file.write_text("nobody")
    table.write_text(f"path,sha256_before,sha256_after\n{file},{before},{file_sha256(file)}\n")
    args = ["accept", "--journal", str(path), "--changes", str(table)]
    assert [main(args), main(args)] == [0, 0]
    assert lines(path) == ["began", "publishing", "done", "accepted"]
    outcome = do(job, path)
    assert outcome is not None
    assert outcome.manifest is not None
    assert outcome.manifest.files["ass"].sha256 == file_sha256(file)
    assert len(lines(path)) == 4


def command(folder: Path, *args: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "jobs", "run-job", *args],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, *args: str) -> tuple[int, str]:
    process = command(folder, *args)
    errors = process.communicate(timeout=60)[1]
    return process.returncode, errors


class TestCommand:
    """None of these loads a model."""

    @pytest.mark.parametrize(
        ("args", "code", "says"),
        [
            (("--source_path", "no.mp4", "--dest_csv", "a.csv"), 65, "no such file"),
            (("--source_path", "a.mp4", "--dest_csv", "a.mp4"), 65, "overwrite the medium"),
            (("--source_path", "a.mp4", "--dest_csv", "out/"), 65, "is a folder"),
            (("--source_path", "a.mp4", "--dest_csv", "a.csv", "--dest-ass", "./a.csv"), 65,
             "same file"),
            (("--source_path", "a.mp4"), 2, "which job?"),
            (("--row", "2"), 2, "which job?"),
            (("--joblist", "jobs.csv", "--row", "3"), 65, "there is no row 3"),
            (("--joblist", "jobs.csv", "--row", "2"), 65, "none.mp4: no such file"),
            (("--source_path", "a.mp4", "--dest_csv", "a.csv", "--fps", "0"), 2, "fps"),
            (("--source_path", "a.mp4", "--dest_csv", "a.csv", "--anonymise", "named"), 2,
             "give one"),
            (("--source_path", "a.mp4", "--dest_csv", "/dev/null/a.csv"), 75, "/dev/null"),
        ],
    )  # fmt: skip
    def test_ends_with_a_code_and_a_reason(
        self, tmp_path: Path, args: tuple[str, ...], code: int, says: str
    ) -> None:
        (tmp_path / "a.mp4").touch()
        (tmp_path / "jobs.csv").write_text("source_path,dest_csv\na.mp4,a.csv\nnone.mp4,n.csv\n")
        exit_code, errors = run(tmp_path, *args)
        assert (exit_code, "Traceback" in errors) == (code, False), errors
        assert says in errors

    def test_asked_to_stop_wants_another_try(self, sample: Path, tmp_path: Path) -> None:
        process = command(
            tmp_path, "--source_path", str(sample / "sample.mp4"), "--dest_csv", "out/a.csv"
        )
        journal = tmp_path / "out" / "a.csv.journal"
        until(lambda: journal.exists() and journal.read_text())
        process.send_signal(signal.SIGTERM)
        errors = process.communicate(timeout=60)[1]
        assert (process.returncode, "asked to stop" in errors) == (75, True)
        assert lines(journal) == ["began", "released"]
        assert names(tmp_path) == ["a.csv.journal"]
