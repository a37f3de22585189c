"""PyTorch, for machines that have PyTorch but no ONNX Runtime with CUDA.

Graphs are converted by onnx2torch (Apache-2.0).
"""

import io
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from analyzer.errors import ResourceError, UsageError, WeightsError
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
from analyzer.inference.backends._onnx2torch import convert


def create(*, device: str = "auto", threads: int = 0, precision: str = "exact") -> "Torch":
    """PyTorch; in precision fast, on CUDA, with 16 bits.

    Args:
        device: `auto`, `cpu` or `cuda:N`.
        threads: Number of threads; 0 = every core.
        precision: `exact` or `fast`.

    Raises:
        UsageError: This PyTorch has no such device.
        Incapable: Precision `fast` on a CPU.
    """
    return Torch(device, threads, precision)


class Torch:
    """Loads ONNX networks on one device."""

    def __init__(self, device: str, threads: int, precision: str) -> None:
        if device == "auto":
            device = "cuda:0" if torch.cuda.is_available() else "cpu"
        index = int(device.partition(":")[2] or 0)
        if device.startswith("cuda") and index >= torch.cuda.device_count():
            raise UsageError(
                f"device {device!r}: this PyTorch sees {torch.cuda.device_count()} GPUs; see "
                "nvidia-smi and https://pytorch.org/get-started, or use --device cpu"
            )
        self.device = device
        self.arithmetic = arithmetic_on(device, precision, "PyTorch")
        torch.set_num_threads(threads or len(os.sched_getaffinity(0)))

    def load(self, model: Path | bytes) -> "TorchSession":
        """Load a network; see `analyzer.inference.backends.Backend`."""
        name = "the network" if isinstance(model, bytes) else str(model)
        graph = _read(model, name)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about the code of onnx2torch itself
                module = convert(graph)
        except NotImplementedError as error:
            raise WeightsError(
                f"{name}: PyTorch cannot execute it ({error}); use --backend onnxruntime"
            ) from error
        for layer in module.modules():
            if isinstance(layer, torch.nn.LayerNorm):
                # onnx2torch assumes 0 for a length that shape inference does not find.
                layer.normalized_shape = tuple(layer.weight.shape)
        return TorchSession(
            module.eval(), graph, name, torch.device(self.device), self.arithmetic == "f16"
        )

    def release(self) -> None:
        """Free spare memory; see `analyzer.inference.backends.Backend`."""
        if self.device != "cpu":
            torch.cuda.empty_cache()


class TorchSession:
    """Network in PyTorch.

    Args:
        module: Converted network.
        graph: ONNX graph of the network.
        name: Name of the network, for messages.
        device: Device of the network.
        half: Whether to compute with 16 bits.
    """

    def __init__(
        self, module: Any, graph: Any, name: str, device: "torch.device", half: bool
    ) -> None:
        self._name, self._device, self._half = name, device, half
        constants = {tensor.name for tensor in graph.graph.initializer}
        inputs = [value for value in graph.graph.input if value.name not in constants]
        self.inputs = {value.name: _shape(value) for value in inputs}
        self.outputs = [value.name for value in graph.graph.output]
        self._single = any(shape[:1] == (1,) for shape in self.inputs.values())
        on_cuda = device.type == "cuda"
        self._format = torch.channels_last if on_cuda else torch.contiguous_format
        module = module.to(device, memory_format=self._format)
        self._module = module.half() if half else module

    def run(self, **inputs: "np.ndarray[Any, Any]") -> Outputs:
        """Execute the network; see `analyzer.inference.backends.Session`."""
        return run_or_halve(self._run, inputs, self._release)

    def _release(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _run(self, inputs: Arrays) -> Outputs:
        pieces = cut(inputs, 1) if self._single else [inputs]
        return join([self._execute(piece) for piece in pieces])

    def _execute(self, inputs: Arrays) -> Outputs:
        try:
            with torch.inference_mode(), warnings.catch_warnings():
                # Warnings that PyTorch will change an indexing that onnx2torch uses; the tests
                # run with the installed releases.
                warnings.simplefilter("ignore")
                outputs = self._module(*(self._tensor(inputs[name]) for name in self.inputs))
        except torch.OutOfMemoryError as error:
            raise OutOfMemory(rows(inputs), str(error).splitlines()[0]) from error
        except RuntimeError as error:
            raise self._failure(error, inputs) from error
        tensors = outputs if isinstance(outputs, list | tuple) else [outputs]
        return [_array(tensor) for tensor in tensors]

    def _failure(self, error: RuntimeError, inputs: Arrays) -> Exception:
        """Return the error to raise for an exception of PyTorch."""
        reason = str(error).splitlines()[0]
        if "allocate memory" in reason or "out of memory" in reason:
            return OutOfMemory(rows(inputs), reason)
        return ResourceError(f"{self._name}: PyTorch gave up: {reason}")

    def _tensor(self, array: "np.ndarray[Any, Any]") -> Any:
        tensor = torch.from_numpy(np.ascontiguousarray(array)).to(self._device)
        if self._half and tensor.is_floating_point():
            tensor = tensor.half()
        return tensor.contiguous(memory_format=self._format) if tensor.dim() == 4 else tensor


def _array(tensor: Any) -> "np.ndarray[Any, Any]":
    """Return the values of a tensor; half precision becomes float32."""
    single = tensor.float() if tensor.dtype == torch.float16 else tensor
    array: np.ndarray[Any, Any] = single.cpu().numpy()
    return array


def _read(model: Path | bytes, name: str) -> Any:
    """Return the ONNX graph of a network, without empty inputs, which onnx2torch rejects.

    Raises:
        WeightsError: The file is not an ONNX network, or is truncated.
    """
    try:
        graph = onnx.load(io.BytesIO(model) if isinstance(model, bytes) else str(model))
        onnx.checker.check_model(graph)
    except Exception as error:  # protobuf's own errors have no public base
        reason = " ".join(str(error).split())[:100]
        raise WeightsError(f"{name}: not an ONNX network ({reason}); get the file anew") from error
    for node in graph.graph.node:
        while node.input and not node.input[-1]:  # an omitted input at the end is an empty name
            del node.input[-1]
    return graph


def _shape(value: Any) -> tuple[int | None, ...]:
    sides = value.type.tensor_type.shape.dim
    return tuple(side.dim_value if side.HasField("dim_value") else None for side in sides)
