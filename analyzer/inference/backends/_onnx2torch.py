"""Import of onnx2torch, also on machines where torchvision cannot be imported.

onnx2torch imports torchvision for two operators, NonMaxSuppression and RoiAlign. If torchvision is
missing, or was built for another PyTorch, graphs without these operators can still be converted.
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
    """Return modules that replace torchvision while onnx2torch is imported."""
    package, operators = types.ModuleType("torchvision"), types.ModuleType("torchvision.ops")
    for name in ("nms", "roi_align"):
        setattr(operators, name, _no_operator)
    package.__dict__["ops"] = operators
    return {"torchvision": package, "torchvision.ops": operators}


@contextmanager
def _torchvision() -> Iterator[None]:
    """Make torchvision importable inside the context, as a stand-in if necessary."""
    try:
        importlib.import_module("torchvision")
    except (ImportError, RuntimeError):  # RuntimeError: it was built for another PyTorch
        replacements = _stand_in()
        sys.modules.update(replacements)
        try:
            yield
        finally:
            for name in replacements:
                del sys.modules[name]
    else:
        yield


with _torchvision():
    from onnx2torch import convert as convert
