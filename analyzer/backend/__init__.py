"""Stage: the library that executes networks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np


class Session(Protocol):
    """One network, loaded."""

    outputs: Sequence[str]
    """Names of the outputs, in order."""

    def run(self, **inputs: "np.ndarray[Any, Any]") -> "list[np.ndarray[Any, Any]]":
        """Execute the network; inputs by name, outputs in the order of ``outputs``.

        Raises:
            ResourceError: the device is out of memory.
        """
        ...


class Backend(Protocol):
    """Loads networks in ONNX form."""

    device: str
    """The device in use: ``cpu``, ``cuda:0``."""

    def load(self, model: Path | bytes) -> Session:
        """Load a network from a file or from its bytes.

        Raises:
            WeightsError: not an ONNX network, or truncated.
        """
        ...
