"""ONNX Runtime on the CPU or an NVIDIA GPU.

On a CPU, several threads sum the convolutions of one picture in another order than one thread,
which changes the last bits. Therefore a batch is divided into pieces, and each thread runs whole
pieces. The size of the pieces does not depend on the number of threads, so results are the same on
every worker. It is also faster while other programs run, because no thread waits for another.
"""

import contextlib
import os
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from analyzer.errors import ResourceError, UsageError, WeightsError
from analyzer.files import cache
from analyzer.inference.backends._batch import (
    Arrays,
    OutOfMemory,
    Outputs,
    arithmetic_on,
    cut,
    join,
    rows,
    run_or_halve,
)
from ina_cli import libraries

_PIECE_BYTES = 1 << 19
"""Size of the inputs of a piece, unless one picture is larger; enough for small networks, and few
faces are divided among threads already."""
_SHRINK_ARENA = "memory.enable_memory_arena_shrinkage"
_GPU = "onnxruntime-gpu"
"""Distribution with CUDA and TensorRT."""
_STATE = ort.capi.onnxruntime_pybind11_state
_RUN_ERRORS = (
    *(_STATE.RuntimeException, _STATE.Fail, _STATE.EPFail, _STATE.EngineError),
    *(_STATE.InvalidArgument, MemoryError),
)
"""Exceptions of a run, which have no common base."""
_MEMORY_MESSAGES = ("allocate memory", "out of memory", "bad_alloc", "bfcarena")
"""Parts of messages about too little memory, which has no exception of its own."""


def create(
    *, tensorrt: bool = False, device: str = "auto", threads: int = 0, precision: str = "exact"
) -> "OnnxRuntime":
    """ONNX Runtime; tensorrt=true: let TensorRT execute what it can, on CUDA.

    Args:
        tensorrt: Whether to use TensorRT; its engines are built when a network is loaded for the
            first time, and stored in the cache.
        device: `auto`, `cpu` or `cuda:N`.
        threads: Number of threads; 0 = every core.
        precision: `exact`, or on CUDA `fast`: with 16 bits.

    Raises:
        UsageError: This ONNX Runtime has no such device.
        Incapable: Precision `fast` on a CPU.
    """
    return OnnxRuntime(device, threads, precision, tensorrt)


