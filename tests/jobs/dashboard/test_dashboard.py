"""The dashboard over real HTTP: what it shows, what it does, and which clients it serves."""

import json
import os
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ina_web.answer import SiteAnswer
from joblist.errors import UsageError
from jobs.wire.tokens import own_token
from jobs.wire.transport import Access
from tests.support.processes import until
from tests.support.servers import Peer, Server, opened, published, serving, working

EVIL = "<script>alert(1)<!--"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    media = {"good": "", "broken": "input cannot be opened", EVIL: "", "wait": "", "Été": ""}
    with serving(tmp_path, media) as running:
        yield running


@pytest.fixture
def peer(server: Server) -> Iterator[Peer]:
    page = opened(server)
    yield Peer(page)
    page.close()


def test_it_tells_what_the_terminal_tells(server, peer):
    with working(server.uri, device="cuda:0"):
        until(lambda: server.counts() == {"done": 4, "failed": 1})
        status = peer.get("/api/status")
    assert (status["total"], status["ended"], status["title"]) == (5, 5.0, "t")
    assert status["groups"] == {"done": 4, "running": 0, "failed": 1, "to do": 0, "cancelled": 0}
    until(lambda: sum(peer.get("/api/status")["throughput"]["jobs_per_min"]) > 0, within_s=25)
    (worker,) = status["workers"] or [{"device": "cuda:0", "silent_s": 0}]
    assert worker["device"] == "cuda:0"
    assert worker["silent_s"] < 60


def test_a_worker_at_work_is_told_with_its_medium_speed_and_device(tmp_path):
    with serving(tmp_path, {"long": "observe 60"}) as server:
        page = opened(server)
        with working(server.uri):
            peer = Peer(page)

            def at_work() -> Any:
                return [j for w in peer.get("/api/status")["workers"] for j in w["jobs"]]

            until(lambda: at_work() and at_work()[0]["speed"])
            status = peer.get("/api/status")
        page.close()
    (worker,) = status["workers"]
    (job,) = worker["jobs"]
    assert (job["source"], job["speed"]) == (str(tmp_path / "long.mp4"), 12.5)
    assert worker["device"] == "cuda:0 NVIDIA L4"
    assert 0 < status["ended"] < 1
    assert 0 < status["left_s"] < 600


def test_jobs_are_found_by_group_name_and_reason(server, peer):
    for number, reason in ((2, "The Header is broken"), (4, "no such file")):
        (job,) = claimed(server, number)
        server.ledger.fail(job.id, job.token, "w", kind="input", text=reason)
    by = {
        "q=GOOD": [1],
        "q=good+mp4": [1],
        "q=good+broken": [],
        "q=%C3%89T%C3%89": [5],
        "q=script%3E": [3],
        "q=header+IS": [2],
        "q=header&group=done": [],
        "group=failed": [2, 4],
        "group=failed&after=2": [4],
        "limit=2": [1, 2],
        "limit=99999": [1, 2, 3, 4, 5],
        "q=100%25": [],
        "group=nonsense": [1, 2, 3, 4, 5],
    }
    ids = {query: [j["id"] for j in peer.get(f"/api/jobs?{query}")["jobs"]] for query in by}
    assert ids == by
    (job,) = peer.get("/api/jobs?q=header")["jobs"]
    assert (job["state"], job["reason"]) == ("failed", "input: The Header is broken")
    assert peer.ask("GET", "/api/jobs?after=x")[0] == 400


def claimed(server: Server, number: int) -> Any:
    """Lease one certain job."""
    with server.store.transaction() as db:
        db.execute("UPDATE job SET length = 100 + id WHERE id = ?", (number,))
    return server.ledger.claim("w", f"r{number}", 1)


def test_retry_and_cancel_need_the_token(server, peer):
    (job,) = claimed(server, 2)
    server.ledger.fail(job.id, job.token, "w", kind="input", text="broken")
    for header in ("", "Bearer ", "Bearer wrong", f"Bearer {peer.token}x", peer.token[:-1]):
        fields = {"Authorization": header} if header else {}
        for verb in ("retry", "cancel"):
            status, _, body = peer.ask("POST", f"/api/{verb}", {"jobs": [2]}, **fields)
            assert status == 401
            assert b"the operator's token" in body
            assert peer.token.encode() not in body
    assert server.job(2).state == "failed"
    assert peer.do("retry", [2]) == (200, {"changed": [2], "asked": 1})
    assert server.job(2).state == "ready"
    assert peer.do("retry", [2]) == (200, {"changed": [], "asked": 1})
    assert peer.do("cancel", [2, 1]) == (200, {"changed": [2, 1], "asked": 2})
    assert peer.do("retry", "failed") == (200, {"changed": [], "asked": 0})


