"""Stage: the library that executes networks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np


class Session(Protocol):
    """One network, loaded."""

    inputs: Mapping[str, tuple[int | None, ...]]
    """Name and shape of each input; `None` where a side is free."""
    outputs: Sequence[str]
    """Names of the outputs, in order."""

    def run(self, **inputs: "np.ndarray[Any, Any]") -> "list[np.ndarray[Any, Any]]":
        """Execute the network; inputs by name, outputs in the order of `outputs`.

        A batch may be of any size: a graph that is made for one picture is run for each. Where
        memory gives out, both halves of the batch are tried, once.

        Raises:
            ResourceError: The device is out of memory, or gave up.
            WeightsError: The inputs are not what the network was made for.
        """
        ...


class Backend(Protocol):
    """Loads networks in ONNX form."""

    device: str
    """The device in use: `cpu`, `cuda:0`."""

    def load(self, model: Path | bytes) -> Session:
        """Load a network from a file or from its bytes.

        Raises:
            WeightsError: Not an ONNX network, or truncated.
        """
        ...

    def release(self) -> None:
        """Give memory back that only speeds up the next batch; after each medium."""
        ...
