"""Reports in files: equal to what was saved; clear words about files that are not reports."""

import json
import shutil
import zipfile
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest

from analyzer import registry
from analyzer.errors import InputError, ResourceError
from analyzer.gallery.folder import Galleries
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components
from analyzer.reports import portraits, report_file
from tests.support import media
from tests.support.analysis import analyze, in_shards
from tests.support.reports import NAN, Face, make_report

EXPORTER = registry.load("export", "report", runtime=Runtime())


def assert_equal(value: Any, other: Any, name: str = "report") -> None:
    """Compare field by field, with types; arrays with their dtypes, NaN equals NaN."""
    assert type(value) is type(other), name
    if isinstance(value, np.ndarray):
        assert value.dtype == other.dtype, name
        np.testing.assert_array_equal(value, other, err_msg=name)
    elif is_dataclass(value):
        for field in fields(value):
            inner = f"{name}.{field.name}"
            assert_equal(getattr(value, field.name), getattr(other, field.name), inner)
    elif isinstance(value, dict):
        assert list(value) == list(other), name
        for key in value:
            assert_equal(value[key], other[key], f"{name}[{key}]")
    elif isinstance(value, tuple | list):
        assert len(value) == len(other), name
        for number, pair in enumerate(zip(value, other, strict=True)):
            assert_equal(*pair, f"{name}[{number}]")
    else:
        assert value == other or (value != value and other != other), name


@pytest.fixture(scope="module")
def models():
    return components.load_components(AnalysisOptions(fps=2, device="cpu"))


@pytest.fixture(scope="module")
def report(sample, models):
    return analyze(str(sample / "sample.mp4"), components=models)


def round_trip(report, path):
    pictures = {track: b"\xff\xd8 %d" % track for track in (7, 30)}
    report_file.save(report, path, portraits=pictures)
    assert report_file.portraits(path) == pictures
    return report_file.load(path)


def test_of_a_video(report, tmp_path):
    assert len(report.persons) == 2
    assert_equal(round_trip(report, tmp_path / "a.report.zip"), report)


def test_of_a_medium_without_faces(models, tmp_path):
    empty = analyze(str(media.video(tmp_path / "a.mp4", seconds=1)), components=models)
    assert len(empty.observations) == 0
    assert_equal(round_trip(empty, tmp_path / "a.report.zip"), empty)


def test_of_stills_with_names_and_a_poster(tmp_path):
    data = pytest.importorskip("skimage.data")
    image = registry.module("formats", "jpeg").encode(data.astronaut(), 512)
    for folder in ("stills", "gallery"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "Eileen Collins.jpg").write_bytes(image)
    models = components.load_components(AnalysisOptions(engine="image", device="cpu"))
    report = analyze(
        str(tmp_path / "stills"),
        components=models,
        gallery=Galleries(models).get(str(tmp_path / "gallery")),
        poster=str(tmp_path / "stills" / "Eileen Collins.jpg"),
    )
    assert [person.name for person in report.persons] == ["Eileen Collins"]
    assert report.persons[0].candidates
    assert report.poster is not None
    assert_equal(round_trip(report, tmp_path / "a.report.zip"), report)


def test_numbers_and_names_that_json_does_not_know(tmp_path):
    """NaN, infinity, and bytes of a file name that are no UTF-8."""
    faces = [Face(0, 0.0, (10, 10, 50, 50), sex=NAN, age=float("inf"))]
    odd = make_report(faces, names={0: '"=\u2028\udcff'}, uri="a\udcff\n.mp4")
    people = tuple(replace(person, name_distance=NAN) for person in odd.persons)
    odd = replace(odd, persons=people, notes=("a", "b"))
    assert_equal(round_trip(odd, tmp_path / "a.report.zip"), odd)


def test_the_summary_is_part_of_the_report(report, tmp_path):
    report_file.save(report, tmp_path / "a.report.zip", portraits={})
    summary = report_file.summary(tmp_path / "a.report.zip")
    for field in fields(summary):
        assert_equal(getattr(summary, field.name), getattr(report, field.name), field.name)


