"""Batches that a backend runs in pieces: for graphs of one picture, and where memory is short."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from analyzer.errors import ResourceError

Arrays = Mapping[str, "np.ndarray[Any, Any]"]
Outputs = list["np.ndarray[Any, Any]"]


class OutOfMemory(ResourceError):
    """The device has no room for this batch."""

    def __init__(self, count: int, reason: str) -> None:
        super().__init__(
            f"out of memory with {count} in a batch ({reason}); give a smaller --batch_size, or "
            "--device cpu"
        )


def rows(inputs: Arrays) -> int:
    """Length of the batch."""
    return len(next(iter(inputs.values())))


def cut(inputs: Arrays, step: int) -> Iterator[Arrays]:
    """Divide a batch into pieces of this length; an empty one is one piece."""
    for at in range(0, max(1, rows(inputs)), step):
        yield {name: array[at : at + step] for name, array in inputs.items()}


def join(pieces: Sequence[Outputs]) -> Outputs:
    """Put the outputs of pieces together."""
    return [np.concatenate(column) for column in zip(*pieces, strict=True)]


def halving(
    run: Callable[[Arrays], Outputs], inputs: Arrays, release: Callable[[], None]
) -> Outputs:
    """Run a batch; where memory gives out, its halves, once.

    Args:
        run: Raises `OutOfMemory`.
        inputs: The batch.
        release: Gives back what memory can be spared.

    Raises:
        OutOfMemory: A half, or a batch of one, is too large as well.
    """
    try:
        return run(inputs)
    except OutOfMemory:
        release()
        if rows(inputs) < 2:
            raise
    return join([run(piece) for piece in cut(inputs, -(-rows(inputs) // 2))])
