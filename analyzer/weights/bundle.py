"""Bundle: a folder with all models of this machine, for machines without a network.

The folder has the model files, `SHA256SUMS` in the format of `sha256sum --check`, and
`LICENCES.txt`. A machine uses it with `INA_MODELS=DIR`; no package with weights need be installed
there.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from analyzer.errors import AnalyzerError
from analyzer.files.atomic import atomic_write_bytes
from analyzer.weights import locate
from analyzer.weights.catalogue import MODELS, Model

HASHES = "SHA256SUMS"
LICENCES = "LICENCES.txt"


def models_of(names: Sequence[str]) -> list[Model]:
    """Return the models that a bundle has.

    Args:
        names: Names of models; the default analysis's are always among them. Without a name: all
            models that are here.

    Raises:
        UsageError: There is no such model.
        MissingDependency: The package that contains one is not installed.
        WeightsError: A named model is not here.
    """
    if names:
        selected = [locate.get(name) for name in dict.fromkeys([*MODELS, *names])]
    else:
        selected = [m for m in locate.everything().values() if m.name in MODELS or _is_here(m)]
    for model in selected:
        locate.locate(model.name)
    return selected


def write(models: Sequence[Model], folder: Path, *, on_model: Callable[[Model], None]) -> None:
    """Write models into a folder, with their hashes and licences; each file whole or not at all.

    Models that an earlier bundle has left in the folder stay, and are listed too.

    Args:
        models: From `models_of`.
        folder: Folder of the bundle; a missing one is created.
        on_model: Function that is called with each model that is written.

    Raises:
        WeightsError: A model file is missing or altered.
        ResourceError: The folder cannot be written.
    """
    records = {}
    for model in models:
        for path in _files_of(model):
            atomic_write_bytes(folder / path.name, path.read_bytes())
        if not model.sha256:
            digest = locate.expected(model)
            records[model.name] = {"file": model.stored_name, "sha256": digest}
        on_model(model)
    if records:
        locate.add_records(folder, records)
    atomic_write_bytes(folder / LICENCES, _licences(folder).encode())
    atomic_write_bytes(folder / HASHES, _hashes(folder).encode())


def _files_of(model: Model) -> list[Path]:
    """Return the paths of a model's file and of its specification, where it has one."""
    path = locate.locate(model.name)
    specification = path.with_suffix(".yaml")
    return [path, specification] if specification.is_file() else [path]


def _is_here(model: Model) -> bool:
    try:
        return locate.find(model).is_file()
    except AnalyzerError:
        return False


def _licences(folder: Path) -> str:
    """Return licence and source of each model in a bundle, as text."""
    blocks = ["Models of this folder, with the licences that their authors state.\n"]
    for model in locate.everything().values():
        if (folder / model.stored_name).is_file():
            blocks.append(
                f"{model.stored_name}\n  model: {model.name}, {model.about}\n"
                f"  licence: {model.licence}\n  source: {model.source or model.licence}\n"
            )
    return "\n".join(blocks)


def _hashes(folder: Path) -> str:
    """Return the hash of each file of a bundle, in the format of `sha256sum --check`.

    Raises:
        WeightsError: A file cannot be read.
    """
    names = {locate.RECORDS, LICENCES}
    for model in locate.everything().values():
        names |= {model.stored_name, Path(model.stored_name).with_suffix(".yaml").name}
    present = [folder / name for name in sorted(names) if (folder / name).is_file()]
    return "".join(f"{locate.sha256(path)}  {path.name}\n" for path in present)
