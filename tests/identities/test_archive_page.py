"""The page over an archive: what its server tells and says, and the file."""

import base64
import http.client
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from analyzer.commands._program import main
from analyzer.errors import UsageError
from analyzer.files.hashing import policy_hash
from analyzer.identities.address import open_store
from analyzer.identities.corrections import Corrections
from analyzer.identities.records import MediumRecord
from analyzer.workflows.archive import page, site
from analyzer.workflows.archive.session import ArchiveSession
from analyzer.workflows.archive.shown import ShownArchive
from ina_web.server import RequestRefused
from tests.support.archives import FIRST_DAY, SETTINGS, TOKEN, cast, drawn_face, served

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)> \"'&"


class Asker:
    """Asks the server of a page as anybody may."""

    def __init__(self, url: str) -> None:
        self.port = urlsplit(url).port

    def ask(
        self, path: str, body: object = None, *, token: str | None = TOKEN, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        peer = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        fields = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            fields["Content-Type"] = "application/json"
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            method = "GET" if body is None else "POST"
            peer.request(method, path, None if body is None else json.dumps(body), fields)
            answer = peer.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            peer.close()

    def get(self, path: str) -> Any:
        status, _, body = self.ask(f"/people/{path}")
        assert status == 200, body
        return json.loads(body)

    def say(self, what: str, **values: Any) -> tuple[int, Any]:
        status, _, body = self.ask(f"/people/{what}", values)
        return status, json.loads(body)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return cast(tmp_path)


@pytest.fixture
def asker(store: Path) -> Iterator[Asker]:
    with served(store) as url:
        yield Asker(url)


def column(everybody: dict[str, Any], name: str) -> list[float]:
    kind = "<f4" if name == "screen_time_s" else "<i4"
    return np.frombuffer(base64.b64decode(everybody["columns"][name]), kind).tolist()


def test_nothing_is_told_or_said_without_the_token(asker: Asker) -> None:
    status, headers, body = asker.ask("/people", token=None)
    assert status == 200
    assert headers["X-Frame-Options"] == "DENY"
    scripts = re.findall(r"<script>(.*?)</script>", body.decode(), re.DOTALL)
    (script,) = scripts
    assert f"script-src '{policy_hash(script)}'" in headers["Content-Security-Policy"]
    assert "connect-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert TOKEN.encode() not in body
    for token in (None, "wrong", TOKEN[:-1]):
        for path in ("everybody", "at", "person?id=0", "portraits?of=0", "pictures?of=1:0"):
            assert asker.ask(f"/people/{path}", token=token)[0] == 401
        for what in ("name", "merge", "different", "split", "undo"):
            assert asker.ask(f"/people/{what}", {"id": 0}, token=token)[0] == 401
    assert asker.ask("/people/everybody", Host="evil.example")[0] == 421
    assert asker.ask("/", token=None)[0] == 404
    assert asker.ask("/peoples", token=None)[0] == 404
    assert asker.get("history") == []


def test_it_tells_who_is_there_and_who_is_alike(asker: Asker) -> None:
    everybody = asker.get("everybody")
    assert column(everybody, "identity") == list(range(10))
    assert column(everybody, "media")[:4] == [3, 3, 1, 2]
    assert column(everybody, "first_day")[0] == FIRST_DAY
    assert column(everybody, "screen_time_s")[0] == 27.0
    assert (everybody["names"], everybody["last"], everybody["threshold"]) == ({}, None, 0.6)
    person = asker.get("person?id=0")
    assert [one["appearance"] for one in person["seen_in"]] == ["1:0", "3:0", "5:0"]
    assert person["appearances"] == 3
    assert len(asker.get("person?id=0&limit=2")["seen_in"]) == 2
    distances = [one["distance"] for one in person["alike"]]
    assert distances == sorted(distances)
    assert distances[-1] <= 0.9
    first, second = person["alike"][:2]
    assert first["margin"] == pytest.approx(second["distance"] - first["distance"], abs=1e-3)
    assert second["margin"] < 0
    assert base64.b64decode(asker.get("portraits?of=0,4")["0"]) == drawn_face(0)
    assert base64.b64decode(asker.get("pictures?of=3:1")["3:1"]) == drawn_face(6)
    assert asker.get("pictures?of=99:0") == {"99:0": ""}


def test_margins_are_those_of_suggestions_seen_from_either_side(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "people"), settings=replace(SETTINGS, threshold=0.3))
    angles = np.array([0.0, 0.35, -0.4], np.float32)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    # The second one is nearer to the first than the third, and beside the first in a film.
    for film, who in enumerate(([0, 1], [2])):
        medium = MediumRecord(
            path=f"{film}.mp4", person_ids=tuple(who), milliseconds=(1,) * len(who)
        )
        store.match_or_add(
            vectors[who], np.ones(len(who), np.int64), key=str(film), distinct=True, medium=medium
        )
    session = ArchiveSession(store, "ada")
    (pair,) = session.learning.suggest(limit=5)
    assert pair.margin == pytest.approx(-0.049, abs=1e-3)
    for person in (0, 2):
        (one,) = ShownArchive(store, session).person(person)["alike"]
        assert one["margin"] == pair.margin
    store.close()


