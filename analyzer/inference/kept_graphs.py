"""Graphs that take long to make, kept in the user's cache."""

import contextlib
from collections.abc import Callable, Sequence

from analyzer.errors import ResourceError, WeightsError
from analyzer.files import cache
from analyzer.files.atomic import atomic_write_bytes
from analyzer.files.hashing import sha256
from analyzer.inference.backends import Session
from analyzer.inference.runtime import Runtime


def load(name: str, key: Sequence[str], make: Callable[[], bytes], runtime: Runtime) -> Session:
    """Load a graph from the cache; one that is not there, or is damaged, is made and kept.

    Args:
        name: Start of the file's name.
        key: All on which the graph depends: hashes of weights, options, version of its maker.
        make: Function that returns the serialized graph.
        runtime: Runtime that loads the graph.

    Raises:
        AnalyzerError: What `make` and `Runtime.load` raise.
    """
    digest = sha256(["\n".join(key).encode()]).hexdigest()
    cached = cache.path("graphs", f"{name}-{digest[:32]}.onnx")
    if cached.is_file():
        with contextlib.suppress(WeightsError):
            return runtime.load(cached)
    model = make()
    # A cache that cannot be written costs every process the time of making, nothing else.
    with contextlib.suppress(ResourceError):
        atomic_write_bytes(cached, model)
    return runtime.load(model)
