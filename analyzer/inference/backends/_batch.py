"""What backends share: batches in pieces, and numbers of 16 bits on GPUs alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from analyzer.errors import Incapable, ResourceError
from ina_cli import libraries

Arrays = Mapping[str, "np.ndarray[Any, Any]"]
Outputs = list["np.ndarray[Any, Any]"]


class OutOfMemory(ResourceError):
    """The device does not have enough memory for a batch."""

    def __init__(self, count: int, reason: str) -> None:
        super().__init__(
            f"out of memory with {count} in a batch ({reason}); give a smaller --batch_size, or "
            "--device cpu"
        )


def rows(inputs: Arrays) -> int:
    """Return the length of a batch."""
    return len(next(iter(inputs.values())))


def cut(inputs: Arrays, step: int) -> Iterator[Arrays]:
    """Divide a batch into pieces; an empty batch is one piece.

    Args:
        inputs: Arrays of the batch.
        step: Length of a piece.
    """
    for start in range(0, max(1, rows(inputs)), step):
        yield {name: array[start : start + step] for name, array in inputs.items()}


def join(pieces: Sequence[Outputs]) -> Outputs:
    """Return the outputs of a batch from the outputs of its pieces, in order."""
    return [np.concatenate(column) for column in zip(*pieces, strict=True)]


def run_or_halve(
    run: Callable[[Arrays], Outputs], inputs: Arrays, release: Callable[[], None]
) -> Outputs:
    """Run a batch; if memory is not enough, run its two halves, once.

    Of an empty batch, a picture of zeros shows the shapes of the outputs.

    Args:
        run: Function that runs a batch, or raises `OutOfMemory`.
        inputs: Arrays of the batch.
        release: Function that frees spare memory.

    Raises:
        OutOfMemory: A half, or a batch of one, is too large as well.
    """
    if not rows(inputs):
        one = {name: np.zeros((1, *a.shape[1:]), a.dtype) for name, a in inputs.items()}
        return [output[:0] for output in run(one)]
    try:
        return run(inputs)
    except OutOfMemory:
        release()
        if rows(inputs) < 2:
            raise
    return join([run(piece) for piece in cut(inputs, -(-rows(inputs) // 2))])


def arithmetic_on(device: str, precision: str, library: str) -> str:
    """Return the numbers with which a library that is fast on GPUs alone computes.

    Args:
        device: `cpu` or `cuda:N`.
        precision: `exact` or `fast`.
        library: Name of the library, for the message.

    Raises:
        Incapable: Precision `fast` on a CPU.
    """
    if precision == "exact":
        return "f32"
    if device == "cpu":
        raise Incapable(
            f"precision fast: on a CPU, {library} is quick with 32 bits alone; use --backend "
            f"openvino (pip install {libraries.requirements('openvino')}), or --precision exact"
        )
    return "f16"
