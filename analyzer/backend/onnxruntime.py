"""ONNX Runtime on the CPU or an NVIDIA GPU."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from analyzer.errors import ResourceError, UsageError, WeightsError


def create(*, device: str = "auto", threads: int = 0) -> "OnnxRuntime":
    """ONNX Runtime; ``device`` is auto, cpu or cuda:N, ``threads`` 0 for every core."""
    return OnnxRuntime(device, threads)


class OnnxRuntime:
    """Loads ONNX networks on one device."""

    def __init__(self, device: str, threads: int) -> None:
        has_cuda = "CUDAExecutionProvider" in ort.get_available_providers()
        if device == "auto":
            device = "cuda:0" if has_cuda else "cpu"
        if device.startswith("cuda") and not has_cuda:
            raise UsageError(
                f"device {device!r}: this ONNX Runtime has no CUDA; install it with: "
                "pip uninstall onnxruntime && pip install 'ina[gpu]', or use --device cpu"
            )
        self.device = device
        self._threads = threads or len(os.sched_getaffinity(0))

    def load(self, model: Path | bytes) -> "OnnxSession":
        """Load a network; see `analyzer.backend.Backend`."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 3
        source = model if isinstance(model, bytes) else str(model)
        try:
            return OnnxSession(ort.InferenceSession(source, options, providers=self._providers()))
        except Exception as error:  # its exceptions have no common base
            name = "the network" if isinstance(model, bytes) else str(model)
            reason = str(error).splitlines()[0]
            raise WeightsError(f"{name}: ONNX Runtime cannot load it: {reason}") from error

    def _providers(self) -> list[Any]:
        if self.device == "cpu":
            return ["CPUExecutionProvider"]
        index = int(self.device.partition(":")[2] or 0)
        return [("CUDAExecutionProvider", {"device_id": index}), "CPUExecutionProvider"]


class OnnxSession:
    """One network in ONNX Runtime."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session
        self.outputs: Sequence[str] = [output.name for output in session.get_outputs()]

    def run(self, **inputs: "np.ndarray[Any, Any]") -> "list[np.ndarray[Any, Any]]":
        """Execute the network; see `analyzer.backend.Session`."""
        try:
            return list(self._session.run(None, inputs))
        except ort.capi.onnxruntime_pybind11_state.RuntimeException as error:
            raise ResourceError(f"ONNX Runtime gave up: {str(error).splitlines()[0]}") from error
