"""OpenVINO (Apache-2.0) on the CPU, which computes with 16 bits where the processor can.

OpenVINO compiles a graph for each shape of its inputs. To compile takes longer than to run, so
batches are cut into pieces of few lengths, compiled graphs are kept on disk, and those that will
be needed are compiled in the background while the first medium is opened.

One piece is computed by one thread, as with ONNX Runtime: results do not depend on the number of
threads.
"""

import contextlib
import io
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import Any

import numpy as np
import openvino as ov

from analyzer.errors import ResourceError, UsageError, WeightsError
from analyzer.files import cache
from analyzer.files.atomic import atomic_write_bytes
from analyzer.files.hashing import file_sha256, sha256
from analyzer.inference.backends._batch import (
    Arrays,
    OutOfMemory,
    Outputs,
    join,
    rows,
    run_or_halve,
)

_LENGTHS = (4, 1)
"""Lengths of the pieces of a batch. Longer ones are no quicker a face, and idle threads longer."""
_PIECE_BYTES = 1 << 20
"""Size of the inputs of a piece, unless one picture is larger."""
_MOST_SHAPES = 8
"""Number of shapes of one graph that stay compiled in memory."""
_MOST_FILES = 32
"""Number of compiled graphs on disk, of up to 50 MB each."""
_DIGEST_BYTES, _SUFFIX = 32, ".bin"
_PROCESSOR = Path("/proc/cpuinfo")
_MEMORY_MESSAGES = ("allocate", "out of memory", "bad_alloc")
"""Parts of messages about too little memory, which has no exception of its own."""

Shapes = Mapping[str, tuple[int, ...]]
"""Shape of each input, by name."""


def create(*, device: str = "auto", threads: int = 0, precision: str = "exact") -> "OpenVino":
    """OpenVINO on the CPU; in precision fast with bfloat16, where the processor has it.

    Args:
        device: `auto` or `cpu`.
        threads: Number of threads; 0 = every core.
        precision: `exact` or `fast`.

    Raises:
        UsageError: Another device.
    """
    return OpenVino(device, threads, precision)


class OpenVino:
    """OpenVINO on the CPU; see `analyzer.inference.backends.Backend`."""

    device = "cpu"

    def __init__(self, device: str, threads: int, precision: str) -> None:
        if device not in ("auto", "cpu"):
            raise UsageError(
                f"device {device!r}: backend openvino runs on the CPU: use --device cpu, or "
                "another --backend"
            )
        self._core = ov.Core()
        self._numbers = "f32" if precision == "exact" else _own_arithmetic(self._core)
        self.arithmetic = self._numbers
        if precision == "fast" and _has_eight_bits():
            self.arithmetic += "+i8"
        self._threads = threads or len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(self._threads)
        self._background = ThreadPoolExecutor(1, thread_name_prefix="compile")

    def load(self, model: Path | bytes) -> "OpenVinoSession":
        """Load a network; see `analyzer.inference.backends.Backend`."""
        name = "the network" if isinstance(model, bytes) else str(model)
        source: bytes | str
        try:
            if isinstance(model, bytes):
                digest, source = sha256([model]).hexdigest(), model
            else:
                digest, source = file_sha256(model), str(model)
            graph = self._core.read_model(source)
        except Exception as error:  # its exceptions have no common base
            raise WeightsError(
                f"{name}: OpenVINO cannot load it: {_reason(error)}; get the file anew"
            ) from error
        compiler = Compiler(self._core, graph, digest, self._numbers, self._threads)
        return OpenVinoSession(graph, compiler, self._pool, self._background, name)

    def release(self) -> None:
        """Keep everything: what is compiled serves the next medium."""


