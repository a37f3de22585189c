"""Outputs that nobody reads or that cannot show a letter, and values that cannot be."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from jobs.ledger import schema
from tests.support.processes import ROOT, counts, ledger_of, run, server, shell

NOTE = "nobody reads the output any more: the rest is not printed, and the work goes on"


def test_a_server_of_which_nobody_reads_the_output_does_the_list(folder: Path) -> None:
    serving = shell("set -o pipefail; $S | head -1", folder)
    code, out, errors = run(serving)
    assert code == 1
    assert out.startswith("PYRO:")
    assert out.count("\n") == 1
    assert NOTE in errors
    assert f"failed: {folder / 'none.mp4'}" in errors
    assert "Traceback" not in errors
    assert counts(folder) == {"failed": 2}


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_server_with_closed_outputs_does_the_list(folder: Path, closed: str) -> None:
    code, out, errors = run(shell(f"$S {closed}", folder))
    assert code == 1
    assert "Traceback" not in out + errors
    assert counts(folder) == {"failed": 2}
    # Nothing was printed into the file that took the number of the output.
    with closing(schema.connect(ledger_of(folder), readonly=True)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_worker_of_which_nobody_reads_the_errors_does_the_list(folder: Path) -> None:
    serving = server(folder)
    assert serving.stdout is not None
    uri = serving.stdout.readline().strip()
    worker = shell(
        f"$P {ROOT / 'ina_worker.py'} {uri} 2>&1 | true; exit ${{PIPESTATUS[0]}}", folder
    )
    assert run(worker)[0] == 0
    assert "2 failed" in run(serving)[1]


@pytest.mark.parametrize(
    "words",
    [
        "-m jobs --help",
        "-m analyzer --help",
        "-m ina --help",
        "-m ina serve --help",
        "-m ina --version",
    ]
    + [f"{ROOT / name}.py --help" for name in ("ina_server", "ina_worker")],
)
def test_a_help_page_that_nobody_reads_ends_quietly(folder: Path, words: str) -> None:
    read = shell(f"$P {words} | true; exit ${{PIPESTATUS[0]}}", folder)
    assert run(read)[1:] == ("", "")
    assert read.returncode in (0, 141)
    closed = shell(f"$P {words} >&-", folder)
    assert run(closed) == (0, "", "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("words", ["-m jobs status jobs.csv", "-m analyzer models list --json"])
def test_a_full_disk_under_the_output_is_told(folder: Path, words: str) -> None:
    assert run(shell("$S", folder))[0] == 1
    code, _, errors = run(shell(f"$P {words} > /dev/full", folder))
    assert code == 1
    assert errors == "error: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_names_that_the_output_has_no_letters_for(folder: Path, encoding: str) -> None:
    (folder / "jobs.csv").write_text("source_path,dest_csv\nő.mp4,out/ő.csv\n")
    code, out, errors = run(shell("$S", folder, PYTHONIOENCODING=encoding))
    assert code == 1
    assert f"failed: {folder}/\\u0151.mp4" in out + errors
    assert "Traceback" not in out + errors
    code, out, errors = run(shell("$P -m jobs status jobs.csv", folder, PYTHONIOENCODING=encoding))
    assert (code, errors) == (0, "")
    assert "\\u0151.mp4" in out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--port 99999", "--port: '99999': give a whole number from 0 to 65535"),
        ("--port=-1", "--port: '-1': give a whole number from 0 to 65535"),
        ("--lease 1e300", "--lease: '1e300': give a number from 1 to 86400"),
        ("--lease nan", "--lease: 'nan': give a number from 1 to 86400"),
        ("--workers 1000000", "--workers: '1000000': give a whole number from 0 to 240"),
        ("--max_attempts 0", "give a whole number from 1 to"),
        ("--shard_minutes inf", "give a number from 0 to"),
        ("--identity_threshold nan", "give a number from 0 to"),
        ("--max_download_gb 1e9", "give a whole number from 1 to"),
        ("--dashboard 99999999999999999999", "is no PORT and no HOST:PORT"),
        ("--ledger .", ". is a folder: name a file in it with --ledger FILE"),
        ("--ledger /dev/null/a/b", "/dev/null/a/b: no ledger can be kept there"),
        ("--ledger /proc/none/b", "/proc/none/b: no ledger can be kept there"),
    ],
)
def test_values_of_a_server_that_cannot_be(folder: Path, options: str, says: str) -> None:
    code, out, errors = run(shell(f"$S {options}", folder))
    assert (code, out) == (2, "")
    assert says in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    "options",
    [
        "--threads=-1",
        "--batch_size 0",
        "--server_timeout nan",
        "--server_timeout=-5",
        "--threads 1e3",
    ],
)
def test_values_of_a_worker_that_cannot_be(folder: Path, options: str) -> None:
    words = f"{ROOT / 'ina_worker.py'} PYRO:ina.jobs@localhost:1 {options}"
    code, _, errors = run(shell(f"$P {words}", folder))
    assert code == 2
    assert "number from" in errors
    assert "Traceback" not in errors


def test_a_home_that_cannot_be_written(folder: Path) -> None:
    code, out, errors = run(shell("unset XDG_STATE_HOME; $S", folder, HOME="/dev/null"))
    assert (code, out) == (2, "")
    assert "no ledger can be kept there (Not a directory): give a file on a local disk" in errors
    assert "Traceback" not in errors


def test_a_folder_is_no_ledger_to_a_command_either(folder: Path) -> None:
    code, _, errors = run(shell("$P -m jobs status --ledger .", folder))
    assert (code, errors) == (2, "jobs: . is a folder: give the file of a ledger in it\n")
