"""Libraries that may be missing."""

import importlib.util

import pytest


def need_onnx2torch() -> None:
    if importlib.util.find_spec("onnx2torch") is None:
        pytest.skip("onnx2torch is not installed")
