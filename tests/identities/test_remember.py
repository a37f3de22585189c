"""Persons of media in an identity store: who they are, what counts once, which store is meant."""

import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from analyzer import registry
from analyzer.errors import ResourceError, UsageError
from analyzer.identities.address import address, file_of, open_store, settings_for
from analyzer.identities.archive import PeopleOfArchive
from analyzer.identities.records import Counters, Settings
from analyzer.identities.remember import remember
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import load_decoder
from analyzer.reports import serialize
from tests.support.media import ffmpeg
from tests.support.reports import report_of_people

SETTINGS = Settings(model="test", threshold=0.36)
BOX = (0, 0, 10, 10)


@pytest.fixture
def store(tmp_path):
    opened = open_store(str(tmp_path / "people.identities"), settings=SETTINGS)
    yield opened
    opened.close()


def known(report) -> dict[int, int | None]:
    return {person.person_id: person.identity_id for person in report.persons}


def test_persons_are_known_again_in_another_medium(store, tmp_path):
    first = remember(report_of_people(tmp_path / "a", 3, 5, 1), store, key="a")
    assert known(first) == {0: 0, 1: 1, 2: 2}
    assert first.is_remembered
    second = remember(report_of_people(tmp_path / "b", 1, 7, 3), store, key="b")
    assert known(second) == {0: 2, 1: 3, 2: 0}
    assert {person.id: person.faces for person in store.all()} == {0: 4, 1: 2, 2: 4, 3: 2}
    assert store.counters() == Counters(detected=16, embedded=12, saved=12, identities=4)


def test_people_of_one_medium_never_share_an_identity(store, tmp_path):
    assert known(remember(report_of_people(tmp_path / "a", 3, 3), store, key="a")) == {0: 0, 1: 1}


def test_a_path_that_is_no_text_is_kept(store):
    path = os.fsdecode(b"film \xff.mp4")
    assert known(remember(report_of_people(Path(path), 3), store, key="a")) == {0: 0}
    assert [one.medium for one in PeopleOfArchive(store).seen_in(0)] == [path]


def test_a_medium_without_persons_is_counted(store, tmp_path):
    assert remember(report_of_people(tmp_path / "a"), store, key="a").is_remembered
    assert store.counters() == Counters(detected=2)


def test_the_same_work_counts_once_and_a_medium_in_its_place_anew(store, tmp_path):
    medium = tmp_path / "a.mp4"
    medium.write_bytes(b"x" * 10)
    for _ in range(2):
        assert known(remember(report_of_people(medium, 3, 5), store, key="a")) == {0: 0, 1: 1}
    assert store.counters().saved == 3
    medium.write_bytes(b"x" * 11)
    assert known(remember(report_of_people(medium, 5, 3), store, key="a")) == {0: 1, 1: 0}
    assert store.counters().saved == 6


def test_another_number_of_persons_in_the_same_work_is_looked_up(store, tmp_path):
    remember(report_of_people(tmp_path / "a", 3, 5), store, key="a")
    again = remember(report_of_people(tmp_path / "a", 5, 6, 3), store, key="a")
    assert known(again) == {0: 1, 1: None, 2: 0}
    assert store.counters().saved == 3


def test_addresses_name_files_or_servers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("redis://:pass@host?prefix=x\n")
    default = Path("jobs.identities")
    assert address("", default=default) == str(tmp_path / "jobs.identities")
    assert address("sqlite:///a b", default=default) == str(tmp_path / "a b")
    assert address("sqlite:////a/b", default=default) == "/a/b"
    for url in ("redis://h", "rediss://h", "unix:///s"):
        assert address(url, default=default) == url
        assert file_of(url) is None
    assert address(f"@{secret}", default=default) == "redis://:pass@host?prefix=x"
    with pytest.raises(UsageError, match="No such file"):
        address("@none", default=default)
    with pytest.raises(UsageError, match="write redis://") as refused:
        address("redis:/:pass@host", default=default)
    assert "pass" not in str(refused.value)


def test_the_threshold_is_the_describers_or_given(monkeypatch):
    assert settings_for("dlib_resnet:mirror=true", None).threshold == 0.36
    assert settings_for("dlib_resnet", 0.3) == Settings(model="dlib_resnet", threshold=0.3)
    assert settings_for("dlib_resnet", None, 7).refine == 7
    monkeypatch.setattr(registry, "constant", lambda *_: None)
    with pytest.raises(UsageError, match="with --identity_threshold"):
        settings_for("dlib_resnet", None)


def test_a_call_that_tries_again_says_that_it_lives(tmp_path):
    waits = []
    path = str(tmp_path / "people")
    opened = open_store(path, settings=SETTINGS, on_wait=lambda: waits.append(1))
    other = open_store(path, settings=None)
    commit = opened.records.write

    def late(planned):
        opened.records.write = commit
        other.match_or_add(np.eye(4, dtype=np.float32), np.ones(4, np.int64), key="other")
        return commit(planned)

    opened.records.write = late
    opened.match_or_add(np.eye(4, dtype=np.float32), np.ones(4, np.int64), key="one")
    assert waits == [1]
    for store in (opened, other):
        store.close()


def test_a_server_that_is_away_is_asked_again_and_told_of():
    pytest.importorskip("redis")
    waits = []
    with pytest.raises(Exception, match="was away"):
        open_store(
            "redis://127.0.0.1:1", settings=None, wait_s=0.5, on_wait=lambda: waits.append(1)
        )
    assert len(waits) > 2


def test_a_socket_is_an_address_without_a_password_too(tmp_path):
    pytest.importorskip("redis")
    for address_of_socket in (f"unix://{tmp_path}/socket?prefix=x", f"unix://:p@{tmp_path}/socket"):
        with pytest.raises(ResourceError, match=f"Redis {tmp_path}/socket, .* was away"):
            open_store(address_of_socket, settings=None, wait_s=0.1)


def test_the_date_is_the_containers_or_that_of_the_file(store, tmp_path):
    medium = tmp_path / "a.mp4"
    medium.write_bytes(b"x")
    written = datetime(2019, 2, 3, 12).timestamp()
    os.utime(medium, (written, written))
    remember(report_of_people(medium, 3), store, key="a")
    report = report_of_people(tmp_path / "b.mp4", 3)
    stated = replace(report, info=replace(report.info, created="1999-12-31"))
    remember(stated, store, key="b")
    person = PeopleOfArchive(store).person(0)
    assert (person.first_date, person.last_date) == ("1999-12-31", "2019-02-03")
    assert [seen.date for seen in PeopleOfArchive(store).seen_in(0)] == ["2019-02-03", "1999-12-31"]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize(
    ("stated", "date"),
    [
        ("2011-05-03T23:30:00Z", "2011-05-03"),
        ("1970-01-01T00:00:00Z", None),
        ("", None),
    ],
)
def test_the_container_states_its_date(tmp_path, suffix, stated, date):
    path = tmp_path / f"film.{suffix}"
    metadata = ("-metadata", f"creation_time={stated}") if stated else ()
    source = "testsrc=size=64x48:rate=25:duration=0.4"
    ffmpeg("-f", "lavfi", "-i", source, "-c:v", "mpeg4", *metadata, path)
    with load_decoder(AnalysisOptions()).open(str(path)) as medium:
        info = medium.info
    assert info.created == date
    assert serialize.media_info_from_json(serialize.media_info_to_json(info)) == info
    with pytest.raises(ValueError, match="isoformat"):
        serialize.media_info_from_json(
            {**serialize.media_info_to_json(info), "created": "last year"}
        )
