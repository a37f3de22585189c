"""Graphs of old exporters, which list their weights among their inputs."""

import onnx


def converted(source: bytes | str) -> bytes:
    """Return a graph without its weights among its inputs.

    Weights that a run may replace cannot be folded, nor laid out for the processor: that costs
    more than half of the speed.

    Args:
        source: The serialized graph, or the path of its file.
    """
    model = onnx.load_from_string(source) if isinstance(source, bytes) else onnx.load(source)
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    return bytes(model.SerializeToString())