def test_what_was_read_can_be_exported(report, models, tmp_path):
    again = round_trip(report, tmp_path / "a.report.zip")
    for name in ("csv", "ass", "characters", "shots", "exchange"):
        exporter = registry.load("export", name, runtime=models.runtime)
        exporter.write(report, tmp_path / "one")
        exporter.write(again, tmp_path / "other")
        assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes(), name


def test_shards_workers_and_batches_give_the_same_bytes(sample, report, models, tmp_path):
    path = sample / "sample.mp4"
    EXPORTER.write(report, tmp_path / "one")
    EXPORTER.write(in_shards(path, 3, models, tmp_path), tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    assert "batch_size" not in report_file.load(tmp_path / "one").provenance["options"]
    with zipfile.ZipFile(tmp_path / "one") as file:
        assert file.testzip() is None
        assert json.loads(file.read("report.json"))["schema"] == report_file.SCHEMA
        assert {info.date_time[0] for info in file.infolist()} == {1980}


def test_other_readers_read_the_arrays(report, tmp_path):
    reader = pytest.importorskip("safetensors.numpy")
    report_file.save(report, tmp_path / "a.report.zip", portraits={})
    with zipfile.ZipFile(tmp_path / "a.report.zip") as file:
        rows = reader.load(file.read("observations.safetensors"))
    np.testing.assert_array_equal(rows["boxes"], report.observations.boxes)


def test_no_file_names_the_cure(tmp_path):
    with pytest.raises(InputError, match="column dest_report"):
        report_file.load(tmp_path / "missing.report.zip")


def changed(path, name, content):
    """The zip with another content in one of its files."""
    with zipfile.ZipFile(path) as file:
        files = {n: file.read(n) for n in file.namelist()}
    with zipfile.ZipFile(path, "w") as file:
        for n, data in files.items():
            file.writestr(n, content if n == name else data)


@pytest.mark.parametrize("load", [report_file.load, report_file.summary, report_file.portraits])
@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 no zip"], ids=repr)
def test_something_else(load, content, tmp_path):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(InputError, match="not a report that can be read"):
        load(tmp_path / "a")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("report.json", b"{"),
        ("report.json", b"[]"),
        ("report.json", b"{}"),
        ("report.json", json.dumps({"schema": 1}).encode()),
        ("arrays.safetensors", b"\xff" * 9),
        ("observations.safetensors", b""),
    ],
)
def test_damaged_inside(name, content, tmp_path):
    path = tmp_path / "a"
    report_file.save(make_report(), path, portraits={})
    changed(path, name, content)
    with pytest.raises(InputError, match="not a report that can be read"):
        report_file.load(path)


def test_flipped_bytes_and_a_file_cut_short(report, tmp_path):
    path = tmp_path / "a"
    report_file.save(report, path, portraits={})
    whole = path.read_bytes()
    middle = len(whole) // 2
    for damaged in (whole[:middle], whole[:middle] + b"\0" * 64 + whole[middle + 64 :]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="not a report that can be read"):
            report_file.load(path)


def test_a_newer_version(tmp_path):
    path = tmp_path / "a"
    report_file.save(make_report(), path, portraits={})
    with zipfile.ZipFile(path) as file:
        content = json.loads(file.read("report.json"))
    changed(path, "report.json", json.dumps({**content, "schema": 99, "analyzer": "9.1"}).encode())
    with pytest.raises(InputError, match=r"newer version \(9\.1\)"):
        report_file.load(path)


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(ResourceError, match="cannot be written"):
        report_file.save(make_report(), tmp_path / "no" / "a", portraits={})


def test_a_medium_that_is_gone_costs_the_portraits_only(sample, models, tmp_path, caplog):
    path = tmp_path / "film.mp4"
    shutil.copy(sample / "sample.mp4", path)
    report = analyze(str(path), components=models)
    path.unlink()
    EXPORTER.write(report, tmp_path / "a.report.zip")
    assert report_file.portraits(tmp_path / "a.report.zip") == {}
    again = report_file.load(tmp_path / "a.report.zip")
    assert "portraits: " in again.notes[-1]
    assert "film.mp4" in caplog.text
    assert portraits.cut(report, [0]) == {}
