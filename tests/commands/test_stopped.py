"""What a signal leaves: nothing that was begun."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT, until

COMMAND = """
import sys, tempfile, time
from argparse import Namespace
from analyzer.commands._program import main

def run(_):
    with tempfile.TemporaryDirectory(prefix="ina-"):
        time.sleep(100)

sys.exit(main(Namespace(run=run)))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_takes_back_what_was_begun(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        until(lambda: list(tmp_path.glob("ina-*")))
        process.send_signal(number)
        said = process.communicate(timeout=60)[1]
    assert (process.returncode, said) == (128 + number, "")
    assert list(tmp_path.iterdir()) == []