class Compiler:
    """Compiles one graph for given shapes, or reads it from the cache.

    Args:
        core: Library.
        graph: The graph, with free shapes.
        digest: SHA-256 of its file, in hexadecimal.
        arithmetic: `f32` or `bf16`.
        threads: Number of pieces that are computed at once.
    """

    def __init__(
        self, core: "ov.Core", graph: "ov.Model", digest: str, arithmetic: str, threads: int
    ) -> None:
        self._core, self._graph, self._threads = core, graph, threads
        self._settings = {
            "INFERENCE_PRECISION_HINT": arithmetic,
            "NUM_STREAMS": threads,  # each computes one piece, in a thread
            "INFERENCE_NUM_THREADS": threads,
            # Two graphs at work, and other programs, would be tied to the same cores.
            "ENABLE_CPU_PINNING": False,
        }
        # A graph that was read from the cache keeps the threads that it was compiled for.
        self._prefix = f"{digest[:32]}-{arithmetic}-{threads}-"

    def last_shapes(self) -> Shapes | None:
        """Return the shapes for which this graph was compiled last; `None` if it is not known."""
        files = sorted(_folder(self._core).glob(f"{self._prefix}*{_SUFFIX}"), key=_last_use)
        if not files:
            return None
        sides = [
            tuple(map(int, text.split("x")))
            for text in files[-1].stem[len(self._prefix) :].split(",")
        ]
        return dict(zip((i.any_name for i in self._graph.inputs), sides, strict=True))

    def compile(self, shapes: Shapes) -> "SimpleQueue[ov.InferRequest]":
        """Return the requests of a compiled graph, one for each thread.

        Two threads must never share one: OpenVINO then waits for ever.

        Args:
            shapes: Shape of each input.

        Raises:
            RuntimeError: The graph takes no such shapes.
        """
        compiled = self._cached(shapes)
        requests: SimpleQueue[Any] = SimpleQueue()
        for _ in range(self._threads):
            requests.put(compiled.create_infer_request())
        return requests

    def _cached(self, shapes: Shapes) -> Any:
        sides = ("x".join(map(str, shapes[i.any_name])) for i in self._graph.inputs)
        path = _folder(self._core) / f"{self._prefix}{','.join(sides)}{_SUFFIX}"
        with contextlib.suppress(OSError, RuntimeError):
            return self._read(path)
        graph = self._graph.clone()
        graph.reshape({name: ov.PartialShape(list(shape)) for name, shape in shapes.items()})
        compiled = self._core.compile_model(graph, "CPU", self._settings)
        # A cache that cannot be written costs every process the time of compiling, nothing else.
        with contextlib.suppress(ResourceError, RuntimeError):
            _write(path, compiled)
        return compiled

    def _read(self, path: Path) -> Any:
        """Return a compiled graph from the cache.

        Raises:
            OSError: There is none.
            RuntimeError: It is damaged, which would end the process, or of another OpenVINO.
        """
        content = path.read_bytes()
        digest, blob = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if sha256([blob]).digest() != digest:
            raise RuntimeError("damaged")
        compiled = self._core.import_model(io.BytesIO(blob), "CPU", self._settings)
        os.utime(path)
        return compiled


class OpenVinoSession:
    """Network in OpenVINO.

    Args:
        graph: The graph, with free shapes.
        compiler: Compiler of the graph.
        pool: Threads that run the pieces of a batch.
        background: Thread that compiles.
        name: Name of the network, for messages.
    """

    def __init__(
        self,
        graph: "ov.Model",
        compiler: Compiler,
        pool: ThreadPoolExecutor,
        background: ThreadPoolExecutor,
        name: str,
    ) -> None:
        self._compiler, self._pool, self._background = compiler, pool, background
        self._name = name
        self.inputs = {i.any_name: _shape(i.partial_shape) for i in graph.inputs}
        self.outputs = [output.any_name for output in graph.outputs]
        self._single = any(shape[:1] == (1,) for shape in self.inputs.values())
        self._lock = Lock()
        self._compiled: dict[tuple[tuple[str, tuple[int, ...]], ...], Future[Any]] = {}
        for shapes in self._expected():
            self._requests(shapes)

    def run(self, **inputs: "np.ndarray[Any, Any]") -> Outputs:
        """Execute the network; see `analyzer.inference.backends.Session`."""
        for name, shape in self.inputs.items():
            # A graph of one size could be compiled for others, with wrong answers.
            given = inputs[name].shape
            if any(side not in (None, is_) for side, is_ in zip(shape[1:], given[1:], strict=True)):
                raise self._unfit(f"{name} is {given[1:]}, not {shape[1:]}")
        return run_or_halve(self._run, inputs, lambda: None)

    def _run(self, inputs: Arrays) -> Outputs:
        return join(list(self._pool.map(self._execute, _pieces(inputs, single=self._single))))

    def _execute(self, inputs: Arrays) -> Outputs:
        try:
            requests = self._requests({name: array.shape for name, array in inputs.items()})
            request = requests.result().get()
            try:
                for name, array in inputs.items():
                    tensor = ov.Tensor(
                        np.require(array, requirements=["C", "W"]), shared_memory=True
                    )
                    request.set_tensor(name, tensor)
                request.infer()
                return [np.array(output.data) for output in request.output_tensors]
            finally:
                requests.result().put(request)
        except (RuntimeError, MemoryError) as error:
            raise self._failure(error, inputs) from error

    def _failure(self, error: Exception, inputs: Arrays) -> Exception:
        """Return the error to raise for an exception of OpenVINO."""
        reason = _reason(error)
        if isinstance(error, MemoryError) or any(m in str(error) for m in _MEMORY_MESSAGES):
            return OutOfMemory(rows(inputs), reason)
        return self._unfit(reason)

    def _unfit(self, reason: str) -> WeightsError:
        return WeightsError(
            f"{self._name}: it was made for other inputs: {reason}; use the network that its "
            "component was made for"
        )

    def _requests(self, shapes: Shapes) -> "Future[SimpleQueue[Any]]":
        """Return the requests for some shapes, which may still be compiled in the background."""
        key = tuple(shapes.items())
        with self._lock:
            # The one used last is the last.
            future = self._compiled.pop(key, None)
            if future is None:
                future = self._background.submit(self._compiler.compile, shapes)
            self._compiled[key] = future
            if len(self._compiled) > _MOST_SHAPES:
                del self._compiled[next(iter(self._compiled))]
        return future

    def _expected(self) -> Iterator[Shapes]:
        """Yield the shapes of the first batches, as far as they can be known."""
        if any(side is None for shape in self.inputs.values() for side in shape[1:]):
            last = self._compiler.last_shapes()
            yield from [last] if last else []
            return
        sides = {name: tuple(map(int, shape[1:])) for name, shape in self.inputs.items()}  # type: ignore[arg-type]
        for length in (1,) if self._single else _LENGTHS:
            yield {name: (length, *shape) for name, shape in sides.items()}


