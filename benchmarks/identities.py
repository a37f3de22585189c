"""An archive of 1,000,000 identities: opening it, look-ups, the most frequent, who is alike.

A file of 10,000,000 appearances, and a Redis server of a tenth of that, each with 100,000 or 10,000
events in its log. All is asked by a process of its own that has two threads. On a machine with
other work to do, the shortest time is near what something costs, the median what one gets;
processor time leaves out the waiting, and adds up the threads. `cold`: nothing of the file is in
memory. `IDENTITIES=20000` is for a quick look.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import _identity_measures

_IN_FILE = int(os.environ.get("IDENTITIES", "1000000"))
_IN_SERVER = _IN_FILE // 10
_ROOT = Path(__file__).parent.parent


def run() -> dict[str, float]:
    """Seconds to fill and to open each store, milliseconds of what is asked, and memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "identities"
        figures = _measured("fill", str(path), _IN_FILE)
        figures["file_mb"] = path.stat().st_size / 1e6
        cold = _measured("cold", str(path))
        figures |= {f"open_cold_{unit}": cold[f"open_{unit}"] for unit in ("s", "cpu_s")}
        figures |= _measured("open", str(path))
    if shutil.which("redis-server"):
        with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as url:
            of_server = _measured("fill", url, _IN_SERVER) | _measured("open", url)
        figures |= {f"redis_{name}": value for name, value in of_server.items()}
    return figures


def _measured(step: str, url: str, *identities: int) -> dict[str, float]:
    """Do a step in a process of its own."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2", "PYTHONPATH": str(_ROOT)}
    command = [sys.executable, "-m", _identity_measures.__name__, step, url]
    done = subprocess.run(
        [*command, *map(str, identities)], env=environment, stdout=subprocess.PIPE, check=True
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """Run a server that keeps all in memory; what its disk costs is not measured."""
    socket = folder / "socket"
    options = ("--port", "0", "--unixsocket", socket, "--save", "", "--logfile", folder / "log")
    server = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
    try:
        while not socket.exists():
            if server.poll() is not None:
                raise RuntimeError(f"redis-server has ended: {(folder / 'log').read_text()}")
            time.sleep(0.05)
        yield f"unix://{socket}?prefix=benchmark"
    finally:
        server.terminate()
        server.wait()