class OnnxRuntime:
    """ONNX Runtime on one device."""

    def __init__(
        self, device: str, threads: int, precision: str = "exact", tensorrt: bool = False
    ) -> None:
        available = ort.get_available_providers()
        has_cuda = "CUDAExecutionProvider" in available
        if device == "auto":
            device = "cuda:0" if has_cuda else "cpu"
        if device.startswith("cuda") and not has_cuda:
            raise UsageError(
                f"device {device!r}: this ONNX Runtime has no CUDA; install it with: "
                f"pip uninstall onnxruntime && pip install {libraries.requirements(_GPU)}, "
                "or use --device cpu"
            )
        if tensorrt and (device == "cpu" or "TensorrtExecutionProvider" not in available):
            raise UsageError(
                f"backend onnxruntime:tensorrt=true: no TensorRT for device {device!r}; install it "
                f"with: pip install tensorrt {libraries.requirements(_GPU)}, or leave tensorrt out"
            )
        self.device, self._tensorrt = device, tensorrt
        self.arithmetic = arithmetic_on(device, precision, "ONNX Runtime")
        self.loads_side_by_side = device == "cpu"
        self._threads = threads or len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(self._threads) if device == "cpu" else None
        self._sessions: weakref.WeakSet[OnnxSession] = weakref.WeakSet()

    def load(self, model: Path | bytes) -> "OnnxSession":
        """Load a network; see `analyzer.inference.backends.Backend`."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = self._threads if self._pool is None else 1
        options.log_severity_level = 4  # only fatal errors: others are raised as exceptions
        source = model if isinstance(model, bytes) else str(model)
        name = "the network" if isinstance(model, bytes) else str(model)
        try:
            if self.arithmetic == "f16":
                source = _with_half_weights(source)
            session = ort.InferenceSession(source, options, providers=self._providers())
            if session.get_overridable_initializers():
                source = _with_fixed_weights(source)
                session = ort.InferenceSession(source, options, providers=self._providers())
        except Exception as error:  # its exceptions have no common base
            reason = str(error).splitlines()[0]
            raise WeightsError(
                f"{name}: ONNX Runtime cannot load it: {reason}; get the file anew"
            ) from error
        if self.device != "cpu" and "CUDAExecutionProvider" not in session.get_providers():
            raise UsageError(
                f"device {self.device!r}: ONNX Runtime cannot use it (a missing driver, CUDA or "
                "cuDNN library, or no such GPU): see nvidia-smi, or use --device cpu"
            )
        loaded = OnnxSession(session, self._pool, name=name, arena=self._arena())
        self._sessions.add(loaded)
        return loaded

    def release(self) -> None:
        """Free spare memory; see `analyzer.inference.backends.Backend`."""
        for session in list(self._sessions):
            if self._pool is None:
                session.release()
            else:
                # Nobody waits for it: each takes as long as a batch of one.
                self._pool.submit(session.release)

    def _arena(self) -> str:
        return f"gpu:{self._index()}" if self._pool is None else "cpu:0"

    def _index(self) -> int:
        return int(self.device.partition(":")[2] or 0)

    def _providers(self) -> list[Any]:
        if self.device == "cpu":
            return ["CPUExecutionProvider"]
        cuda = {"device_id": self._index(), "arena_extend_strategy": "kSameAsRequested"}
        providers: list[Any] = [("CUDAExecutionProvider", cuda), "CPUExecutionProvider"]
        if self._tensorrt:
            engine_cache = {"trt_engine_cache_enable": True, "trt_engine_cache_path": _engines()}
            providers.insert(
                0, ("TensorrtExecutionProvider", {"device_id": self._index(), **engine_cache})
            )
        return providers


class OnnxSession:
    """Network in ONNX Runtime.

    Args:
        session: Session of the network; the first axis of its inputs and outputs is the batch.
        pool: Threads that run the pieces of a batch; `None` to run a batch as a whole.
        name: Name of the network, for messages.
        arena: Name of the memory arena that `release` shrinks.
    """

    def __init__(
        self,
        session: ort.InferenceSession,
        pool: ThreadPoolExecutor | None,
        *,
        name: str = "the network",
        arena: str = "cpu:0",
    ) -> None:
        self._session, self._pool, self._name, self._arena = session, pool, name, arena
        self.inputs = {i.name: tuple(map(_side, i.shape)) for i in session.get_inputs()}
        self.outputs = [output.name for output in session.get_outputs()]
        self._single = any(shape[:1] == (1,) for shape in self.inputs.values())
        self._last: Arrays | None = None

    def run(self, **inputs: "np.ndarray[Any, Any]") -> Outputs:
        """Execute the network; see `analyzer.inference.backends.Session`."""
        if rows(inputs):
            self._last = {name: array[:1].copy() for name, array in inputs.items()}
        return run_or_halve(self._run, inputs, self.release)

    def release(self) -> None:
        """Free spare memory by one more run: ONNX Runtime frees it only at the end of a run."""
        last, self._last = self._last, None
        if last is not None:
            options = ort.RunOptions()
            options.add_run_config_entry(_SHRINK_ARENA, self._arena)
            # This is called when there is little memory, so the run itself may fail.
            with contextlib.suppress(ResourceError):
                self._execute(last, options)

    def _run(self, inputs: Arrays) -> Outputs:
        """Run a batch in the pieces that its device and graph need."""
        if self._pool is not None:
            pieces = cut(inputs, 1 if self._single else _piece_length(inputs))
            return join(list(self._pool.map(self._execute, pieces)))
        if self._single:
            return join([self._execute_bound(piece) for piece in cut(inputs, 1)])
        return self._execute_bound(inputs)

    def _execute(self, inputs: Arrays, options: ort.RunOptions | None = None) -> Outputs:
        try:
            return list(self._session.run(None, dict(inputs), options))
        except _RUN_ERRORS as error:
            raise self._failure(error, inputs) from error

    def _execute_bound(self, inputs: Arrays) -> Outputs:
        """Execute with bound inputs and outputs, so that each is copied only once."""
        try:
            binding = self._session.io_binding()
            for name, array in inputs.items():
                binding.bind_cpu_input(name, np.ascontiguousarray(array))
            for name in self.outputs:
                binding.bind_output(name, "cpu")
            self._session.run_with_iobinding(binding)
            return list(binding.copy_outputs_to_cpu())
        except _RUN_ERRORS as error:
            raise self._failure(error, inputs) from error

    def _failure(self, error: Exception, inputs: Arrays) -> Exception:
        """Return the error to raise for an exception of ONNX Runtime."""
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if isinstance(error, MemoryError) or any(
            part in str(error).lower() for part in _MEMORY_MESSAGES
        ):
            return OutOfMemory(rows(inputs), reason)
        # On a CPU, the only other error to expect is shapes that do not match.
        if isinstance(error, _STATE.InvalidArgument) or self._pool is not None:
            return WeightsError(
                f"{self._name}: it was made for other inputs: {reason}; use the network that its "
                "component was made for"
            )
        return ResourceError(f"{self._name}: ONNX Runtime gave up: {reason}")


def _with_fixed_weights(source: bytes | str) -> bytes:
    """Return a graph without its weights among its inputs."""
    # onnx is slow to import, and few networks need it.
    from analyzer.inference.backends import _fixed_weights

    return _fixed_weights.converted(source)


def _with_half_weights(source: bytes | str) -> bytes:
    """Return a graph that computes with 16 bits."""
    # It is slow to import, and needed on GPUs alone.
    from analyzer.inference.backends import _half

    return _half.converted(_with_fixed_weights(source))


def _side(side: Any) -> int | None:
    return side if isinstance(side, int) else None


def _engines() -> str:
    return str(cache.path("tensorrt"))


def _piece_length(inputs: Arrays) -> int:
    """Return the length of the pieces of a batch: a power of two that fits `_PIECE_BYTES`."""
    row_bytes = sum(array.nbytes for array in inputs.values()) // max(1, rows(inputs))
    greatest = max(1, _PIECE_BYTES // max(1, row_bytes))
    return 1 << (greatest.bit_length() - 1)  # so that batches of powers of two divide equally
