"""The functions of the package, on the demo's video."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import analyzer
from analyzer import api, registry
from analyzer.errors import InputError, MissingDependency, UsageError
from analyzer.options import AnalysisOptions
from analyzer.results import write
from analyzer.types import MediaReport
from tests.support.reports import Face, make_report

LIGHT = """
import sys, analyzer
print(*sorted(set(sys.modules) & {"numpy", "cv2", "analyzer.api", "analyzer.pipeline.summarize"}))
print(*dir(analyzer))
"""


@pytest.fixture(scope="module")
def report(sample: Path) -> MediaReport:
    return analyzer.analyze(sample / "sample.mp4", fps=5, threads=2)


def test_importing_the_package_loads_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)
    loaded, names = done.stdout.splitlines()
    assert loaded == ""
    assert set(analyzer.__all__) <= set(names.split())


def test_what_is_public_hides_no_module() -> None:
    from analyzer.commands import analyze as command
    from analyzer.workflows.analyze import analyze as inner

    assert command.add
    assert inner is not analyzer.analyze
    modules = {path.stem for path in Path(analyzer.__file__).parent.iterdir()}
    assert not modules & set(analyzer.__all__)
    with pytest.raises(AttributeError, match="nonesuch"):
        _ = analyzer.nonesuch


def test_a_medium_becomes_a_report(report: MediaReport) -> None:
    assert report.info.kind == "video"
    assert len(report.persons) == 2
    assert report.provenance["options"]["fps"] == 5


def test_models_are_loaded_once(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = analyzer.load_models(fps=5, threads=2)
    assert analyzer.load_models(fps=5.0, threads=2) is first
    assert analyzer.load_models(fps="5", attributes="sex,age", threads=2) is first
    assert analyzer.load_models(attributes=["sex", "age"], threads=2, fps=5) is first

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("models were loaded anew")

    monkeypatch.setattr(api, "load_components", fail)
    assert len(analyzer.analyze(sample / "sample.mp4", fps=5, threads=2).persons) == 2
    assert len(analyzer.analyze(str(sample / "sample.mp4"), models=first).persons) == 2


def test_wrong_options_name_the_cure() -> None:
    with pytest.raises(UsageError, match=r"detect_perod \(did you mean detect_period\?\)"):
        analyzer.analyze("film.mp4", detect_perod=2)
    with pytest.raises(UsageError, match=r"unknown options: zzzzzz$"):
        analyzer.analyze("film.mp4", zzzzzz=2)
    with pytest.raises(UsageError, match="fps: 'five' cannot be read as float"):
        analyzer.analyze("film.mp4", fps="five")
    with pytest.raises(UsageError, match="leave out fps"):
        analyzer.analyze("film.mp4", models=analyzer.load_models(fps=5, threads=2), fps=2)
    with pytest.raises(InputError, match=r"film\.mp4"):
        analyzer.analyze("film.mp4", fps=5, threads=2)


def test_every_option_survives_as_text() -> None:
    """What a command line, a form or an environment variable holds."""
    default = AnalysisOptions()
    values = {f.name: getattr(default, f.name) for f in fields(AnalysisOptions)}
    text = {k: ",".join(v) if isinstance(v, tuple) else v for k, v in values.items()}
    written = {k: str(v) for k, v in text.items() if v is not None}
    assert AnalysisOptions.from_dict(written) == default


@pytest.mark.parametrize("table", api.TABLES)
def test_tables_are_those_of_the_files(report: MediaReport, tmp_path: Path, table: str) -> None:
    pandas = pytest.importorskip("pandas")
    suffix = registry.load("export", table, runtime=None).suffix
    path = tmp_path / f"film{suffix}"
    analyzer.write(report, path)
    read = pandas.read_csv(path)
    frame = analyzer.dataframe(report, table)
    assert list(frame) == list(read)
    assert len(frame) == len(read) > 0
    for name in frame.select_dtypes("number"):
        a, b = (t[name].to_numpy(float, na_value=np.nan) for t in (frame, read))
        np.testing.assert_allclose(a, b, atol=0.06)


def test_a_table_keeps_its_types_without_rows() -> None:
    pytest.importorskip("pandas")
    full = analyzer.dataframe(make_report([Face(frame=0, time_s=0.0, box=(1, 2, 3, 4))]))
    empty = analyzer.dataframe(make_report(faces=()))
    assert len(full) > len(empty) == 0
    assert list(full.dtypes) == list(empty.dtypes)
    assert full["bbox"].map(type).eq(tuple).all()


def test_there_is_no_such_table() -> None:
    with pytest.raises(UsageError, match="csv, characters, shots"):
        analyzer.dataframe(make_report(), "mp4")


def test_pandas_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "analyzer.files.codecs.dataframe", raising=False)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependency, match="pip install 'pandas>="):
        analyzer.dataframe(make_report())


def test_the_name_says_which_export_is_written(tmp_path: Path) -> None:
    report = make_report()
    for name in ("film.ass", "film.characters.csv", "film.report.json", "film.csv"):
        analyzer.write(report, tmp_path / name)
    assert "person_id,name" in (tmp_path / "film.characters.csv").read_text().splitlines()[0]
    assert "frame,bbox" in (tmp_path / "film.csv").read_text().splitlines()[0]
    analyzer.write(report, tmp_path / "out.txt", export="characters")
    assert (tmp_path / "out.txt").read_text() == (tmp_path / "film.characters.csv").read_text()
    with pytest.raises(UsageError, match=r"'docx'; there are: ass.*csv"):
        analyzer.write(report, tmp_path / "film.docx")


def test_a_medium_is_not_overwritten(sample: Path) -> None:
    video = sample / "sample.mp4"
    before = video.stat()
    report = analyzer.analyze(video, fps=1, start=0, stop=2, threads=2)
    with pytest.raises(UsageError, match="is a medium itself"):
        analyzer.write(report, sample / "." / "sample.mp4")
    assert video.stat() == before
    write.require_apart([str(video), "gone.mp4"], [sample / "new.mp4"])


def test_stills_are_paths_too(tmp_path: Path) -> None:
    data = pytest.importorskip("skimage.data")
    image = pytest.importorskip("PIL.Image")
    gallery = tmp_path / "gallery"
    gallery.mkdir()
    stills = [gallery / "astronaut.png", tmp_path / "b.png"]
    for path in stills:
        image.fromarray(data.astronaut()).save(path)
    report = analyzer.analyze(stills, engine="image", gallery=gallery, threads=2)
    assert report.info.stills == tuple(map(str, stills))
    assert [person.name for person in report.persons] == ["astronaut"]
    with pytest.raises(UsageError, match="is a medium itself"):
        analyzer.write(report, tmp_path / "b.png", export="csv")
