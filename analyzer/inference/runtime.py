"""Runtime of all components: device, threads, batch size, backend."""

import importlib.metadata
import importlib.util
import os
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer import registry
from analyzer.errors import UsageError

if TYPE_CHECKING:
    from analyzer.inference.backends import Backend, Session

_LIBRARIES = (
    *("av", "dlib-bin", "faiss-cpu", "numpy", "onnxruntime", "onnxruntime-gpu", "opencv-python"),
    *("pillow", "scenedetect", "scipy", "torch"),
)
"""Libraries on which results can depend."""


@dataclass
class Runtime:
    """Device, threads and backend of one process.

    No field may change a result except by rounding; options that do are in `analyzer.options`.

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
    """Spec of the library that executes networks; `auto`: ONNX Runtime, otherwise PyTorch."""
    _loaded: Any = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.threads < 0:
            raise UsageError(f"threads {self.threads}: must be 0, for all cores, or more")

    def load(self, model: Path | bytes) -> "Session":
        """Load an ONNX network on this runtime's device.

        Args:
            model: Path of an ONNX file, or its bytes.

        Raises:
            UsageError: The backend cannot use this device.
            MissingDependency: The backend's library is not installed.
            WeightsError: The file is not an ONNX network.
        """
        return self._backend().load(model)

    def in_use(self) -> str:
        """Return the device in use and its GPU; the requested device before a network is loaded."""
        device = getattr(self._loaded, "device", self.device)
        return " ".join(filter(None, (device, _gpu(device))))

    def release(self) -> None:
        """Free memory that only speeds up the next batch; called after each medium."""
        if self._loaded is not None:
            self._loaded.release()

    def _backend(self) -> "Backend":
        if self._loaded is None:
            spec = _installed() if self.backend == "auto" else self.backend
            self._loaded = registry.load("backend", spec, device=self.device, threads=self.threads)
        return self._loaded


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
    libraries = {"onnxruntime": ("onnxruntime",), "torch": ("torch", "onnx2torch")}
    for name, required in libraries.items():
        if all(importlib.util.find_spec(library) for library in required):
            return name
    return "onnxruntime"


def versions() -> dict[str, str]:
    """Return the version of each library that results can depend on, without importing any."""
    return {name: version for name in _LIBRARIES if (version := _version(name))}


@cache
def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None
