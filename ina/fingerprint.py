"""What results depend on beside their medium: the code and the models of this installation."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from analyzer import registry
from analyzer.files.hashing import sha256
from analyzer.inference.runtime import Runtime
from analyzer.options import PLUGIN_OPTIONS, PRECISIONS, AnalysisOptions
from analyzer.weights import locate

PACKAGES = ("analyzer", "ina", "ina_input", "joblist", "jobs")
TEXTS = frozenset({".py", ".j2", ".html", ".css", ".js", ".yaml"})
NETWORKS = frozenset({".safetensors", ".onnx"})


@lru_cache(maxsize=1)
def code_digests() -> Mapping[str, str]:
    """Return a digest of the code of each package, and of each plug-in of other packages.

    An installation from a wheel and a clone have equal ones, if they have the same code.
    """
    folders = {**registry.outside_packages(), **{name: _folder(name) for name in PACKAGES}}
    return {name: package_digest(folder) for name, folder in folders.items()}


def required_code(options: AnalysisOptions) -> dict[str, str]:
    """Return the digests of the code that an analysis runs.

    Args:
        options: Options of the analysis, which select plug-ins.
    """
    digests = code_digests()
    used = {registry.package_of(kind, text) for kind, text in _selected(options)}
    return {name: digests[name] for name in (*PACKAGES, *sorted(used)) if name in digests}


def model_hashes() -> dict[str, str]:
    """Return the hash of each model of the default analysis, and of each that the user added."""
    return {**locate.hashes(), **locate.recorded()}


def required_models(options: AnalysisOptions) -> dict[str, str]:
    """Return the hashes of the models that an analysis uses, as far as they have names."""
    values = {
        value for _, text in _selected(options) for _, value in registry.Spec.parse(text).options
    }
    recorded = locate.recorded()
    return {**locate.hashes(), **{name: recorded[name] for name in values & recorded.keys()}}


def required_settings(options: AnalysisOptions) -> dict[str, str]:
    """Return the options that a worker must not set otherwise, or must be able to do.

    Networks give results that differ by rounding between libraries; who names one gets it.
    """
    settings = {} if options.backend == "auto" else {"backend": options.backend}
    return (
        settings
        if options.precision == PRECISIONS[0]
        else {**settings, "precision": options.precision}
    )


def inabilities(backend: str, device: str) -> dict[str, str]:
    """Return what this machine cannot do of what a server may require, each with the reason.

    Args:
        backend: The worker's own backend; `auto`: none.
        device: Its device.
    """
    runtimes = {
        f"precision {name}": Runtime(device=device, backend=backend, precision=name)
        for name in PRECISIONS
    }
    reasons = {name: runtime.inability() for name, runtime in runtimes.items()}
    return {name: reason for name, reason in reasons.items() if reason}


def package_digest(folder: Path) -> str:
    """Return a digest of the code below a folder, or of one file.

    Neither the place of the folder nor line ends count, nor what Python compiles.
    """
    return sha256(_pieces(folder)).hexdigest()


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _selected(options: AnalysisOptions) -> list[tuple[str, str]]:
    """Return kind and spec of each component that the options select, but for objects."""
    values = options.to_dict()
    selected = [(kind, str(values[name] or "")) for name, kind in PLUGIN_OPTIONS.items()]
    return [(kind, text) for kind, text in selected if text and not text.startswith("<")]


def _pieces(path: Path) -> Iterator[bytes]:
    """Yield what counts of each file below a folder, or of one file, with its name."""
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        name = file.relative_to(path).as_posix()
        if file.suffix in TEXTS:
            content = file.read_bytes().replace(b"\r\n", b"\n")
        elif file.suffix in NETWORKS:
            content = file.read_bytes()
        else:
            continue
        yield f"{name}\n{len(content)}\n".encode("utf-8", "surrogateescape")
        yield content
