"""What keeps an eye on a server: health, metrics with their board, a narrow page, retried jobs."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import ROOT, until
from tests.support.servers import Peer, opened, serving, working

MEDIA = {
    "a rather long name of a newsreel of 1929_part_1": "input the header is broken: "
    "is the copy complete, and does it play in VLC?",
    "good": "",
    "long": "observe 60",
}
BOARD = ROOT / "deploy" / "grafana.json"
SAMPLE = re.compile(r"(?P<name>\w+)(\{group=\"(?P<group>[\w ]+)\"\})? (?P<value>\S+)")


def metrics(peer: Peer) -> dict[str, float]:
    status, headers, body = peer.ask("GET", "/metrics")
    assert status == 200, body
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in body.decode().splitlines() if not line.startswith("#")]
    matches = [SAMPLE.fullmatch(line) for line in lines]
    return {m["group"] or m["name"]: float(m["value"]) for m in matches if m}


def test_health_says_whether_the_ledger_can_be_read(tmp_path, monkeypatch):
    with serving(tmp_path, {"a": ""}) as server:
        page = opened(server)
        peer = Peer(page)
        assert peer.get("/health") == {"status": "ok"}
        assert peer.ask("HEAD", "/health")[0] == 200
        monkeypatch.setattr(server.service, "status", dict)
        until(lambda: peer.ask("GET", "/health")[0] == 503)
        page.close()


def test_metrics_are_those_of_the_status(tmp_path):
    pytest.importorskip("prometheus_client")
    with serving(tmp_path, MEDIA) as server:
        page = opened(server)
        peer = Peer(page)
        before = metrics(peer)
        assert (before["to do"], before["ina_workers"], before["ina_withheld"]) == (3, 0, 0)
        assert "ina_time_left_seconds" not in before
        with working(server.uri):
            until(lambda: metrics(peer).get("ina_media_speed_ratio"))
            now = metrics(peer)
        assert (now["done"], now["failed"], now["running"], now["to do"]) == (1, 1, 1, 0)
        assert (now["ina_workers"], now["ina_workers_busy"]) == (1, 1)
        assert now["ina_media_speed_ratio"] == 12.5
        assert now["ina_time_left_seconds"] > 0
        page.close()


def test_metrics_without_their_library_name_the_cure(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with serving(tmp_path, {"a": ""}) as server:
        page = opened(server)
        status, _, body = Peer(page).ask("GET", "/metrics")
        page.close()
    assert status == 501
    assert "pip install 'prometheus-client>=" in json.loads(body)["error"]


def test_the_board_asks_for_metrics_that_there_are(tmp_path):
    pytest.importorskip("prometheus_client")
    with serving(tmp_path, {"a": ""}) as server:
        page = opened(server)
        text = Peer(page).ask("GET", "/metrics")[2].decode()
        page.close()
    there = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE)) | {"ina_time_left_seconds"}
    board = json.loads(BOARD.read_text())
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    asked = {name for text in expressions for name in re.findall(r"\bina_\w+", text)}
    assert asked == there
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    corners = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]}
    assert len(corners) == len(board["panels"])


def test_every_key_and_metric_is_described(tmp_path):
    with serving(tmp_path, {"a": ""}) as server:
        page = opened(server)
        status = Peer(page).get("/api/status")
        page.close()
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    described = set(re.findall(r"`(\w+)(?:\[\])?`", text))
    assert {*status, *status["throughput"]} <= described
    named = set(re.findall(r"ina_\w+", BOARD.read_text()))
    assert named <= set(re.findall(r"`(ina_\w+)", text))


def test_a_retried_job_is_announced_again(tmp_path):
    ends: list[Any] = []
    with serving(
        tmp_path, {"film": "input broken"}, on_final=ends.append, keep_alive=True
    ) as server:
        page = opened(server)
        with working(server.uri):
            until(lambda: [job.state for job in ends] == ["failed"])
            (tmp_path / "film.mp4").write_text("")
            assert Peer(page).do("retry", [1]) == (200, {"changed": [1], "asked": 1})
            until(lambda: [job.state for job in ends] == ["failed", "done"])
        page.close()


@pytest.mark.parametrize("width", [400, 700, 1400])
def test_the_page_has_its_reasons_and_buttons_on_screen(width, chromium, tmp_path: Path) -> None:
    with serving(tmp_path, MEDIA) as server:
        page = opened(server)
        with working(server.uri):
            until(lambda: server.counts().get("failed"))
        view = chromium.new_page(viewport={"width": width, "height": 800})
        view.goto(page.url)
        view.get_by_role("button", name="retry job 1").wait_for()
        sizes = "[document.documentElement.scrollWidth, innerWidth]"
        wide, shown = view.evaluate(sizes)
        assert wide <= shown
        for target in (
            view.get_by_role("button", name="retry job 1"),
            view.get_by_text("does it play in VLC?"),
            view.get_by_label("operator's token"),
        ):
            box = target.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        view.get_by_label("operator's token").fill(Peer(page).token)
        view.get_by_role("button", name="retry job 1").click()
        view.get_by_text("job 1 is to be tried again").wait_for()
        view.close()
        page.close()
