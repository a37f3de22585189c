"""The server's log: time and level, or JSON; and what is printed without either."""

import json
import re
from pathlib import Path

import pytest

from tests.support.servers import serve

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (INFO|WARNING|ERROR) (.+)")


def run(folder: Path, *options: str) -> list[str]:
    """The lines of a server with a job that fails: it ends with 1."""
    (folder / "broken ü.mp4").write_text("no film")
    rows = [{"source_path": folder / "broken ü.mp4", "dest_csv": folder / "out.csv"}]
    code, output = serve(folder, rows, "--max_attempts", "1", *options)
    assert code == 1, output
    return output.splitlines()


def test_lines_of_the_log_have_time_and_level(tmp_path: Path) -> None:
    matches = list(filter(None, map(LINE.fullmatch, run(tmp_path, "--log_level", "info"))))
    (failed,) = (match for match in matches if match[2].startswith("failed: "))
    assert failed[1] == "ERROR"


@pytest.mark.parametrize(
    ("options", "levels"), [((), {"error"}), (("--log_level", "error"), {"error"})]
)
def test_the_log_as_json_has_a_line_for_each_entry(options, levels, tmp_path: Path) -> None:
    lines = run(tmp_path, "--log_json", *options)
    entries = [json.loads(line) for line in lines if line.startswith("{")]
    assert {entry["level"] for entry in entries} >= levels
    (failed,) = (entry for entry in entries if entry.get("state") == "failed")
    assert failed["message"].startswith("failed: ")
    assert failed["logger"] == "ina.server"
    assert (failed["job"], failed["error_kind"], failed["attempts"]) == (1, "input", 1)
    assert failed["source_path"].endswith("broken ü.mp4")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", failed["time"])
    if options:
        assert {entry["level"] for entry in entries} == levels
    assert not any(line.startswith(("elapsed", "jobs ", "failed: ")) for line in lines)
    summaries = [entry for entry in entries if entry["message"] == "summary"]
    assert [summary["counts"] for summary in summaries] == ([] if options else [{"failed": 1}])


def test_without_them_the_terminal_has_the_lines(tmp_path: Path) -> None:
    lines = run(tmp_path)
    assert any(line.startswith("failed: ") for line in lines)
    assert not any(map(LINE.fullmatch, lines))
