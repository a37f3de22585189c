"""Workers that differ from their server in what results depend on."""

from pathlib import Path

import pytest

from jobs.errors import ServerRefused
from jobs.server.roster import Demands
from jobs.wire.transport import Access
from jobs.worker.client import Client
from tests.support.servers import serving

OWN = {
    "host": "elsewhere",
    "pid": 1,
    "boot_id": "b",
    "device": "cpu",
    "program": "1",
    "code": {"analyzer": "a" * 64, "squares": "5" * 64, "another": "6" * 64},
    "models": {"centerface": "c" * 64, "mine": "d" * 64},
    "settings": {"backend": "torch"},
}
DEMANDS = {
    "program": "1",
    "code": {"analyzer": "a" * 64, "squares": "5" * 64},
    "models": {"centerface": "c" * 64},
    "settings": {"backend": "torch"},
}


def greet(folder: Path, info: dict[str, object], **demands: object) -> list[str]:
    """Say hello to a server that demands this; return the workers that it has then."""
    wanted = Demands(**{**DEMANDS, **demands})  # type: ignore[arg-type]
    with serving(folder, {"a": ""}, demands=wanted) as server:
        client = Client(server.uri, name="w", access=Access())
        try:
            client.hello(info)
            return [worker["name"] for worker in server.service.status()["workers"]]
        finally:
            client.close()


def test_one_that_is_equal_is_admitted(tmp_path: Path) -> None:
    assert greet(tmp_path, OWN) == ["w"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"program": "2"}, "program: '2' here, '1' on the server"),
        (
            {"code": {**OWN["code"], "analyzer": "b" * 64}},  # type: ignore[dict-item]
            "code of analyzer: 'bbbbbbbbbbbb' here, 'aaaaaaaaaaaa' on the server",
        ),
        ({"code": {"analyzer": "a" * 64}}, "code of squares: missing here, '555555555555' on"),
        ({"code": {}}, "code of analyzer: missing here"),
        ({"models": {"centerface": "e" * 64}}, "model centerface: 'eeeeeeeeeeee' here, 'cccc"),
        (
            {"settings": {"backend": "onnxruntime"}},
            "option backend: 'onnxruntime' here, 'torch' on the server",
        ),
    ],
)
def test_one_that_differs_is_told_both_sides(
    tmp_path: Path, change: dict[str, object], told: str
) -> None:
    with pytest.raises(ServerRefused) as refused:
        greet(tmp_path, {**OWN, **change})
    assert told in str(refused.value)
    assert "install the same version on both, or serve with --allow_mixed" in str(refused.value)


def test_who_knows_may_mix(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    greet(tmp_path, {**OWN, "code": {}, "program": "2"}, allow_mixed=True)
    assert "w differs: program: '2' here" in caplog.text


def test_what_a_worker_has_beyond_that_is_its_own(tmp_path: Path) -> None:
    assert greet(tmp_path, {**OWN, "settings": {}}) == ["w"]
    assert greet(tmp_path, OWN, settings={}) == ["w"]


def test_another_protocol_is_refused_whatever_is_allowed(tmp_path: Path) -> None:
    with (
        serving(tmp_path, {"a": ""}, demands=Demands(allow_mixed=True)) as server,
        pytest.raises(ServerRefused, match="protocol"),
    ):
        Client(server.uri, name="w").hello({**OWN, "protocol": 1})


@pytest.mark.parametrize("allow_mixed", [False, True])
def test_what_a_worker_cannot_do_is_told_whatever_is_allowed(
    tmp_path: Path, allow_mixed: bool
) -> None:
    unable = {"precision fast": "backend openvino needs 'openvino>=2026.0'"}
    wanted = {"settings": {"precision": "fast"}, "allow_mixed": allow_mixed}
    with pytest.raises(ServerRefused) as refused:
        greet(tmp_path, {**OWN, "unable": unable}, **wanted)
    assert str(refused.value).endswith(
        "this worker cannot do what the server asks for: precision fast: backend openvino needs "
        "'openvino>=2026.0'"
    )


def test_what_a_worker_cannot_do_is_no_matter_where_nobody_asks(tmp_path: Path) -> None:
    assert greet(tmp_path, {**OWN, "unable": {"precision fast": "no library"}}) == ["w"]
