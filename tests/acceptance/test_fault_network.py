"""The fault table of docs/reliability.md: links that break, peers that are silent or strange."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.cluster import Cluster, cluster
from tests.support.injectors import network
from tests.support.processes import ROOT, until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]
NAME = "ina-test"
LEASE_S = 4.0


def make_certificates(folder: Path, host: str) -> tuple[str, ...]:
    command = [sys.executable, "-m", "jobs", "certs", str(folder), "--host", host]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return ("--certs", str(folder), "--token_file", str(folder / "token"))


def secure_worker(target: Cluster, certs: Path, *prefix: str) -> "subprocess.Popen[str]":
    """A worker with certificates, and the stand-in for the analysis."""
    access = {"token_file": str(certs / "token"), "certs": str(certs)}
    return target.work(prefix=prefix, access=access)


def test_08_a_partition_that_heals(tmp_path: Path) -> None:
    certs = tmp_path / "certs"
    pid_file = tmp_path / "pid"
    with network(NAME) as address:
        access = make_certificates(certs, address)
        media = {"a": f"once_pid {pid_file}\nsleep 5"}
        options = ("--lease", str(LEASE_S), *access)
        with cluster(tmp_path, media, host=address, options=options) as target:
            target.serve()
            cut_off = secure_worker(target, certs, "ip", "netns", "exec", NAME)
            until(lambda: pid_file.exists() and pid_file.read_text())
            child = Path(f"/proc/{pid_file.read_text()}")
            subprocess.run(["ip", "link", "set", f"{NAME}a", "down"], check=True)
            cut = time.monotonic()
            until(lambda: not child.exists())
            assert time.monotonic() - cut < LEASE_S, "the child outlived its lease"
            heir = secure_worker(target, certs)
            time.sleep(max(0.0, 2 * LEASE_S - (time.monotonic() - cut)))
            subprocess.run(["ip", "link", "set", f"{NAME}a", "up"], check=True)
            assert target.finish() == 0
            target.assert_nothing_lost(done=1)
            assert target.query("SELECT token FROM job") == [(2,)]
            assert heir.wait(30) == 0
            assert cut_off.poll() is None or cut_off.returncode == 0


@pytest.mark.parametrize("peers", [1, 80])
def test_15_silent_peers_with_tls(tmp_path: Path, peers: int) -> None:
    certs = tmp_path / "certs"
    access = make_certificates(certs, "localhost")
    with cluster(tmp_path, {"a": "", "b": ""}, options=access) as target:
        target.serve()
        until(lambda: reachable(target.port))
        silent = [socket.create_connection(("localhost", target.port)) for _ in range(peers)]
        started = time.monotonic()
        secure_worker(target, certs)
        assert target.finish() == 0
        assert time.monotonic() - started < 20
        for peer in silent:
            peer.close()


def reachable(port: int) -> bool:
    try:
        socket.create_connection(("localhost", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def test_certificates_are_made_once(tmp_path: Path) -> None:
    make_certificates(tmp_path / "certs", "localhost")
    modes = {path.name: oct(path.stat().st_mode)[-3:] for path in (tmp_path / "certs").iterdir()}
    names = ["ca.pem", "server.pem", "server.key", "worker.pem", "worker.key", "token"]
    assert modes == dict.fromkeys(names, "600")
    command = [sys.executable, "-m", "jobs", "certs", str(tmp_path / "certs")]
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (again.returncode, "is not empty" in again.stderr) == (2, True)
