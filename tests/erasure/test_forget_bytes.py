"""Forgetting, byte by byte: no file and no open store holds anything of a person after it."""

import gc
import io
import json
import os
import types
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analyzer import registry
from analyzer.__main__ import main
from analyzer.identities import IdentityStore
from analyzer.identities.address import open_store
from analyzer.identities.corrections import Corrections
from analyzer.identities.encryption import key_file
from analyzer.identities.log.people import CorrectionRefused
from analyzer.identities.records import MediumRecord, Settings
from analyzer.inference.runtime import Runtime
from analyzer.reports import report_file
from tests.support.redis_server import RedisServer
from tests.support.reports import Face, make_report

SETTINGS = Settings(model="test", threshold=0.3)
NAMES = ("Ada Lövelace", "Countess of Lovelace", "A. A. Byron")
OTHER = "Grace Hopper"
MEDIA, PEOPLE, SEEN = 30, 50, 10
PIECE = 24
"""Bytes that are looked for: parts of a value may stand in pages that are far from each other."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    (tmp_path / "store").mkdir()
    started = RedisServer(tmp_path / "store")
    started.start()
    client = started.client()
    # What is compressed is not found, but is there all the same.
    client.config_set("rdbcompression", "no")
    client.close()
    yield started
    started.kill()


@pytest.fixture(params=["sqlite", "redis", "redis snapshots"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store/people.identities"
    running = request.getfixturevalue("server")
    if request.param == "redis snapshots":
        client = running.client()
        client.config_set("appendonly", "no")
        client.config_set("save", "3600 1")
        client.close()
    return str(running.url())


def fill(store: IdentityStore) -> None:
    """Media with people, and portraits of sizes that make rows move from page to page."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(PEOPLE, 128))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    for number in range(MEDIA):
        who = rng.choice(PEOPLE, SEEN, replace=False)
        embeddings = (1.37 * centres[who] + rng.normal(size=(SEEN, 128)) * 0.01).astype(np.float32)
        jpegs = {row: rng.bytes(int(rng.integers(400, 6000))) for row in range(SEEN)}
        medium = MediumRecord(
            path=f"film {number}.mp4",
            day=738_000,
            person_ids=tuple(range(SEEN)),
            milliseconds=(1000,) * SEEN,
            portraits=lambda rows, jpegs=jpegs: {row: jpegs[row] for row in rows},
        )
        counts = np.ones(SEEN, np.int64)
        store.match_or_add(embeddings, counts, key=f"k{number}", distinct=True, medium=medium)


def correct(store: IdentityStore) -> list[int]:
    """Name, merge and split, and take some of it back; returns the identities of one person."""
    say = Corrections(store, "editor")
    one, other = sorted(store.all(), key=lambda identity: -identity.media)[:2]
    first = say.appearances_of(one.id)
    say.name(one.id, NAMES[0])
    say.name(other.id, NAMES[1])
    say.undo(say.merge(one.id, other.id).number)
    say.undo(say.split(one.id, [(first[0].call, first[0].row)]).number)
    part = say.split(one.id, [(a.call, a.row) for a in first[1:3]]).action.part
    say.name(part, NAMES[2])
    say.name(part, NAMES[0])
    say.merge(one.id, other.id)
    say.merge(one.id, part)
    others = [
        identity.id for identity in store.all() if identity.id not in (one.id, other.id, part)
    ]
    say.name(others[0], OTHER)
    say.merge(others[1], others[2])
    return [one.id, other.id, part]


def packed(vector: np.ndarray) -> list[bytes]:
    """A vector in all forms that a file could have it in."""
    unit = vector / np.linalg.norm(vector)
    forms = [unit * scale for scale in (1, 1.37)]
    return [form.astype(kind).tobytes() for form in forms for kind in ("<f2", "<f4", ">f4")]


