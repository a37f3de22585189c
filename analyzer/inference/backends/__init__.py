"""Plug-ins: libraries that execute networks, and the protocols that they fulfil.

In: a network in ONNX form, and batches. Out: arrays.
Used by `analyzer.inference.runtime`, through the registry.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np


class Session(Protocol):
    """A loaded network."""

    inputs: Mapping[str, tuple[int | None, ...]]
    """Name and shape of each input; `None` where a side is free."""
    outputs: Sequence[str]
    """Names of the outputs, in order."""

    def run(self, **inputs: "np.ndarray[Any, Any]") -> "list[np.ndarray[Any, Any]]":
        """Execute the network on a batch of any size.

        A graph made for one picture is run once for each picture. Where memory is not enough, the
        batch is run as two halves, once.

        Args:
            inputs: Arrays by the names of `inputs`; their first axis is the batch.

        Returns:
            Arrays in the order of `outputs`.

        Raises:
            ResourceError: The device is out of memory, or failed.
            WeightsError: The network takes other inputs.
        """
        ...


class Backend(Protocol):
    """Library that executes networks in ONNX form, on one device."""

    device: str
    """The device in use: `cpu`, `cuda:0`."""
    arithmetic: str
    """Numbers with which it computes: `f32`; in precision `fast` also `bf16` or `f16`, and `+i8`
    where layers that a graph rounds to 8 bits are quicker so."""

    def load(self, model: Path | bytes) -> Session:
        """Load a network.

        Args:
            model: Path of an ONNX file, or its bytes.

        Raises:
            WeightsError: The file is not an ONNX network, or is truncated.
        """
        ...

    def release(self) -> None:
        """Free memory that only speeds up the next batch; called after each medium."""
        ...
