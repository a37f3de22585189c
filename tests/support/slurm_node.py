"""A Slurm of one node, of Debian's packages, in a folder of its own: munged, slurmctld, slurmd."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.processes import free_port

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol")
CONFIGURATION = """\
ClusterName=inatest
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
# A task that is put back into the queue waits for so long, and one second.
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
JobRequeue=1
SlurmdParameters=config_overrides
SlurmctldTimeout=30
SlurmdTimeout=30
KillWait=5
MinJobAge=300
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} Boards=1 SocketsPerBoard=1 CoresPerSocket={cpus} \
ThreadsPerCore=1 RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def program(name: str) -> str | None:
    """Daemons are not on the path of every user."""
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


class Node:
    """A running cluster; its commands need `env`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}

    def start(self, *, cpus: int) -> None:
        host = socket.gethostname().partition(".")[0]
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        ports = (free_port(), free_port())
        (self.folder / "slurm.conf").write_text(
            CONFIGURATION.format(host=host, user=user(), folder=self.folder, ports=ports, cpus=cpus)
        )
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        files = {"key-file": key, **{n: self.folder / f"munge.{n}" for n in ("socket",)}}
        files |= {f"{n}-file": self.folder / f"munged.{n}" for n in ("pid", "log", "seed")}
        self._run("munged", "--force", *(f"--{name}={path}" for name, path in files.items()))
        self._run("slurmctld")
        self._run("slurmd", "-N", host)
        until = time.monotonic() + 60
        while "idle" not in self.ask("sinfo", "--noheader", "--format=%t"):
            assert time.monotonic() < until, self.logs()
            time.sleep(0.5)

    def _run(self, name: str, *args: str) -> None:
        path = program(name)
        assert path
        done = subprocess.run([path, *args], env=self.env, capture_output=True, text=True)
        assert done.returncode == 0, f"{name}: {done.stderr}"

    def ask(self, *command: str) -> str:
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=60)
        return done.stdout

    def wait(self, *, within_s: float) -> None:
        """Until the queue is empty."""
        until = time.monotonic() + within_s
        while queue := self.ask("squeue", "--noheader"):
            assert time.monotonic() < until, queue + self.logs()
            time.sleep(1)

    def logs(self) -> str:
        return "".join(path.read_text()[-2000:] for path in self.folder.glob("slurm*.log"))

    def stop(self) -> None:
        if (self.folder / "slurm.conf").exists():
            self.ask("scancel", f"--user={user()}")
        for name in ("slurmd", "slurmctld", "munged"):
            with suppress(FileNotFoundError, ValueError, ProcessLookupError):
                pid = int((self.folder / f"{name}.pid").read_text())
                os.kill(pid, signal.SIGTERM)
                _wait(pid)


def _wait(pid: int) -> None:
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)


@contextmanager
def node(folder: Path, *, cpus: int = 4) -> Iterator[Node]:
    """Start a cluster, and stop it."""
    missing = [name for name in PROGRAMS if program(name) is None]
    if missing:
        pytest.skip(f"no {missing[0]}: apt-get install slurm-wlm munge")
    folder.mkdir()
    folder.chmod(0o755)
    running = Node(folder)
    try:
        running.start(cpus=cpus)
        yield running
    finally:
        running.stop()
