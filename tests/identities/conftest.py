"""Stores of every kind, for tests of what holds for all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.redis_server import RedisServer


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server that runs, for the tests of one file."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(params=["sqlite", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a store that is not there yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/known.identities"
    server: RedisServer = request.getfixturevalue("redis_server")
    return server.url(tmp_path.name)