def test_pairs_of_one_medium_or_said_to_be_different_are_never_offered(
    asker: Asker, store: Path
) -> None:
    opened = open_store(str(store), settings=None)
    opened.people()
    assert opened.cosines(1)[2] > 0.7, "they are alike, and in one film"
    opened.close()
    for one, other in ((1, 2), (2, 1)):
        assert other not in [a["identity"] for a in asker.get(f"person?id={one}")["alike"]]
    (nearest, *_) = asker.get("person?id=0")["alike"]
    status, said = asker.say("different", id=0, other=nearest["identity"])
    assert (status, said["event"]) == (200, 1)
    offered = [a["identity"] for a in asker.get("person?id=0")["alike"]]
    assert nearest["identity"] not in offered
    assert 0 not in [a["identity"] for a in asker.get(f"person?id={nearest['identity']}")["alike"]]


def test_what_is_said_stands_in_the_log_and_doubts_are_asked(asker: Asker) -> None:
    before = asker.get("everybody")
    assert asker.say("name", id=0, name=f" {EVIL} ")[0] == 200
    assert asker.get("everybody")["names"] == {"0": EVIL}
    status, said = asker.say("merge", id=1, other=2)
    assert status == 200
    assert said["doubts"] == ["Both are in film 0.mp4, where they were told apart."]
    assert asker.say("merge", id=1, other=2, sure=True) == (
        200,
        {"event": 2, "what": "2 is the same person as 1"},
    )
    assert asker.say("name", id=3, name="Charles")[0] == 200
    assert asker.say("merge", id=0, other=3)[1]["doubts"] == [f"0 is {EVIL}, and 3 Charles."]
    assert asker.say("split", id=0, appearances=["1:0"])[0] == 200
    lines = asker.get("history?limit=2")
    assert [(line["event"], line["by"], line["holds"]) for line in lines] == [
        (4, "grace", True),
        (3, "grace", True),
    ]
    for event in (4, 3, 2, 1):
        assert asker.say("undo", event=event)[0] == 200
    after = asker.get("everybody")
    assert {**after, "at": 0} == {**before, "at": 0}
    assert after["at"] != before["at"]
    assert asker.say("undo", event=5)[0] == 200
    assert asker.get("everybody")["last"]["event"] == 4


@pytest.mark.parametrize(
    ("what", "values", "reason"),
    [
        ("merge", {"id": 0, "other": 0, "sure": True}, "0 and 0 are one person: name two"),
        ("merge", {"id": 0, "other": 0}, "0 and 0 are one person: name two"),
        ("merge", {"id": 0, "other": 99}, "no identity 99"),
        ("undo", {"event": 7}, "there is no event 7"),
        ("undo", {"event": None}, "nothing was said yet: there is nothing to undo"),
        ("split", {"id": 0, "appearances": ["1:1"]}, "appearance 1:1 is not of 0"),
        ("split", {"id": 0, "appearances": []}, "nothing to split off"),
        ("name", {"id": 0, "name": "a\nb"}, "a name has one line of text"),
    ],
)
def test_a_refusal_says_why(asker: Asker, what: str, values: dict[str, Any], reason: str) -> None:
    status, said = asker.say(what, **values)
    assert status == 409
    assert said["error"].startswith(reason)
    assert asker.get("history") == []


@pytest.mark.parametrize(
    ("what", "values"),
    [
        ("name", {"id": "0", "name": "Ada"}),
        ("name", {"id": True, "name": "Ada"}),
        ("name", {"id": 0, "name": None}),
        ("merge", {"id": 0}),
        ("merge", {"id": 0, "other": -1}),
        ("merge", {"id": 0, "other": 1 << 40}),
        ("split", {"id": 0, "appearances": "1:0"}),
        ("split", {"id": 0, "appearances": [1]}),
        ("undo", {"event": "1"}),
    ],
)
def test_what_is_no_request_of_the_page_is_refused(
    asker: Asker, what: str, values: dict[str, Any]
) -> None:
    assert asker.say(what, **values) == (400, {"error": "not a request of this page"})


