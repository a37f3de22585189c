"""Faults that need the system's help; each says what is missing and skips where it is."""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SFTP_SERVER = Path("/usr/lib/openssh/sftp-server")


def need(*programs: str) -> None:
    missing = [name for name in programs if not shutil.which(name)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    if os.geteuid() != 0:
        pytest.skip("needs root")


@contextmanager
def tmpfs(folder: Path, size: str) -> Iterator[Path]:
    """A small disk."""
    need("mount")
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True
    )
    if done.returncode:
        pytest.skip(f"tmpfs cannot be mounted: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def sshfs(folder: Path, behind: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A network disk; yield the server behind it, which may be stopped."""
    need("sshfs", "fusermount3")
    if not SFTP_SERVER.exists() or not Path("/dev/fuse").exists():
        pytest.skip(f"not there: {SFTP_SERVER} or /dev/fuse")
    folder.mkdir()
    behind.mkdir()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        server = subprocess.Popen([SFTP_SERVER], stdin=theirs, stdout=theirs)
        mount = subprocess.Popen(
            ["sshfs", f"x:{behind}", folder, "-f", "-o", "passive"], stdin=ours, stdout=ours
        )
    try:
        deadline = time.monotonic() + 10
        while not os.path.ismount(folder):
            assert time.monotonic() < deadline, "sshfs does not mount"
            time.sleep(0.05)
        yield server
    finally:
        server.send_signal(signal.SIGCONT)
        subprocess.run(["fusermount3", "-u", "-z", folder], check=False)
        for process in (mount, server):
            process.kill()
            process.wait()


# libfaketime also shifts sleeps on the clock that must not be shifted, which then fail.
CLOCK = """
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *now) {
    int result = syscall(SYS_clock_gettime, id, now);
    char text[32] = "";
    const char *offset = id == CLOCK_REALTIME ? "CLOCK_OFFSET" : "BOOT_CLOCK_OFFSET";
    int is_shifted = id == CLOCK_REALTIME || id == CLOCK_BOOTTIME;
    int file = is_shifted && getenv(offset) ? open(getenv(offset), O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
        if (read(file, text, sizeof text - 1) > 0) now->tv_sec += atol(text);
        close(file);
    }
    return result;
}
"""


class Clock:
    """A clock of processes that may be set while they run.

    Args:
        folder: Folder of its files.
        is_boot_clock: Whether it is the clock that goes on during suspend; else the wall clock.
    """

    def __init__(self, folder: Path, *, is_boot_clock: bool = False) -> None:
        need("cc")
        library = folder / "clock.so"
        command = ["cc", "-shared", "-fPIC", "-xc", "-", "-o", library]
        subprocess.run(command, input=CLOCK.encode(), check=True)
        self._file = folder / "offset"
        self.set(0)
        name = "BOOT_CLOCK_OFFSET" if is_boot_clock else "CLOCK_OFFSET"
        self.env = {"LD_PRELOAD": str(library), name: str(self._file)}

    def set(self, days: float) -> None:
        """Set it to so much later, or earlier."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{round(86400 * days)}")
        new.replace(self._file)


@contextmanager
def network(name: str) -> Iterator[str]:
    """A machine of its own, in a network namespace; yield this machine's address on its link."""
    need("ip")
    here, there = f"{name}a", f"{name}b"
    added = subprocess.run(["ip", "netns", "add", name], capture_output=True)
    if added.returncode:
        pytest.skip(f"no network namespaces: {added.stderr.decode().strip()}")
    try:
        for command in (
            f"link add {here} type veth peer name {there} netns {name}",
            f"addr add 10.213.77.1/30 dev {here}",
            f"link set {here} up",
            f"-n {name} addr add 10.213.77.2/30 dev {there}",
            f"-n {name} link set {there} up",
        ):
            done = subprocess.run(["ip", *command.split()], capture_output=True)
            if done.returncode:
                pytest.skip(f"no veth links: {done.stderr.decode().strip()}")
        yield "10.213.77.1"
    finally:
        subprocess.run(["ip", "link", "del", here], capture_output=True)
        subprocess.run(["ip", "netns", "del", name], check=True)


@contextmanager
def machines(*names: str, own_processes: bool = False) -> Iterator[list[tuple[str, ...]]]:
    """Machines without a network, with hosts' names and loopbacks of their own.

    Args:
        names: Their names.
        own_processes: Whether each sees its own processes only, as on real ones.

    Yields:
        What to put before a command, for each machine.
    """
    need("ip", "unshare", "hostname")
    made: list[str] = []
    unshare = ["unshare", "--uts"]
    unshare += ["--pid", "--fork", "--kill-child", "--mount-proc"] if own_processes else []
    try:
        for name in names:
            added = subprocess.run(["ip", "netns", "add", name], capture_output=True)
            if added.returncode:
                pytest.skip(f"no network namespaces: {added.stderr.decode().strip()}")
            made.append(name)
            subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        yield [
            ("ip", "netns", "exec", n, *unshare, "sh", "-c", f'hostname {n} && exec "$@"', "sh")
            for n in names
        ]
    finally:
        for name in made:
            subprocess.run(["ip", "netns", "del", name], check=True)


OPEN, ACCESS, MODIFY, ATTRIB = 0x20, 0x1, 0x2, 0x4
CREATE, DELETE, MOVED = 0x100, 0x200, 0xC0
NAMES = {
    **{OPEN: "open", ACCESS: "read", MODIFY: "write", ATTRIB: "attributes"},
    **{CREATE: "create", DELETE: "delete", 0x40: "moved from", 0x80: "moved to"},
}


class Sentinel:
    """Watches a folder and all below it, as it is now: the kernel tells of each access."""

    def __init__(self, folder: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._handle = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._handle < 0:
            pytest.skip("no inotify here")
        self._paths: dict[int, Path] = {}
        mask = OPEN | ACCESS | MODIFY | ATTRIB | CREATE | DELETE | MOVED
        for path in (folder, *(p for p in folder.rglob("*") if p.is_dir() and not p.is_symlink())):
            watch = libc.inotify_add_watch(self._handle, os.fsencode(path), mask)
            assert watch >= 0, os.strerror(ctypes.get_errno())
            self._paths[watch] = path

    def close(self) -> None:
        os.close(self._handle)

    def accesses(self) -> list[str]:
        """What was opened, read or changed since the last call."""
        found = []
        while data := self._read():
            at = 0
            while at < len(data):
                watch, mask, _, length = struct.unpack_from("iIII", data, at)
                name = data[at + 16 : at + 16 + length].rstrip(b"\0").decode()
                what = ", ".join(text for bit, text in NAMES.items() if mask & bit)
                found.append(f"{what}: {self._paths[watch] / name}")
                at += 16 + length
        return found

    def _read(self) -> bytes:
        try:
            return os.read(self._handle, 1 << 16)
        except BlockingIOError:
            return b""


class LossyProxy:
    """Passes requests on, and loses every n-th reply with its connection.

    A Pyro5 connection has one call under way at a time, so that a chunk is a reply.
    """

    def __init__(self, port: int, *, lose_every: int) -> None:
        self._target = port
        self._lose_every = lose_every
        self._replies = self.lost = 0
        self._open: list[socket.socket] = []
        self._socket = socket.create_server(("localhost", 0))
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for end in (self._socket, *self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                try:
                    server = socket.create_connection(("localhost", self._target))
                except ConnectionRefusedError:
                    client.close()
                    continue
                self._open += [client, server]
                for ends in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, are_replies: bool) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(1 << 20):
                self._replies += are_replies
                if are_replies and self._replies % self._lose_every == 0:
                    self.lost += 1
                    break
                sink.sendall(chunk)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
