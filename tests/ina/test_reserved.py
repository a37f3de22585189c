"""Destinations that are files of the server or of the command itself: refused, and left alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.wire import tokens
from tests.support.processes import ROOT, command, run

TEXT = "something that must stay as it is\n"


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(TEXT)
    path.chmod(0o600)
    return path


def serve(folder: Path, row: str, *options: str, header: str = "") -> "tuple[int, str, str]":
    (folder / "jobs.csv").write_text(f"source_path,dest_csv{header}\n{row}\n")
    words = [str(ROOT / "ina_server.py"), "localhost", "jobs.csv", "--port", "0", *options]
    return run(command(*words, cwd=folder))


@pytest.mark.parametrize(
    ("dest", "options", "what"),
    [
        ("my.csv", ["--token_file", "my.csv"], "the file of --token_file"),
        ("link.csv", ["--token_file", "link.csv"], "the file of --token_file"),
        ("target.csv", ["--token_file", "link.csv"], "the file of --token_file"),
        ("ids.csv", ["--identities", "ids.csv"], "the identity store"),
        ("ids.csv-wal", ["--identities", "ids.csv"], "the identity store"),
        ("my.csv", ["--identities", "@my.csv"], "the identity store"),
        ("set.toml", ["--config", "set.toml"], "the file of --config"),
        ("my.csv", ["--identity_key", "my.csv"], "the file of --identity_key"),
        ("certs/ca.pem", ["--certs", "certs"], "a file of --certs"),
        ("certs/own/x.csv", ["--certs", "certs"], "a file of --certs"),
        ("L.worker1.log", ["--ledger", "L", "--workers", "1"], "the log of a worker"),
        ("models/net.csv", ["--models", "models"], "a model"),
        ("net.csv", ["--detector", "yolo:model=net.csv"], "a file that --detector names"),
    ],
)
def test_a_destination_that_the_server_reads_or_keeps_is_refused(
    tmp_path: Path, dest: str, options: list[str], what: str
) -> None:
    kept = [touch(tmp_path / name) for name in ("my.csv", "target.csv", "certs/own/x.csv")]
    kept += [touch(tmp_path / name) for name in ("certs/ca.pem", "models/net.csv", "net.csv")]
    (tmp_path / "link.csv").symlink_to("target.csv")
    (tmp_path / "set.toml").write_text("[serve]\nlease = 60\n")
    if "@my.csv" in options:
        (tmp_path / "my.csv").write_text(f"sqlite:///{tmp_path}/elsewhere\n")
        kept.remove(tmp_path / "my.csv")
    code, _, errors = serve(tmp_path, f"none.mp4,{dest}", *options)
    assert (code, f"jobs.csv:2: dest_csv would overwrite {what}" in errors) == (2, True), errors
    assert all(path.read_text() == TEXT for path in kept)


def test_a_destination_among_the_tokens_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    dest = tokens.file_for("127.0.0.1", 9471)
    code, _, errors = serve(tmp_path, f"none.mp4,{dest}")
    assert (code, "dest_csv lies in the folder of tokens: change it" in errors) == (2, True), errors


@pytest.mark.parametrize(
    ("header", "cell", "dest", "what"),
    [
        (",gallery", "g", "g/Ada.jpg", "a file of the gallery of line 2"),
        (",gallery", "g", "g/Kim/1.png", "a file of the gallery of line 2"),
        (",gallery", "g", "g/actors.csv", "a file of the gallery of line 2"),
        (",poster_path", "poster.csv", "poster.csv", "the poster of line 2"),
        (",corrections", "fix.csv", "fix.csv", "the corrections of line 2"),
    ],
)
def test_a_destination_that_the_joblist_reads_is_refused(
    tmp_path: Path, header: str, cell: str, dest: str, what: str
) -> None:
    touch(tmp_path / "g" / "Kim" / "1.png")
    touch(tmp_path / dest)
    code, _, errors = serve(tmp_path, f"none.mp4,{dest},{cell}", header=header)
    assert (code, f"dest_csv would overwrite {what}: change it" in errors) == (2, True), errors


def test_results_may_lie_in_the_folder_of_a_gallery(tmp_path: Path) -> None:
    touch(tmp_path / "Ada.jpg")
    touch(tmp_path / "film.csv")
    code, _, errors = serve(tmp_path, "none.mp4,film.csv,.", "--workers", "1", header=",gallery")
    assert code == 1
    assert "would overwrite" not in errors


def run_job(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "jobs", "run-job", "--source_path", "m.mp4", *words]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--dest_csv", "ids.csv", "--identities", "ids.csv"], "overwrite the identity store"),
        (["--dest_csv", "set.csv", "--config", "set.csv"], "overwrite the file of --config"),
        (["--dest_csv", "o.csv", "--journal", "m.mp4"], "--journal m.mp4 is the medium"),
        (["--dest_csv", "o.csv", "--journal", "link"], "--journal link is the medium"),
        (["--dest_csv", "o.csv", "--journal", "hard"], "--journal hard is the medium"),
        (["--dest_csv", "o.csv", "--journal", "o.csv"], "--journal o.csv is dest_csv, too"),
        (["--dest_csv", "o.csv", "--journal", "gone/../o.csv"], "is dest_csv, too"),
        (["--dest_csv", "o.csv", "--journal", "text"], "text is not a journal"),
        (["--dest_csv", "o.csv", "--journal", "deep"], "deep is not a journal"),
        (["--dest_csv", "o.csv", "--journal", "pipe"], "pipe is not a regular file"),
        (
            ["--dest_csv", "o.csv", "--corrections", "fix", "--journal", "fix"],
            "--journal fix is the file of corrections",
        ),
    ],
)
def test_run_job_refuses_what_would_spoil_a_file(
    tmp_path: Path, words: list[str], says: str
) -> None:
    kept = [touch(tmp_path / name) for name in ("m.mp4", "text")]
    (tmp_path / "gone").mkdir()
    (tmp_path / "deep").write_text("[" * 100_000)
    (tmp_path / "set.csv").write_text("[jobs.run-job]\nthreads = 1\n")
    (tmp_path / "link").symlink_to("m.mp4")
    os.link(tmp_path / "m.mp4", tmp_path / "hard")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(os.listdir(tmp_path))
    done = run_job(tmp_path, *words)
    code = 65 if "overwrite" in says else 2
    assert (done.returncode, says in done.stderr) == (code, True), done
    assert "Traceback" not in done.stderr
    assert all(path.read_text() == TEXT for path in kept)
    assert (tmp_path / "deep").read_text() == "[" * 100_000
    assert sorted(os.listdir(tmp_path)) == before
