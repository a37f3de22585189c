"""Media behind addresses: only https, only public hosts, only so much, only so long."""

import io
import os
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from joblist.addresses import fetch, public
from joblist.errors import FetchFailed
from joblist.model import JobSpec
from jobs.errors import JobFailed
from jobs.inputs import intake
from jobs.types import Bounds, Lease
from tests.support import hosts

TOLD: list[Mapping[str, Any]] = []


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    with hosts.hosting(tmp_path_factory.mktemp("host")) as address:
        yield address


def get(host: tuple[str, Path], path: str, **settings: Any) -> bytes:
    file = io.BytesIO()
    hosts.fetcher(host[1], **settings).fetch(host[0] + path, file, TOLD.append)
    return file.getvalue()


def failure(host: tuple[str, Path], path: str, **settings: Any) -> FetchFailed:
    with pytest.raises(FetchFailed) as caught:
        get(host, path, **settings)
    assert "\n" not in caught.value.message
    return caught.value


def test_a_medium_is_fetched_and_progress_told(host: tuple[str, Path]) -> None:
    TOLD.clear()
    assert get(host, "/film") == hosts.FILM
    assert TOLD[-1] == {"stage": "fetch", "fraction": 1.0}
    assert len(TOLD) > 2


def test_three_redirects_are_followed(host: tuple[str, Path]) -> None:
    assert get(host, "/hops/3") == hosts.FILM
    error = failure(host, "/hops/4")
    assert (error.kind, "more than 3 redirects" in error.message) == ("input", True)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("http://films.test/film", "only https"),
        ("file:///etc/passwd", "not a complete address"),
        ("https://10.0.0.1/x", "10.0.0.1, which is no public address"),
        ("https://[::1]/x", "::1, which is no public address"),
        ("https://inside.test/x", "169.254.169.254, which is no public address"),
        ("https://mixed.test/x", "192.168.1.1, which is no public address"),
        ("https://user:word@films.test/x", "holds a user name"),
        ("//:0", "not a complete address"),
        ("", "redirects"),
    ],
)
def test_redirects_are_checked_like_the_first_address(
    host: tuple[str, Path], target: str, says: str
) -> None:
    answers = {"inside.test": ["169.254.169.254"], "mixed.test": ["127.0.0.1", "192.168.1.1"]}
    error = failure(host, f"/to/{target}", answers=answers)
    assert error.kind == "input"
    assert says in error.message


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1",
     "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "::1",
     "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1",
     "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "fec0::1"],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not public.is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "193.0.14.129", "2606:4700::1111"])
def test_addresses_that_are_public(address: str) -> None:
    assert public.is_public(address)


@pytest.mark.parametrize("name", ["localhost", "127.1", "2130706433", "0x7f.1", "0"])
def test_other_names_of_this_machine(host: tuple[str, Path], name: str) -> None:
    """Through the system's own resolver and the default rule."""
    port = host[0].rpartition(":")[2]
    with pytest.raises(FetchFailed, match="no public address"):
        fetch.Fetcher(max_bytes=1).fetch(f"https://{name}:{port}/film", io.BytesIO(), TOLD.append)


@pytest.mark.parametrize(
    ("path", "kind", "says"),
    [
        ("/404", "input", "answers 404"),
        ("/403", "input", "answers 403"),
        ("/206", "input", "answers 206"),
        ("/429", "transient", "answers 429"),
        ("/500", "transient", "answers 500"),
        ("/503", "transient", "answers 503"),
        ("/large", "input", "larger than 10000000 bytes"),
        ("/endless", "input", "larger than 10000000 bytes"),
        ("/packed", "input", "comes packed (gzip)"),
        ("/short", "transient", "the connection broke off after 1024000 bytes"),
    ],
)
def test_answers_that_are_no_medium(
    host: tuple[str, Path], path: str, kind: str, says: str
) -> None:
    error = failure(host, path)
    assert (error.kind, says in error.message) == (kind, True), error.message
    assert host[0] + path in error.message


@pytest.mark.parametrize("path", ["/drops", "/slowhead", "/endless"])
def test_a_medium_that_takes_too_long_is_given_up(host: tuple[str, Path], path: str) -> None:
    started = time.monotonic()
    error = failure(host, path, limit_s=0.5, max_bytes=10**15)
    assert (error.kind, "took too long" in error.message) == ("transient", True), error.message
    assert time.monotonic() - started < 5


def test_a_silent_host_is_given_up(host: tuple[str, Path]) -> None:
    error = failure(host, "/silence", timeout_s=0.3)
    assert (error.kind, "timed out" in error.message) == ("silent_host", True)


def test_a_handshake_that_never_ends(host: tuple[str, Path]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://{hosts.HOST}:{silent.getsockname()[1]}"
        started = time.monotonic()
        assert failure((url, host[1]), "/film", limit_s=0.3).kind == "transient"
        assert time.monotonic() - started < 5


def test_nobody_there(host: tuple[str, Path]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    error = failure((f"https://{hosts.HOST}:{port}", host[1]), "/film")
    assert (error.kind, "refused" in error.message) == ("silent_host", True)


def test_certificates_are_checked(host: tuple[str, Path], tmp_path: Path) -> None:
    for settings in ({"context": None}, {}):
        with hosts.hosting(tmp_path / str(len(settings)), name="other.test") as other:
            error = failure(other, "/film", **settings)
        assert (error.kind, "certificate is not trusted" in error.message) == (
            "unknown_host",
            True,
        )


def test_a_host_that_is_not_known(host: tuple[str, Path]) -> None:
    for code, kind in (
        (socket.EAI_NONAME, "unknown_host"),
        (socket.EAI_AGAIN, "silent_host"),
    ):

        def unknown(name: str, port: int, code: int = code) -> list[str]:
            raise socket.gaierror(code, "no answer")

        error = failure(host, "/film", resolve=unknown)
        assert (error.kind, "is not found" in error.message) == (kind, True)


def lease(folder: Path, source: str, **bounds: Any) -> Lease:
    dests = {"csv": str(folder / "out" / "a.csv")}
    spec = JobSpec(source_path=source, dests=dests)
    return Lease(job=1, token=1, spec=spec, options={}, bounds=Bounds(**bounds))


def test_a_job_finds_its_medium_in_a_file_that_goes_with_it(
    host: tuple[str, Path], tmp_path: Path
) -> None:
    url = f"{host[0]}/film"
    job = lease(tmp_path, url, allow_urls=True)
    with intake.admitted(job, TOLD.append, fetcher=hosts.fetcher(host[1])) as given:
        path = given.source_path
        assert given == replace(job, spec=replace(job.spec, source_path=path))
        assert Path(path).read_bytes() == hosts.FILM
        assert not os.path.exists(os.path.realpath(path)), "it has no name that could be left"
    assert not os.path.exists(path)


def test_what_goes_wrong_with_it_is_told_of_the_address(
    host: tuple[str, Path], tmp_path: Path
) -> None:
    url = f"{host[0]}/film"
    job = lease(tmp_path, url, allow_urls=True)
    with (
        pytest.raises(JobFailed) as caught,
        intake.admitted(job, TOLD.append, fetcher=hosts.fetcher(host[1])) as given,
    ):
        raise JobFailed("input", f"{given.source_path}: not a video")
    assert caught.value.message == f"{url}: not a video"


def test_addresses_are_refused_unless_they_are_allowed(tmp_path: Path) -> None:
    with (
        pytest.raises(JobFailed, match="--allow_urls"),
        intake.admitted(lease(tmp_path, "https://films.test/a.mp4"), TOLD.append),
    ):
        pass
