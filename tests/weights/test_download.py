"""A download that broke off goes on where it stopped, where the server can send the rest."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from analyzer.errors import ResourceError, WeightsError
from analyzer.weights import catalogue, fetch, locate
from analyzer.weights.catalogue import Model
from tests.support.hosts import QuietHandler, serving

LENGTH = 1 << 20
HALF = LENGTH // 2


class Handler(QuietHandler, BaseHTTPRequestHandler):
    """Sends the server's file, or the rest of it, as the server's attributes say."""

    def do_GET(self) -> None:
        server, asked = self.server, self.headers.get("Range")
        server.asked.append(asked)
        data, first = server.file, 0
        if asked and server.ranges and self.headers.get("If-Range") in (None, server.tag):
            first = int(asked.removeprefix("bytes=").rstrip("-")) + server.off_by
        if first >= len(data):
            self.send_error(416)
            return
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(data) - first))
        for name, value in server.says.items():
            self.send_header(name, value)
        if server.tag:
            self.send_header("ETag", server.tag)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        self.wfile.write(data[first : server.until])
        if server.until < len(data):
            self.wfile.flush()
            time.sleep(server.stalls_s)


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """A server that supports ranges, and breaks off in the middle of the file."""
    with serving(Handler, np.random.default_rng(0).bytes(LENGTH)) as server:
        server.says = {}
        server.ranges, server.tag, server.off_by = True, '"first"', 0
        server.until, server.stalls_s = HALF, 0
        yield server


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(locate, "folder", lambda: tmp_path / "models")
    return tmp_path / "models"


@pytest.fixture
def model(server, folder, monkeypatch) -> Model:
    entry = Model(
        name="small",
        file="small.bin",
        sha256=hashlib.sha256(server.file).hexdigest(),
        licence="MIT",
        about="nothing",
        address=f"{server.url}/small.bin",
    )
    for module in (locate, catalogue, fetch):
        monkeypatch.setitem(module.PUBLISHED, entry.name, entry)
    return entry


def fetched_bytes(model: Model) -> list[int]:
    """Fetch it; the bytes that were there each time that something was told."""
    counts: list[int] = []
    fetch.fetch(model, on_progress=lambda done, total: counts.append(done))
    return counts


def break_off(model: Model) -> None:
    with pytest.raises(ResourceError, match=r"broke off \(0\.5 MB are kept: try again\)"):
        fetched_bytes(model)


def whole(server, folder: Path) -> bool:
    return [p.name for p in folder.iterdir()] == ["small.bin"] and (
        folder / "small.bin"
    ).read_bytes() == server.file


def test_only_the_rest_is_sent(model, server, folder):
    break_off(model)
    server.until = LENGTH
    counts = fetched_bytes(model)
    assert server.asked == [None, f"bytes={HALF}-"]
    assert (counts[0], counts[-1]) == (HALF, LENGTH)
    assert whole(server, folder)


def test_again_and_again(model, server, folder):
    for eighth in range(1, 8):
        server.until = eighth * LENGTH // 8
        with pytest.raises(ResourceError, match="broke off"):
            fetched_bytes(model)
    server.until = LENGTH
    fetched_bytes(model)
    assert server.asked[-1] == f"bytes={7 * LENGTH // 8}-"
    assert whole(server, folder)


def test_a_server_without_ranges_sends_all_of_it(model, server, folder):
    server.ranges = False
    break_off(model)
    server.until = LENGTH
    assert fetched_bytes(model)[0] == 0
    assert server.asked == [None, f"bytes={HALF}-"]
    assert whole(server, folder)


@pytest.mark.parametrize("tag", ["", 'W/"weak"'])
@pytest.mark.parametrize("date", ["", "Sat, 21 Nov 2026 10:00:00 GMT"])
def test_parts_of_a_file_without_a_version_are_not_mixed(model, server, folder, tag, date):
    server.tag = tag
    server.says = {"Last-Modified": date} if date else {}
    with pytest.raises(ResourceError, match="broke off"):
        fetched_bytes(model)
    server.until, server.tag = LENGTH, date or tag
    fetched_bytes(model)
    assert server.asked == [None, f"bytes={HALF}-" if date else None]
    assert whole(server, folder)


def test_another_version_is_fetched_whole(model, server, folder):
    break_off(model)
    server.tag, server.until = '"second"', LENGTH
    assert fetched_bytes(model)[0] == 0
    assert whole(server, folder)


def test_another_address_is_fetched_whole(model, server, folder):
    break_off(model)
    server.until = LENGTH
    fetch.fetch(model, mirror=f"{server.url}/copy", on_progress=lambda *_: None)
    assert server.asked == [None, None]
    assert whole(server, folder)


@pytest.mark.parametrize("off_by", [-1000, 1000, LENGTH])
def test_another_part_than_was_asked_for_is_not_taken(model, server, folder, off_by):
    break_off(model)
    server.until, server.off_by = LENGTH, off_by
    fetched_bytes(model)
    assert server.asked == [None, f"bytes={HALF}-", None]
    assert whole(server, folder)


def test_what_was_sent_packed_is_not_gone_on_with(model, server, folder):
    server.says = {"Content-Encoding": "unknown"}
    with pytest.raises(ResourceError, match="broke off;"):
        fetched_bytes(model)
    assert list(folder.iterdir()) == []
    server.says, server.until = {}, LENGTH
    fetched_bytes(model)
    assert server.asked == [None, None]


def test_a_server_that_falls_silent(model, server, folder, monkeypatch):
    monkeypatch.setattr(fetch, "TIMEOUT_S", 0.3)
    server.stalls_s = 1
    break_off(model)
    server.until = LENGTH
    assert fetched_bytes(model)[0] == HALF
    assert whole(server, folder)


def test_the_hash_is_of_the_whole_file(model, server, folder):
    """A server that changes the file and not its version: nothing is kept of it."""
    break_off(model)
    server.file = bytes(LENGTH)
    server.until = LENGTH
    with pytest.raises(WeightsError, match="its sha256 is another"):
        fetched_bytes(model)
    assert list(folder.iterdir()) == []


def test_two_at_once(model, server, folder):
    server.stalls_s = 1
    first = Thread(target=break_off, args=[model])
    first.start()
    part = folder / "small.bin.part"
    # It is locked only after it was made.
    while not part.exists() or part.stat().st_size == 0:
        time.sleep(0.01)
    with pytest.raises(ResourceError, match="another process is fetching it; wait"):
        fetched_bytes(model)
    first.join()
    server.until = LENGTH
    fetched_bytes(model)
    assert whole(server, folder)


def test_an_error_at_the_note_is_explained_like_one_at_the_part(model, server, folder):
    (folder / "small.bin.part.json").mkdir(parents=True)
    with pytest.raises(ResourceError, match=r"small\.bin: Is a directory; check the network, give"):
        fetched_bytes(model)


def test_a_command_that_was_killed_goes_on(server, tmp_path):
    """Of a model with a hash that was noted when it was fetched before."""
    name = "face_recognition_sface_2021dec"
    folder = tmp_path / "ina" / "models"
    folder.mkdir(parents=True)
    noted = {"file": f"{name}.onnx", "sha256": hashlib.sha256(server.file).hexdigest()}
    (folder / "models.json").write_text(json.dumps({name: noted}))
    command = [sys.executable, "-m", "analyzer", "models", "fetch", name, "--mirror", server.url]
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path)}
    server.stalls_s = 60
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        part = folder / f"{name}.onnx.part"
        while not part.exists() or part.stat().st_size < HALF - (1 << 17):
            time.sleep(0.02)
        process.kill()
    size = part.stat().st_size
    server.until = LENGTH
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    assert server.asked == [None, f"bytes={size}-"]
    assert (folder / f"{name}.onnx").read_bytes() == server.file
    assert not part.exists()