@pytest.mark.parametrize("jobs", [None, "all", [], ["1"], [True], [-1], [1.5], [10**30], {}, [[1]]])
def test_what_names_no_jobs_is_refused(server, peer, jobs):
    assert peer.do("cancel", jobs)[0] == 400
    assert server.counts() == {"ready": 5}


def test_a_page_of_another_site_gets_nothing(server, peer):
    for host in ("evil.example", "localhost.evil.example", "192.168.0.1", "", "a:b:c", "[::1"):
        assert peer.ask("GET", "/api/status", Host=host)[0] in (400, 421)
        assert peer.ask("GET", "/", Host=host)[0] in (400, 421)
    for host in ("localhost", "127.0.0.1:81", "[::1]:9000", "LOCALHOST:7"):
        assert peer.ask("GET", "/api/status", Host=host)[0] == 200
    # What a form of another site can send has neither the token nor this type.
    form = {"Content_Type": "text/plain", "Authorization": f"Bearer {peer.token}"}
    assert peer.ask("POST", "/api/cancel", {"jobs": [1]}, **form)[0] == 415
    answer = peer.ask("OPTIONS", "/api/cancel", Origin="https://evil.example")
    assert answer[0] == 501
    assert not any(name.lower().startswith("access-control") for name in answer[1])


def test_every_answer_is_bound_by_a_strict_policy(peer):
    for path in ("/", "/page.js", "/page.css", "/api/status", "/nowhere", "/api/jobs?after=x"):
        _, headers, _ = peer.ask("GET", path)
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Python" not in headers["Server"]
    text = b"".join(peer.ask("GET", path)[2] for path in ("/", "/page.js", "/page.css"))
    outside = text.replace(b"http://www.w3.org/2000/svg", b"")
    for word in (b"//cdn", b"http://", b"https://", b"innerHTML", b"onclick=", b"style="):
        assert word not in outside


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\r\n" + b"a: b\r\n" * 200 + b"\r\n",
    ],
)
def test_what_is_no_http_is_no_trouble(peer, data):
    with socket.create_connection(("127.0.0.1", peer.port), timeout=5) as stranger:
        stranger.sendall(data)
        stranger.shutdown(socket.SHUT_WR)
        while stranger.recv(4096):
            pass
    assert peer.get("/api/status")["total"] == 5


def test_silent_peers_and_large_bodies_keep_nobody_waiting(peer):
    strangers = [socket.create_connection(("127.0.0.1", peer.port)) for _ in range(40)]
    assert peer.get("/api/status")["total"] == 5
    for stranger in strangers:
        stranger.close()
    bearer = {"Authorization": f"Bearer {peer.token}"}
    for size in ("99999999", "-5", "x"):
        assert peer.ask("POST", "/api/retry", None, Content_Length=size, **bearer)[0] in (400, 413)


def test_reviews_are_shown_with_their_medium_and_nothing_else(server, peer, tmp_path):
    folder = tmp_path / 'it\'s "100%" ü?#'
    folder.mkdir()
    page, source = folder / "film.html", folder / "film.mp4"
    page.write_bytes(b"<!doctype html><video src=film.mp4>")
    source.write_bytes(bytes(range(256)))
    (folder / "secret.mp4").write_text("x")
    published(server, 1, page=page, source=source)
    (job, *others) = peer.get("/api/jobs")["jobs"]
    assert [other["review"] for other in others] == [None] * 4
    address = job["review"]
    status, headers, body = peer.ask("GET", address)
    assert (status, body) == (200, page.read_bytes())
    assert headers["Content-Security-Policy"].startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in headers["Content-Security-Policy"]
    film = address.replace("film.html", "film.mp4")
    for span, want in {
        "bytes=0-": bytes(range(256)),
        "bytes=10-19": bytes(range(10, 20)),
        "bytes=-6": bytes(range(250, 256)),
        "bytes=250-999": bytes(range(250, 256)),
    }.items():
        status, headers, body = peer.ask("GET", film, Range=span)
        assert body == want
        assert status == (206 if len(want) < 256 else 200)
    assert headers["Content-Range"] == "bytes 250-255/256"
    assert headers["Content-Type"] == "video/mp4"
    assert peer.ask("HEAD", film)[2] == b""
    assert peer.ask("GET", film, Range="bytes=256-")[0] == 416
    for wrong in (
        address.replace("film.html", "secret.mp4"),
        address.replace("/review/1/", "/review/2/"),
        address.replace(address.split("/")[3], "0" * 32),
        f"/review/1/{address.split('/')[3]}/etc/passwd",
        f"/review/1/{address.split('/')[3]}/",
        "/review/1/",
        "/page.html/../../board.py",
        "/../board.py",
    ):
        assert peer.ask("GET", wrong)[0] == 404