def _own_arithmetic(core: "ov.Core") -> str:
    """Return the numbers that OpenVINO takes on this processor by itself: `bf16` or `f32`.

    Its list of abilities has bfloat16 also where that is only imitated, slower than `f32`.
    """
    return str(core.get_property("CPU", "INFERENCE_PRECISION_HINT").get_type_name())


def _has_eight_bits() -> bool:
    """Return whether the processor adds up products of 8 bits in one step (VNNI, AMX).

    Without it they are no quicker, and sums of two can be cut off at 16 bits.
    """
    with contextlib.suppress(OSError):
        flags = set(_PROCESSOR.read_text().split())
        return not flags.isdisjoint({"avx512_vnni", "avx_vnni", "amx_int8"})
    return False


def _pieces(inputs: Arrays, *, single: bool) -> Iterator[Arrays]:
    """Cut a batch into pieces of few lengths, the long ones first."""
    row_bytes = sum(array.nbytes for array in inputs.values()) // rows(inputs)
    done = 0
    for length in (1,) if single or row_bytes * _LENGTHS[0] > _PIECE_BYTES else _LENGTHS:
        while done + length <= rows(inputs):
            yield {name: array[done : done + length] for name, array in inputs.items()}
            done += length


def _folder(core: "ov.Core") -> Path:
    """Return the folder of compiled graphs: of this version of OpenVINO and this processor.

    A graph's file there is named by the SHA-256 of the network, arithmetic, threads and shapes.
    """
    names = ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES")
    processor = repr([core.get_property("CPU", name) for name in names])
    version = ov.get_version().replace("/", "_")
    return cache.path("openvino", version, sha256([processor.encode()]).hexdigest()[:16])


def _write(path: Path, compiled: Any) -> None:
    """Write a compiled graph, with its hash, and remove those that were not used for longest."""
    stream = io.BytesIO()
    compiled.export_model(stream)
    blob = stream.getvalue()
    atomic_write_bytes(path, sha256([blob]).digest() + blob)
    files = [file for file in cache.path("openvino").rglob("*") if file.is_file()]
    for old in sorted(files, key=_last_use)[:-_MOST_FILES]:
        old.unlink(missing_ok=True)


def _last_use(path: Path) -> float:
    """Return when a file was used last, in seconds; 0 if it was removed meanwhile."""
    with contextlib.suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _shape(shape: Any) -> tuple[int | None, ...]:
    return tuple(None if side.is_dynamic else side.get_length() for side in shape)


def _reason(error: Exception) -> str:
    """Return the last line of a message of OpenVINO, which begins with places of its source."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
