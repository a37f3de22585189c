"""Runtime of all components: device, threads, batch size, backend, precision."""

import importlib.metadata
import importlib.util
import os
import subprocess
import threading
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer import registry
from analyzer.errors import Incapable, MissingDependency, UsageError
from ina_cli import libraries

if TYPE_CHECKING:
    from analyzer.inference.backends import Backend, Session

_F32 = "f32"
_LIBRARIES = (
    *("av", "dlib-bin", "faiss-cpu", "numpy", "onnxruntime", "onnxruntime-gpu", "opencv-python"),
    *("openvino", "pillow", "scenedetect", "scipy", "torch"),
)
"""Libraries on which results can depend."""
_MODULES = {
    "onnxruntime": ("onnxruntime",),
    "torch": ("torch", "onnx2torch"),
    "openvino": ("openvino",),
}
"""Backend of this package -> modules that it imports."""


@dataclass
class Runtime:
    """Device, threads and backend of one process.

    No field but `precision` may change a result except by rounding; other options that do are in
    `analyzer.options`.

    Raises:
        UsageError: The number of threads is negative.

    Example:
        `Runtime(device="cuda:0").load(Path("face.onnx")).run(images=batch)`
    """

    device: str = "auto"
    """`auto`, `cpu`, `cuda:0`."""
    threads: int = 0
    """Number of threads for decoders and networks; 0 = every core."""
    batch_size: int = 32
    """Faces or pictures per batch."""
    backend: str = "auto"
    """Spec of the library that executes networks; `auto`: ONNX Runtime, otherwise PyTorch; in
    precision `fast`, on a CPU: OpenVINO."""
    precision: str = "exact"
    """`exact`: 32 bits; `fast`: 16, and 8 in layers that bear it, where the device has them."""
    _loaded: Any = field(default=None, init=False, repr=False)
    _loading: Any = field(default_factory=threading.Lock, init=False, repr=False, compare=False)
    """Held while the backend is loaded, and by most while they load a network: components are
    loaded side by side."""

    def __post_init__(self) -> None:
        if self.threads < 0:
            raise UsageError(f"threads {self.threads}: must be 0, for all cores, or more")

    def load(self, model: Path | bytes) -> "Session":
        """Load an ONNX network on this runtime's device.

        Args:
            model: Path of an ONNX file, or its bytes.

        Raises:
            UsageError: The backend cannot use this device.
            Incapable: This machine cannot compute in this precision.
            MissingDependency: The backend's library is not installed.
            WeightsError: The file is not an ONNX network.
        """
        backend = self._backend()
        if getattr(backend, "loads_side_by_side", False):
            return backend.load(model)
        with self._loading:
            return backend.load(model)

    def in_use(self) -> str:
        """Return the device in use and its GPU; the requested device before a network is loaded."""
        device = getattr(self._loaded, "device", self.device)
        return " ".join(filter(None, (device, _gpu(device))))

    @property
    def arithmetic(self) -> str:
        """Numbers with which networks compute: `f32`, `bf16` or `f16`; `+i8`: some in 8 bits.

        Before a network is loaded it is `f32`.
        """
        return str(getattr(self._loaded, "arithmetic", _F32))

    @property
    def eight_bits(self) -> bool:
        """Whether networks are to come with the layers in 8 bits that bear it.

        Raises:
            UsageError: As `load`.
        """
        return self.precision == "fast" and self._backend().arithmetic.endswith("+i8")

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of the speed; known once a network is loaded."""
        if self.precision == "exact" or self._loaded is None or self.arithmetic != _F32:
            return ()
        return ("precision fast: no 16 or 8 bits on this machine: computed with 32, no quicker",)

    def inability(self) -> str:
        """Return why this machine cannot compute in this precision; empty if it probably can.

        No library is imported for it: loading a network may still show that it cannot.
        """
        name = self._spec().partition(":")[0]
        if self.precision == "exact" or name not in _MODULES:
            return ""
        missing = [module for module in _MODULES[name] if not importlib.util.find_spec(module)]
        if missing:
            return f"backend {name} needs {libraries.requirements(missing[0])}"
        has_gpu = self.device != "cpu" and _gpu("cuda:0")
        return "" if name == "openvino" or has_gpu else f"backend {name} needs a GPU for it"

    def release(self) -> None:
        """Free memory that only speeds up the next batch; called after each medium."""
        if self._loaded is not None:
            self._loaded.release()

    def _backend(self) -> "Backend":
        with self._loading:
            if self._loaded is None:
                self._loaded = self._load_backend()
        return self._loaded

    def _load_backend(self) -> "Backend":
        context = {"device": self.device, "threads": self.threads, "precision": self.precision}
        try:
            backend: Backend = registry.load("backend", self._spec(), **context)
        except MissingDependency as error:
            if self.precision == "exact":
                raise
            # Another worker may have it.
            raise Incapable(f"precision fast: {error}; or use --precision exact") from error
        return backend

    def _spec(self) -> str:
        """Return the spec of the backend; where none is named, the best that is installed."""
        if self.backend != "auto":
            return self.backend
        return _installed() if self.precision == "exact" else _fast(self.device)


@cache
def _gpu(device: str) -> str:
    """Return the name of a CUDA device from `nvidia-smi`; empty for other devices."""
    if not device.startswith("cuda"):
        return ""
    number = int(device.partition(":")[2] or 0)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").replace(" ", "").split(",")
    gpu_id = dict(enumerate(visible)).get(number) or str(number)
    command = ["nvidia-smi", f"--id={gpu_id}", "--query-gpu=name", "--format=csv,noheader"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return result.stdout.strip().partition("\n")[0]


def _installed() -> str:
    """Return the first backend with installed libraries; without any, ONNX Runtime.

    Loading it then raises the error that says what to install.
    """
    return next((name for name in _MODULES if _is_installed(name)), "onnxruntime")


def _fast(device: str) -> str:
    """Return the backend for 16 bits: on a CPU OpenVINO; on a GPU the first that may use it."""
    if device.startswith("cuda") or (device == "auto" and _gpu("cuda:0")):
        if _version("onnxruntime-gpu"):
            return "onnxruntime"
        if _is_installed("torch") or device != "auto":
            return "torch"
    return "openvino"


def _is_installed(backend: str) -> bool:
    return all(importlib.util.find_spec(module) for module in _MODULES[backend])


def versions() -> dict[str, str]:
    """Return the version of each library that results can depend on, without importing any."""
    return {name: version for name in _LIBRARIES if (version := _version(name))}


@cache
def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None
