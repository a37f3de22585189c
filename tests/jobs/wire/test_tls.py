"""Servers that demand a token and certificates; the certificates are made by openssl."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import ROOT, command, run

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="needs the openssl command")


def openssl(folder: Path, *args: str) -> None:
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)


def make_certs(folder: Path) -> Path:
    """An authority of its own, and a certificate for each side."""
    folder.mkdir()
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    # From Python 3.13 on, an authority must say that it signs, and a certificate who has signed it.
    usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    names = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca"]
    openssl(folder, "req", "-x509", *key, *usage, *names)
    (folder / "san").write_text("subjectAltName=DNS:localhost\nauthorityKeyIdentifier=keyid\n")
    for name in ("server", "worker"):
        request = [*key[:-2], "-keyout", f"{name}.key", "-out", f"{name}.csr"]
        openssl(folder, "req", *request, "-subj", f"/CN={name}")
        signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "san"]
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", *signing, "-out", f"{name}.pem")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "jobs.csv").write_text("source_path,dest_csv\nnone.mp4,out/none.csv\n")
    (tmp_path / "token").write_text("a token of some length\n")
    make_certs(tmp_path / "certs")
    make_certs(tmp_path / "strangers")
    return tmp_path


@pytest.fixture
def server(folder: Path) -> "Iterator[subprocess.Popen[str]]":
    access = ["--token_file", "token", "--certs", "certs"]
    script = str(ROOT / "ina_server.py")
    process = command(script, "localhost", "jobs.csv", "--port", "0", *access, cwd=folder)
    yield process
    process.kill()
    process.communicate()


def worker(folder: Path, uri: str, *args: str) -> tuple[int, str]:
    script = str(ROOT / "ina_worker.py")
    code, _, errors = run(command(script, uri, "--server_timeout", "1", *args, cwd=folder))
    return code, errors


def test_only_those_with_token_and_certificate_come_in(
    folder: Path, server: "subprocess.Popen[str]"
) -> None:
    assert server.stdout is not None
    uri = server.stdout.readline().strip()
    silent = socket.create_connection(("localhost", int(uri.rpartition(":")[2])))
    token, certs = ("--token_file", "token"), ("--certs", "certs")
    assert worker(folder, uri, *token)[0] == 1
    code, errors = worker(folder, uri, *token, "--certs", "strangers")
    assert (code, "certificate is not accepted" in errors) == (2, True)
    code, errors = worker(folder, uri, *certs)
    assert (code, "refuses this worker's token" in errors) == (2, True)
    assert worker(folder, uri, *token, *certs)[0] == 0
    silent.close()
    assert run(server)[0] == 1
