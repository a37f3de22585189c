"""What a program does when nobody reads its output any more."""

import os
import subprocess
import sys

import pytest

from ina_cli.output import CODE, NOBODY, steady_printing
from tests.support.processes import ROOT


@pytest.mark.parametrize("words", [["-m", "analyzer", "models", "list", "--json"]], ids=" ".join)
def test_a_closed_pipe_ends_it_quietly(words: list[str]) -> None:
    """Also where the output fits into the buffer, and is written at the end alone."""
    with subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(timeout=60) == CODE


def test_work_goes_on_where_nobody_reads_its_output(capfd, monkeypatch) -> None:
    read, written = os.pipe()
    os.close(read)
    monkeypatch.setattr(sys, "stdout", os.fdopen(written, "w"))
    with steady_printing():
        for _ in range(3):
            print("a line", flush=True)
            sys.stdout.writelines(["a", "b"])
    sys.stdout.close()
    assert capfd.readouterr().err == f"{NOBODY}\n"
