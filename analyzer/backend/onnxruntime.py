"""ONNX Runtime on the CPU or an NVIDIA GPU.

On a CPU, several threads on one picture add up its convolutions in another order than one does,
which shows in the last bits. So a batch is divided among the threads instead, in pieces whose size
does not depend on their number: an answer is the same on every worker. It is also quicker while
other programs run, for no thread waits for another.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from analyzer.errors import ResourceError, UsageError, WeightsError

_PIECE_BYTES = 1 << 19
"""Of the inputs of a piece, unless one picture has more: small networks need no bigger ones."""


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
        self._pool = ThreadPoolExecutor(self._threads) if device == "cpu" else None

    def load(self, model: Path | bytes) -> "OnnxSession":
        """Load a network; see `analyzer.backend.Backend`."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = self._threads if self._pool is None else 1
        options.log_severity_level = 3
        source = model if isinstance(model, bytes) else str(model)
        try:
            session = ort.InferenceSession(source, options, providers=self._providers())
        except Exception as error:  # its exceptions have no common base
            name = "the network" if isinstance(model, bytes) else str(model)
            reason = str(error).splitlines()[0]
            raise WeightsError(f"{name}: ONNX Runtime cannot load it: {reason}") from error
        return OnnxSession(session, self._pool)

    def _providers(self) -> list[Any]:
        if self.device == "cpu":
            return ["CPUExecutionProvider"]
        index = int(self.device.partition(":")[2] or 0)
        return [("CUDAExecutionProvider", {"device_id": index}), "CPUExecutionProvider"]


class OnnxSession:
    """One network in ONNX Runtime.

    Args:
        session: the network; the first axis of all its inputs and outputs is the batch.
        pool: threads among which batches are divided; ``None`` to run them whole.
    """

    def __init__(self, session: ort.InferenceSession, pool: ThreadPoolExecutor | None) -> None:
        self._session, self._pool = session, pool
        self.outputs: Sequence[str] = [output.name for output in session.get_outputs()]

    def run(self, **inputs: "np.ndarray[Any, Any]") -> "list[np.ndarray[Any, Any]]":
        """Execute the network; see `analyzer.backend.Session`."""
        try:
            if self._pool is None:
                return list(self._session.run(None, inputs))
            done = list(self._pool.map(lambda piece: self._session.run(None, piece), _cut(inputs)))
            return [np.concatenate(column) for column in zip(*done, strict=True)]
        except ort.capi.onnxruntime_pybind11_state.RuntimeException as error:
            raise ResourceError(f"ONNX Runtime gave up: {str(error).splitlines()[0]}") from error


def _cut(inputs: "dict[str, np.ndarray[Any, Any]]") -> "list[dict[str, np.ndarray[Any, Any]]]":
    """Divide a batch into pieces of one size."""
    count = len(next(iter(inputs.values())))
    each = sum(array.nbytes for array in inputs.values()) // max(1, count)
    step = max(1, _PIECE_BYTES // max(1, each))
    return [
        {name: array[at : at + step] for name, array in inputs.items()}
        for at in range(0, max(1, count), step)
    ]