def test_on_an_address_for_others_everything_needs_the_token_and_tls(server, tmp_path):
    certificates = pytest.importorskip("jobs.wire.certificates")
    with pytest.raises(UsageError, match="give --certs DIR"):
        opened(server, host="0.0.0.0")
    certificates.make(tmp_path / "certs", hosts=["127.0.0.1"])
    page = opened(server, host="0.0.0.0", access=Access(certs=tmp_path / "certs"))
    try:
        context = ssl.create_default_context(cafile=str(tmp_path / "certs" / "ca.pem"))
        peer = Peer(page, context)
        assert page.url.startswith("https://")
        assert peer.ask("GET", "/")[0] == 200
        for path in ("/api/status", "/api/jobs"):
            assert peer.ask("GET", path)[0] == 401
            assert peer.ask("GET", path, Authorization=f"Bearer {peer.token}")[0] == 200
            bearer = f"Bearer {peer.token}"
            assert peer.ask("GET", path, Authorization=bearer, Host="evil.example")[0] == 421
    finally:
        page.close()


def test_the_token_is_its_owners_alone(tmp_path):
    path = tmp_path / "x.token"
    token = own_token(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert own_token(path) == token
    assert len(token) > 40
    path.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        own_token(path)
    os.chmod(path, 0o600)
    path.write_text("short\n")
    with pytest.raises(UsageError, match="16 characters"):
        own_token(path)


def test_a_port_that_is_taken_is_told(server, peer):
    with pytest.raises(UsageError, match="give another port"):
        opened(server, port=peer.port)


def test_a_broken_disk_is_told(server, peer, monkeypatch):
    monkeypatch.setattr(server.service, "status", dict)
    status, _, body = peer.ask("GET", "/api/status")
    assert (status, json.loads(body)) == (503, {"error": "the ledger cannot be read just now"})


class Shelf:
    """Another site: it tells and changes what it was asked."""

    def page(self) -> SiteAnswer:
        return SiteAnswer(b"a page", "text/plain", "default-src 'none'")

    def read(self, what: str, query: Mapping[str, Sequence[str]]) -> SiteAnswer:
        return SiteAnswer(json.dumps([what, query]).encode())

    def change(self, what: str, values: Mapping[str, Any]) -> SiteAnswer:
        return SiteAnswer(json.dumps([what, values]).encode())


def test_further_sites_are_below_their_paths_and_need_the_token(server):
    page = opened(server, sites={"/shelf": Shelf()})
    peer, token = Peer(page), {"Authorization": f"Bearer {Peer(page).token}"}
    status, headers, body = peer.ask("GET", "/shelf")
    assert (status, body) == (200, b"a page")
    assert headers["Content-Security-Policy"] == "default-src 'none'"
    assert peer.ask("GET", "/shelf/rows")[0] == 401
    assert peer.ask("POST", "/shelf/rows", {})[0] == 401
    assert peer.get("/shelf/rows?a=b", **token) == ["rows", {"a": ["b"]}]
    assert json.loads(peer.ask("POST", "/shelf/rows", {"a": 1}, **token)[2]) == ["rows", {"a": 1}]
    assert peer.ask("POST", "/shelf", {}, **token)[0] == 404
    assert peer.ask("GET", "/shelves", **token)[0] == 404
    assert peer.get("/api/status")["pages"] == ["/shelf"]
    page.close()
