"""Imports onnx2torch, also where torchvision cannot be.

It imports torchvision for the two operators NonMaxSuppression and RoiAlign. Where that is missing,
or was built for another PyTorch, graphs without them are converted all the same.
"""

import importlib
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from analyzer.errors import ResourceError


def _no_operator(*_: Any, **__: Any) -> Any:
    raise ResourceError("this network needs torchvision; install it with: pip install torchvision")


def _stand_in() -> dict[str, types.ModuleType]:
    """What stands for torchvision while onnx2torch is imported."""
    package, operators = types.ModuleType("torchvision"), types.ModuleType("torchvision.ops")
    for name in ("nms", "roi_align"):
        setattr(operators, name, _no_operator)
    package.__dict__["ops"] = operators
    return {"torchvision": package, "torchvision.ops": operators}


@contextmanager
def _torchvision() -> Iterator[None]:
    try:
        importlib.import_module("torchvision")
    except (ImportError, RuntimeError):  # built for another PyTorch, it raises RuntimeError
        absent = _stand_in()
        sys.modules.update(absent)
        try:
            yield
        finally:
            for name in absent:
                del sys.modules[name]
    else:
        yield


with _torchvision():
    from onnx2torch import convert as convert
