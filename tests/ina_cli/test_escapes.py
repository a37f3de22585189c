"""Control characters in texts of others are shown by every way of printing, and never sent."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ina_cli import escapes
from tests.support.processes import ROOT

NAME = "a\x1b]0;gotcha\x07\x9b31m\u202egnp\x7f[/red]:smile:\r.mp4"
"""Title of a window, red by one byte of C1, letters turned round, DEL, two forms that mean
something to rich, and a return to the start of the line."""
SHOWN = r"a\x1b]0;gotcha\x07\x9b31m\u202egnp\x7f[/red]:smile:\x0d.mp4"
SENT = ("\x1b]", "\x07", "\x9b", "\u202e", "\x7f")
PROGRAM = """
import logging, sys
from pathlib import Path
from ina_cli import libraries
from ina_cli.console import console
from ina_cli.escapes import shown
name = sys.argv[1].encode().decode("unicode_escape")
with libraries.explained():
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    print("printed", name)
    print("error", name, file=sys.stderr, flush=True)
    logging.warning("logged %s", name)
    console().print(f"table {name}", soft_wrap=True, highlight=False)
    from rich import progress, table
    rows = table.Table("column")
    rows.add_row(name)
    console(width=200).print(rows)
    display = progress.Progress(console=console())
    with display, shown():
        display.add_task("step")
        print("meanwhile", name)
"""


@given(st.text())
def test_what_is_visible_holds_no_control_characters(text: str) -> None:
    shown = escapes.visible(text)
    assert not [char for char in shown if ord(char) < 32 and char not in "\n\t"]
    assert not [char for char in shown if 127 <= ord(char) < 160 or 0xD800 <= ord(char) < 0xE000]
    assert escapes.visible(shown) == shown
    shown.encode()


def test_what_is_ordinary_stays_as_it_is() -> None:
    text = "Zoë Çelik\t大島渚 👩‍🚀 عمر\n"
    assert escapes.visible(text) == text


@pytest.mark.parametrize("is_terminal", [False, True], ids=["pipe", "terminal"])
def test_nothing_printed_reaches_a_terminal(is_terminal: bool) -> None:
    words = [sys.executable, "-c", PROGRAM, NAME.encode("unicode_escape").decode()]
    output = _on_terminal(words) if is_terminal else _piped(words)
    assert not [code for code in SENT if code in output], repr(output)
    for way in ("printed", "error", "logged", "table", "meanwhile"):
        assert f"{way} {SHOWN}" in output.replace("\r\n", "\n"), output
    assert output.count(SHOWN) == 6


def test_the_stream_of_before_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout
    with escapes.shown(), escapes.shown():
        sys.stdout.writelines(["\x1b[31m"])
    assert sys.stdout is before
    assert capsys.readouterr().out == r"\x1b[31m"


def test_a_name_in_an_error_and_in_a_result_is_shown(tmp_path: Path) -> None:
    """On the real programs: a path that is mistyped, and a joblist with a wrong row."""
    (tmp_path / "jobs.csv").write_text(f'source_path,dest_csv,item_id\n"{NAME}",\n')
    for words in (
        ["-m", "analyzer", "export", NAME, "--export", "csv"],
        ["-m", "analyzer", "forget", NAME, "--results", str(tmp_path)],
        ["ina_server.py", "localhost", str(tmp_path / "jobs.csv")],
        ["ina_worker.py", NAME],
        ["-m", "jobs", "status", NAME],
        ["-m", "ina", NAME],
    ):
        done = subprocess.run(
            [sys.executable, *words], cwd=ROOT, capture_output=True, timeout=60, check=False
        )
        output = (done.stdout + done.stderr).decode()
        assert done.returncode in (1, 2), (words, output)
        assert "Traceback" not in output, output
        assert not [code for code in SENT if code in output], (words, output)


def test_json_is_as_it_was() -> None:
    words = [sys.executable, "-m", "analyzer", "models", "list", "--json"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, timeout=60, check=True)
    assert done.stdout.startswith(b"[\n {")


def test_what_programs_read_is_not_changed(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON writes an escape as a code itself, but DEL as it is; another code would be no JSON."""
    with escapes.shown():
        print(json.dumps([NAME]), file=escapes.as_it_is(sys.stdout))
        print(NAME, end="")
    text, _, rest = capsys.readouterr().out.partition("\n")
    assert json.loads(text) == [NAME]
    assert rest == SHOWN


def _piped(words: list[str]) -> str:
    done = subprocess.run(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=True
    )
    return done.stdout.decode()


def _on_terminal(words: list[str]) -> str:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "200", "TERM": "xterm"}
    with subprocess.Popen(
        words, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        pieces = []
        try:
            while piece := os.read(ours, 1 << 16):
                pieces.append(piece)
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        assert process.wait(timeout=60) == 0
    return b"".join(pieces).decode()
