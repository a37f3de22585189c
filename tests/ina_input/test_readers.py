"""Damaged and odd files at every reader: only the project's own errors come out, and soon."""

import io
import json
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer import registry
from analyzer.collection import identities, media
from analyzer.erasure import search
from analyzer.evaluation import truth
from analyzer.gallery import folder as gallery
from analyzer.identities.address import open_store
from analyzer.identities.records import Settings
from analyzer.inference.runtime import Runtime
from analyzer.pipeline import table_report
from analyzer.reports import corrections_file, part_file, report_file
from analyzer.reports.part_file import Part
from analyzer.results import joblist, locate, ownership_record
from analyzer.weights import network_spec
from analyzer.workflows.older import performance
from ina_cli.parser import Parser
from ina_cli.settings import SettingsError, with_file
from ina_input import documents
from joblist.errors import ExplainedError
from jobs.outputs import changed_files
from jobs.standalone import journal
from tests.support.corrected import sample_report

ANSWERS = (type(None), ExplainedError, SettingsError)  # read, or refused in words
MARK = "\ufffdhere\ufffd"
ODD = (
    *("null", "true", "-1", "0", "1", "9223372036854775807", "9223372036854775808", "9" * 5000),
    *("NaN", "-Infinity", "1e999", "1e308", "0.1", '""', '"nan"', '"1/0"', '"1e999999999"', "[]"),
    *("{}", "[[]]", "[" * 200 + "]" * 200, '{"number": "nan"}', '{"number": "x"}', '"\\ud800"'),
    *('"\\u0000"', '{"a": 1, "a": 2}', '"' + "x" * 100_000 + '"'),
)
"""Tokens that may stand for a value of a JSON text, some of which are none."""
CELLS = ("", "nan", "-inf", "1e999", "9" * 400, "-1", "(1, 2, 3, 4)", "(0, 0, 1e9, 9)", "\0", "=x")
EXAMPLES = settings(
    max_examples=60,
    deadline=20_000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass(frozen=True)
class Reader:
    """A way into the program."""

    name: str
    """Of the file."""
    content: bytes
    """Of a file that is right."""
    read: Callable[[Path], object]


def report_bytes() -> bytes:
    path = Path("whole.report.zip")
    report = sample_report()
    told = {**report.provenance["options"], "describer": "dlib_resnet"}
    report = replace(report, provenance={"options": told, "cluster_threshold": 0.5})
    report_file.save(report, path, portraits={0: b"\xff\xd8\xff"})
    return path.read_bytes()


def part_bytes() -> bytes:
    report, path = sample_report(), Path("part.npz")
    part = Part(info=report.info, observations=report.observations, reached_end=True)
    part_file.save(part, path, key="key")
    return path.read_bytes()


def read_report(path: Path) -> None:
    """Read all of a report, and count its persons as `collect` does."""
    report_file.load(path)
    report_file.portraits(path)


def collect(path: Path) -> None:
    analysed, skipped = media.read(media.media_of(media.of_reports([str(path)])))
    assert len(analysed) + len(skipped) == 1
    clusterer = registry.load("cluster", "chinese_whispers", runtime=Runtime())
    identities.collect(analysed, skipped, [], clusterer=clusterer, threshold=None)


def read_gallery(path: Path) -> None:
    """Read the exchange form; the other two tables are right."""
    folder = path.parent
    for name, text in (("actors.csv", "id,name\n1,Ada\n"), ("actor_images.csv", IMAGES)):
        if path.name != name:
            (folder / name).write_text(text)
    if path.name != "actor_embeddings.jsonl":
        (folder / "actor_embeddings.jsonl").write_text(EMBEDDINGS)
    for portrait in gallery._portraits(folder):
        assert portrait.vector is not None
        assert np.isfinite(portrait.vector).all()
        assert any(portrait.vector)


def read_table(path: Path) -> None:
    report = sample_report()
    rows = table_report._rows(path)
    table_report._observations(rows, path, report.info, np.zeros(len(rows)))


def read_settings(path: Path) -> None:
    parser = Parser(prog="python -m analyzer analyze")
    parser.add_argument("--fps", type=float)
    with_file(parser, "analyze", ["--config", str(path)])


def precomputed(path: Path) -> None:
    registry.load("detect", f"precomputed:file={path}", runtime=Runtime())


def read_joblist(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of columns without a meaning
        joblist.read(str(path))


def read_store(path: Path) -> None:
    store = open_store(str(path), settings=None, wait_s=0.1)
    try:
        store.match(np.eye(4, dtype=np.float32))
        list(store.all())
        store.counters()
    finally:
        store.close()


def store_bytes() -> bytes:
    store = open_store("people", settings=Settings(model="a", threshold=0.5))
    store.match_or_add(np.eye(4, dtype=np.float32), np.ones(4, np.int64), key="first")
    store.close()
    return Path("people").read_bytes()


IMAGES = "actor_id,filename\n1,a.jpg\n"
EMBEDDINGS = '{"image": "a.jpg", "n": 1, "faces": [{"vector": [0.5, 0.25, 1, 2]}]}\n'
CORRECTIONS = {
    "format": "ina-corrections",
    "version": 1,
    "source": {"uri": "clip.mp4", "name": "clip.mp4", "options": "x"},
    "corrections": [
        {"op": "rename", "person": 1, "name": "A", "anchor": [{"time_s": 1, "bbox": [1, 2, 3, 4]}]},
        {"op": "merge", "persons": [0, 1], "anchors": [[], []]},
    ],
}
FACES = b'frame,bbox,face_id,detect_conf\n0,"(1, 2, 3, 4)",1,0.5\n1,"(2, 2, 4, 4)",1,\n'
RECORD = {"media": ["/a.mp4"], "content": "x", "size_bytes": 1}
SPEC = b"alignment: arcface\nsize: 112\nmean: 127.5\nstd: 127.5\nembedding: o\nthreshold: 1.0\n"
TEXTS = {
    "corrections": Reader("a.json", json.dumps(CORRECTIONS).encode(), corrections_file.read),
    "embeddings": Reader("actor_embeddings.jsonl", EMBEDDINGS.encode(), read_gallery),
    "actors": Reader("actors.csv", b"id,name\n1,Ada\n", read_gallery),
    "images": Reader("actor_images.csv", IMAGES.encode(), read_gallery),
    "faces": Reader("a.csv", FACES, read_table),
    "boxes": Reader("b.csv", FACES, precomputed),
    "labels": Reader("l.csv", b"time_s,x,y,person\n1,2,3,Ada\n", truth.of_video),
    "videos": Reader("v.csv", b"Video URL,Performance\nhttps://a/b,1.5\n", performance.read),
    "changes": Reader("c.csv", b"path,sha256_before,sha256_after\n/a,1,2\n", changed_files.read),
    "joblist": Reader("j.csv", b"source_path,dest_csv,metric_a\na.mp4,a.csv,1\n", read_joblist),
    "journal": Reader("j.jsonl", b'{"work": "a", "event": "began"}\n', lambda p: journal.read([p])),
    "settings": Reader("s.toml", b"[analyze]\nfps = 5\n", read_settings),
    "specification": Reader(
        "n.yaml", SPEC, lambda path: network_spec.parse(path.read_text("latin-1"), str(path))
    ),
    "results": Reader("r.csv", FACES, lambda path: locate.find([str(path)])),
    "owner": Reader(
        ".ina/film.json",
        json.dumps(RECORD).encode(),
        lambda path: ownership_record._recorded(path.parent.parent / "film"),
    ),
    "search": Reader("x.csv", FACES, lambda path: search.contains_name(path, "Ada")),
}
"""Files that were text."""
ZIPS: Mapping[str, tuple[Callable[[], bytes], str, Callable[[Path], object]]] = {
    "report": (report_bytes, "a.report.zip", read_report),
    "collect": (report_bytes, "b.report.zip", collect),
    "part": (part_bytes, "a.npz", lambda path: part_file.load(path, key="key")),
    "search": (report_bytes, "c.report.zip", lambda path: search.contains_name(path, "Ada")),
    "store": (store_bytes, "people.identities", read_store),
}
"""Files that were not."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """The content of files that are right."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("whole"))
        return Contents({name: make() for name, (make, _, _) in ZIPS.items()})


class Contents(dict[str, bytes]):
    """Contents of files, with a short text for messages."""

    def __repr__(self) -> str:
        return f"contents of {', '.join(self)}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".ina").mkdir()
    return tmp_path


def attempt(reader: Reader, content: bytes) -> Exception | None:
    """Read a file; return why it could not be read."""
    path = Path.cwd() / reader.name
    path.write_bytes(content)
    try:
        reader.read(path)
    except Exception as error:
        return error
    return None


def damaged(content: bytes, random: Random) -> bytes:
    """Alter some bytes, cut some out, or put some in."""
    changed = bytearray(content)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(changed) + 1)
        piece = random.choice([b"", b"\xff" * 8, b"[" * 100, random.randbytes(random.randrange(8))])
        end = random.choice([at, at + 1, at + random.randrange(40), len(changed)])
        changed[at:end] = piece
    return bytes(changed)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to each value in a JSON value."""
    found = [path]
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            found += places(inner, (*path, key))
    return found


def with_token(value: Any, path: tuple[Any, ...], token: str) -> str:
    """Return JSON with a token in the place of one value."""
    changed = json.loads(json.dumps({"root": value}))
    holder: Any = changed
    keys = ("root", *path)
    for key in keys[:-1]:
        holder = holder[key]
    holder[keys[-1]] = MARK
    return json.dumps(changed["root"]).replace(json.dumps(MARK), token)


@pytest.mark.parametrize("name", TEXTS)
def test_files_that_are_right_are_read(name, folder):
    assert attempt(TEXTS[name], TEXTS[name].content) is None


@pytest.mark.parametrize("name", ZIPS)
def test_zips_and_stores_that_are_right_are_read(name, whole, folder):
    assert attempt(Reader(ZIPS[name][1], b"", ZIPS[name][2]), whole[name]) is None


@pytest.mark.parametrize("name", TEXTS)
@EXAMPLES
@given(seed=st.integers())
def test_damaged_texts(name, seed, folder):
    answer = attempt(TEXTS[name], damaged(TEXTS[name].content, Random(seed)))
    assert isinstance(answer, ANSWERS)


@pytest.mark.parametrize("name", ZIPS)
@EXAMPLES
@given(seed=st.integers())
def test_damaged_zips_and_stores(name, seed, whole, folder):
    answer = attempt(Reader(ZIPS[name][1], b"", ZIPS[name][2]), damaged(whole[name], Random(seed)))
    assert isinstance(answer, ANSWERS)


@pytest.mark.parametrize("name", [n for n in TEXTS if TEXTS[n].content[:1] == b"{"])
@EXAMPLES
@given(seed=st.integers(), token=st.sampled_from(ODD))
def test_odd_values_in_json(name, seed, token, folder):
    value = json.loads(TEXTS[name].content)
    place = Random(seed).choice(places(value))
    answer = attempt(TEXTS[name], with_token(value, place, token).encode())
    assert isinstance(answer, ANSWERS)


@pytest.mark.parametrize("name", [n for n in TEXTS if TEXTS[n].name.endswith(".csv")])
@EXAMPLES
@given(seed=st.integers(), cell=st.sampled_from(CELLS))
def test_odd_cells_in_tables(name, seed, cell, folder):
    lines = TEXTS[name].content.decode().splitlines()
    cells = lines[1].split(",")
    cells[Random(seed).randrange(len(cells))] = cell
    lines[1] = ",".join(cells)
    answer = attempt(TEXTS[name], "\n".join(lines).encode())
    assert isinstance(answer, ANSWERS)


@pytest.mark.parametrize("name", ["report", "collect"])
@settings(EXAMPLES, max_examples=300)
@given(seed=st.integers(), token=st.sampled_from(ODD))
def test_odd_values_in_reports(name, seed, token, whole, folder):
    def change(files: dict[str, bytes]) -> None:
        value = json.loads(files["report.json"])
        place = Random(seed).choice(places(value))
        files["report.json"] = with_token(value, place, token).encode()

    answer = attempt(Reader(ZIPS[name][1], b"", ZIPS[name][2]), repacked(whole[name], change))
    assert isinstance(answer, ANSWERS)


@pytest.mark.parametrize("name", ["report", "collect"])
@settings(EXAMPLES, max_examples=150)
@given(seed=st.integers())
def test_odd_arrays_in_reports(name, seed, whole, folder):
    codec = registry.module("formats", "safetensors")

    def change(files: dict[str, bytes]) -> None:
        random = Random(seed)
        member = random.choice(["arrays.safetensors", "observations.safetensors"])
        arrays = codec.unpack(files[member])
        key = random.choice(sorted(arrays))
        arrays[key] = odd_array(arrays[key].copy(), random)
        files[member] = codec.pack(arrays)

    answer = attempt(Reader(ZIPS[name][1], b"", ZIPS[name][2]), repacked(whole[name], change))
    assert isinstance(answer, ANSWERS)


def odd_array(array: Any, random: Random) -> Any:
    """Return an array with other numbers, of another shape, or of another type."""
    way = random.choice(["number", "number", "shape", "type", "empty"])
    if way == "shape":
        return array.reshape(-1)[: random.randrange(4)]
    if way == "type":
        with np.errstate(all="ignore"):
            return array.astype(random.choice([np.float64, np.int8, np.bool_, np.float16]))
    if way == "empty":
        return np.empty((1 << 40, 0), array.dtype)
    numbers: Mapping[str, list[Any]] = {
        "f": [np.nan, np.inf, -np.inf, 1e30, -1.0],
        "i": [-2, -1, 7, 1 << 62],
        "u": [0, 255],
    }
    if array.size:
        at = random.randrange(array.size)
        array.reshape(-1)[at] = random.choice(numbers[array.dtype.kind])
    return array


def repacked(content: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """Return a zip with other content."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_every_reader_of_json_and_zips_is_bounded():
    """No module reads JSON, zips, arrays or CSV of a file but by the readers of `ina_input`."""
    root = Path(documents.__file__).parents[1]
    own = {
        "jobs/ledger",
        "jobs/dashboard/catalogue.py",
        "ina_input",
        "analyzer/attributes",
        "tools",
    }
    calls = ("json.load", "zipfile.ZipFile(", "np.load(", "csv.reader(", "csv.DictReader(")
    wrong = [
        f"{file.relative_to(root)}: {call}"
        for package in ("analyzer", "ina", "ina_cli", "ina_web", "joblist", "jobs")
        for file in sorted((root / package).rglob("*.py"))
        if not any(str(file.relative_to(root)).startswith(name) for name in own)
        for call in calls
        if call in file.read_text()
    ]
    assert wrong == [
        "analyzer/files/npz.py: np.load(",  # of bytes of a checked length
        "analyzer/files/zips.py: zipfile.ZipFile(",  # for writing
        "analyzer/training/_features.py: np.load(",  # of this program's own cache
        "jobs/wire/codec.py: json.load",  # bounded by the wire, checked by the schema of calls
    ]