def test_requests_are_bounded(asker: Asker) -> None:
    numbers = ",".join(map(str, range(201)))
    assert asker.ask(f"/people/portraits?of={numbers}")[0] == 400
    assert asker.ask("/people/portraits?of=x")[0] == 400
    assert asker.ask("/people/pictures?of=1")[0] == 400
    assert asker.ask("/people/person")[0] == 400
    assert asker.ask("/people/person?id=99")[0] == 409
    assert asker.ask("/people/nothing")[0] == 404
    assert asker.ask("/people/nothing", {})[0] == 404
    assert asker.ask("/people/name", [1])[0] == 400
    assert asker.ask("/people/name", {}, Content_Type="text/plain")[0] == 415
    assert asker.ask("/people/name", {"name": "x" * (1 << 17)})[0] == 413


def test_what_others_say_meanwhile_is_seen(asker: Asker, store: Path) -> None:
    at = asker.get("at")
    assert asker.get("at") == at
    opened = open_store(str(store), settings=None)
    Corrections(opened, "ada").name(0, "Ada")
    opened.close()
    assert asker.get("at") != at
    assert asker.get("person?id=0")["name"] == "Ada"


def test_a_store_that_is_away_is_told(store: Path) -> None:
    shown = site.PeopleSite(partial(open_store, str(store), settings=None), "ada")
    store.write_bytes(b"x" * 100_000)
    with pytest.raises(RequestRefused, match="identity store"):
        shown.read("everybody", {})
    shown.close()
    with pytest.raises(UsageError, match="no such identity store"):
        site.PeopleSite(lambda: open_store("none", settings=None), "ada")


def test_the_file_is_for_reading_and_nothing_leads_out_of_it(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["identities", "name", str(store), "0", EVIL]) == 0
    capsys.readouterr()
    monkeypatch.setattr(page, "MOST_PORTRAITS", 3)
    monkeypatch.setattr(page, "MOST_IN_FULL", 2)
    path = tmp_path / "people.html"
    assert main(["identities", "page", str(store), "-o", str(path)]) == 0
    said = capsys.readouterr().out
    assert said == f"{path}: 10 people, 3 with a portrait, 2 with appearances and who is alike\n"
    text = path.read_text(encoding="utf-8")
    assert text.count("<script") == 2
    assert "alert(1)</script>" not in text
    assert str(tmp_path) not in text
    assert "connect-src" not in text.partition("<title>")[0]
    facts = json.loads(re.search(r'<script id="facts"[^>]*>(.*?)</script>', text).group(1))
    assert facts["limits"] == {"people": 10, "portraits": 3, "in_full": 2}
    assert facts["everybody"]["names"] == {"0": EVIL}
    assert len(facts["persons"]) == 2
    offered = {one["identity"] for person in facts["persons"].values() for one in person["alike"]}
    assert set(map(int, facts["portraits"])) >= offered
    assert facts["history"][0]["what"] == f"0 is {EVIL}"


def test_the_file_takes_no_place_of_store_or_key(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, address = tmp_path / "people.key", tmp_path / "address"
    address.write_text(str(store))
    for own in (store, address):
        held = own.read_bytes()
        assert main(["identities", "page", f"@{address}", "-o", str(own)]) == 2
        assert own.read_bytes() == held
    assert main(["identities", "key", str(key)]) == 0
    assert main(["identities", "rekey", str(store), "--new_key", str(key)]) == 0
    own_key = ["--identity_key", str(key)]
    assert main(["identities", "page", str(store), *own_key, "-o", str(key)]) == 2
    assert "name another file" in capsys.readouterr().err
    made = tmp_path / "people.html"
    assert main(["identities", "page", str(store), *own_key, "-o", str(made)]) == 0
    assert "identities {} --identity_key KEY.key people.identities" in made.read_text("utf-8")


def test_the_file_counts_the_portraits_that_it_has(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "people"), settings=SETTINGS)
    store.match_or_add(np.eye(2, 128, dtype=np.float32), np.array([1, 1]), key="a", detected=2)
    assert page.content(store)["limits"] == {"people": 2, "portraits": 0, "in_full": 2}
    store.close()


def test_serving_prints_an_address_with_a_new_token_and_ends_in_order(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    addresses: list[str] = []
    monkeypatch.setattr(site.WebServer, "serve_forever", lambda _: addresses.append(told[-1]))
    site.serve(str(store), port=0, by=None, told=told.append)
    site.serve(str(store), port=0, by=None, told=told.append)
    form = r"http://localhost:\d+/people#token=([\w-]{40,})"
    tokens = [re.fullmatch(form, address).group(1) for address in addresses]
    assert len(set(tokens)) == 2
