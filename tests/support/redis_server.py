"""A Redis server of a test's own: a free port on loopback, a password, its data on disk."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.processes import free_port

PASSWORD = "geheim/@:?"  # what must be escaped in an address
ESCAPED = "geheim%2F%40%3A%3F"


class RedisServer:
    """Started, killed and started again by hand."""

    def __init__(self, folder: Path) -> None:
        self._program = shutil.which("redis-server")
        if self._program is None:
            pytest.skip("no redis-server: install it (Debian: apt-get install redis-server)")
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    def url(self, prefix: str = "archive") -> str:
        return f"redis://:{ESCAPED}@127.0.0.1:{self.port}/0?prefix={prefix}"

    def client(self):
        redis = pytest.importorskip("redis")
        return redis.Redis(port=self.port, password=PASSWORD)

    def start(self) -> None:
        options = {
            "bind": "127.0.0.1",
            "port": self.port,
            "dir": self._folder,
            "requirepass": PASSWORD,
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "logfile": self._folder / "redis.log",
        }
        words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen([self._program, *words], stdout=subprocess.DEVNULL)
        client = self.client()
        deadline = time.monotonic() + 60
        while True:
            try:
                client.ping()
                break
            except Exception:
                assert time.monotonic() < deadline, "redis-server does not answer"
                time.sleep(0.05)
        client.close()

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
