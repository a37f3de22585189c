"""What a program does when nobody reads its output any more."""

import subprocess
import sys

import pytest

from ina_cli.output import CODE
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
