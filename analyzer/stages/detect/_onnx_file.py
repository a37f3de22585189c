"""Networks of detectors, read from files."""

from pathlib import Path
from typing import Any

import onnx

from analyzer.errors import WeightsError


def read(path: Path, *, cure: str) -> Any:
    """Read an ONNX network; see `analyzer.stages.detect._input.read_onnx`."""
    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf's own errors have no public base
        raise WeightsError(f"{path}: not a whole ONNX file; {cure}") from error
    return model