def traces(store: IdentityStore, identities: Sequence[int]) -> set[bytes]:
    """Pieces of all that tells who somebody is."""
    say, wholes = Corrections(store, "reader"), []
    for identity in identities:
        seen = say.appearances_of(identity)
        stored = store.get(identity)
        assert stored is not None
        assert seen
        for vector in (stored.centroid, *(appearance.embedding for appearance in seen)):
            wholes += packed(vector)
        wholes += filter(None, store.records.portraits([(a.call, a.row) for a in seen]))
    pieces = {
        whole[start : start + PIECE]
        for whole in wholes
        for start in range(0, len(whole) - PIECE, len(whole) // 7)
    }
    texts = {name for whole in NAMES for name in (whole, json.dumps(whole)[1:-1])}
    return pieces | {text.encode(code) for text in texts for code in ("utf-8", "utf-16-le")}


def found(pieces: set[bytes], content: bytes) -> set[bytes]:
    """Those of many pieces that are in a content; each has 4 bytes or more."""
    starts = {piece[:4] for piece in pieces}
    wanted = np.frombuffer(b"".join(starts), "<u4")
    read = np.frombuffer(content + b"\0" * 4, np.uint8).astype(np.uint32)
    windows = read[:-3] | read[1:-2] << 8 | read[2:-1] << 16 | read[3:] << 24
    at = np.flatnonzero(np.isin(windows, wanted))
    candidates = {content[i : i + size] for i in at.tolist() for size in {*map(len, pieces)}}
    return pieces & candidates


def content(folder: Path) -> bytes:
    """All bytes of all files, and of all that is in zips, also in zips in them."""
    return b"\0".join(unpacked(file.read_bytes()) for file in folder.rglob("*") if file.is_file())


def unpacked(data: bytes) -> bytes:
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return b"\0".join([data, *(unpacked(archive.read(name)) for name in archive.namelist())])


def in_memory(store: IdentityStore) -> bytes:
    """All arrays and texts that an open store leads to."""
    code = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)
    queue, known, held = [store], {id(store)}, []
    while queue:
        thing = queue.pop()
        if isinstance(thing, np.ndarray):
            # Room for more has no people in it.
            held.append(thing[thing.any(axis=1)].tobytes() if thing.ndim == 2 else thing.tobytes())
        elif isinstance(thing, bytes):
            held.append(thing)
        elif isinstance(thing, str):
            held.append(thing.encode())
        for other in gc.get_referents(thing):
            if id(other) not in known and not isinstance(other, code):
                known.add(id(other))
                queue.append(other)
    return b"\0".join(held)


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
def test_nothing_is_left_of_a_person(
    url: str, encrypted: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    secret, folder = tmp_path / "people.key", tmp_path / "store"
    key_file.make(secret)
    words = ["--identity_key", str(secret)] if encrypted else []
    key = key_file.read(str(secret)) if encrypted else None
    store = open_store(url, settings=SETTINGS, key=key)
    fill(store)
    ids = correct(store)
    others = {i.id: i.pack() for i in store.all() if i.id not in ids}
    reader = open_store(url, settings=None, key=key)
    pieces = traces(reader, ids)
    look(reader)
    assert len(found(pieces, in_memory(reader))) > 5
    if "snapshots" in request.node.callspec.params["url"]:
        with closing(request.getfixturevalue("server").client()) as client:
            client.save()
    # Nothing but ciphertext was ever written where there is a key.
    assert bool(found(pieces, content(folder))) is not encrypted

    assert main(["forget", f"identity:{ids[1]}", "--identities", url, "--yes", *words]) == 0

    assert not found(pieces, content(folder))
    look(reader)
    assert not found(pieces, in_memory(reader))
    assert {i.id: i.pack() for i in reader.all()} == others
    for number in range(len(reader.people().events), 0, -1):
        with suppress(CorrectionRefused):
            Corrections(reader, "editor").undo(number)
    assert not {i.id for i in store.all()} & set(ids)
    look(reader)
    assert not found(pieces, in_memory(reader) + content(folder))
    for opened in (store, reader):
        opened.close()


def look(store: IdentityStore) -> None:
    store.match(np.ones((1, 128), np.float32))


def test_a_call_that_was_cut_off_is_ended_by_the_next(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    path = str(tmp_path / "store" / "people.identities")
    store = open_store(path, settings=SETTINGS)
    fill(store)
    ids = correct(store)
    pieces = traces(store, ids)
    Corrections(store, "killed").forget(ids)
    store.close()
    size = os.path.getsize(path)
    assert main(["forget", f"identity:{ids[0]}", "--identities", path, "--yes"]) == 1
    assert os.path.getsize(path) < size, "written anew"
    assert not found(pieces, content(tmp_path / "store"))


def test_nothing_is_left_in_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    faces = [Face(n, n / 5, (10, 20, 110, 140), track=n % 2) for n in range(6)]
    report = make_report(faces, persons={0: 0, 1: 1}, names={0: NAMES[0], 1: OTHER})
    embeddings = rng.normal(size=(6, 128)).astype(np.float32)
    means = np.stack([embeddings[person::2].mean(0) for person in (0, 1)])
    report = replace(
        report,
        observations=replace(report.observations, embeddings=embeddings),
        identities=replace(report.identities, centroids=means),
    )
    portraits = {track: rng.bytes(3000) for track in (0, 1)}
    out = tmp_path / "results"
    out.mkdir()
    for name in ("csv", "characters", "names", "ass", "exchange"):
        exporter = registry.load("export", name, runtime=Runtime())
        exporter.write(report, out / f"clip{exporter.suffix}")
    report_file.save(report, out / "clip.report.zip", portraits=portraits)
    hers = [*embeddings[::2], means[0]]
    wholes = [form for vector in hers for form in (vector.tobytes(), *packed(vector))]
    numbers = [str(float(value)).encode() for vector in hers for value in vector[:9]]
    pieces = {whole[at : at + PIECE] for whole in wholes for at in (0, 128)}
    pieces |= {portraits[0][:PIECE], portraits[0][-PIECE:], NAMES[0].encode(), *numbers}
    assert len(found(pieces, content(out))) > 10
    assert main(["forget", NAMES[0], "--results", str(out), "--yes"]) == 0
    assert not found(pieces, content(tmp_path))
    assert portraits[1][:PIECE] in content(out)
