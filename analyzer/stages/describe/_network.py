"""One describing network of the user: its input, and the meaning of its outputs."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from analyzer.attributes import heads
from analyzer.errors import WeightsError
from analyzer.inference.runtime import Runtime
from analyzer.types import F32, F64, U8
from analyzer.weights import locate
from analyzer.weights.network_spec import Head, NetworkSpec

_TINY = 1e-7
"""Probabilities stay this far from 0 and 1."""


class Network:
    """A graph with one picture as its input.

    Args:
        path: Path of the graph.
        spec: Specification of its input and outputs.
        runtime: Runtime that executes it.

    Raises:
        WeightsError: Not an ONNX network, or one that does not fit the specification.
    """

    def __init__(self, path: Path, spec: NetworkSpec, runtime: Runtime) -> None:
        self.path, self.spec = path, spec
        self.provenance: Mapping[str, str] = {path.name: locate.sha256(path)}
        self._batch_size = runtime.batch_size
        self._session = runtime.load(path)
        self._input = self._only_input()
        # A run shows the widths of the outputs, which a graph need not declare, and errors before
        # any job begins.
        self._example = self._run(np.zeros((1, spec.size, spec.size, 3), np.uint8))

    def __call__(self, images: U8) -> dict[str, F32]:
        """Return all outputs for chips.

        Args:
            images: (n, S, S, 3) uint8, RGB; n may be 0.

        Returns:
            Name -> values (n, k) float32 of each output.
        """
        parts = [self._run(batch) for batch in self._batches(images)]
        return {
            name: np.concatenate([example[:0], *(part[name] for part in parts)])
            for name, example in self._example.items()
        }

    def output(self, name: str) -> str:
        """Return the full name of an output.

        Args:
            name: Name of the output; empty: the only output of the network.

        Raises:
            WeightsError: No output of this name, or more than one without a name.
        """
        outputs = tuple(self._session.outputs)
        if not name and len(outputs) == 1:
            return outputs[0]
        if name not in outputs:
            problem = f"no output {name!r}" if name else "several outputs"
            raise WeightsError(
                f"{self.path}: {problem}; there are: {', '.join(outputs)}; "
                "name it in the specification"
            )
        return name

    def width(self, output: str) -> int:
        """Return the number of values that an output has for one chip."""
        return self._example[output].shape[1]

    def check(self, head: Head) -> None:
        """Require that the outputs have the columns of a head.

        Raises:
            WeightsError: Other columns.
        """
        width = self.width(self.output(head.output))
        columns = head.columns or range(width)
        counts = (1, 2) if head.name == "sex" else (head.width,)
        if len(columns) not in counts or not all(0 <= c < width for c in columns):
            raise WeightsError(
                f"{self.path}: {head.name} wants {' or '.join(map(str, counts))} of the {width} "
                f"columns of {self.output(head.output)!r}; give others with columns: [...]"
            )

    def head(self, head: Head, outputs: Mapping[str, F32]) -> F32:
        """Return the decision values (n, k) of a head; see `analyzer.attributes.heads`.

        Args:
            head: The head.
            outputs: Name -> values (n, c) of each output.
        """
        raw = outputs[self.output(head.output)]
        return values(head, raw[:, list(head.columns)] if head.columns else raw)

    def _only_input(self) -> str:
        """Return the name of the input.

        Raises:
            WeightsError: Several inputs, or one that does not fit the specification.
        """
        spec, inputs = self.spec, self._session.inputs
        expected = (3, spec.size, spec.size) if spec.layout == "NCHW" else (spec.size, spec.size, 3)
        fits = [
            name
            for name, shape in inputs.items()
            if len(shape) == 4
            and all(a in (None, b) for a, b in zip(shape[1:], expected, strict=True))
        ]
        if len(inputs) != 1 or not fits:
            shown = ", ".join(f"{name} {_shape_text(shape)}" for name, shape in inputs.items())
            raise WeightsError(
                f"{self.path}: its input is {shown}, and the specification says "
                f"{_shape_text((None, *expected))}: change size or layout there"
            )
        return fits[0]

    def _batches(self, images: U8) -> Iterator[U8]:
        for start in range(0, len(images), self._batch_size):
            yield images[start : start + self._batch_size]

    def _run(self, images: U8) -> dict[str, F32]:
        """Return all outputs (n, k) by name for one batch."""
        outputs = self._session.run(**{self._input: self._pixels(images)})
        rows = (np.asarray(o, np.float32).reshape(len(images), -1) for o in outputs)
        return dict(zip(self._session.outputs, rows, strict=True))

    def _pixels(self, images: U8) -> F32:
        """Convert chips to the form of the network's input."""
        ordered = images[..., ::-1] if self.spec.colour == "BGR" else images
        mean, std = (np.array(v, np.float32) for v in (self.spec.mean, self.spec.std))
        scaled = (ordered.astype(np.float32) - mean) / std
        if self.spec.layout == "NCHW":
            scaled = scaled.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(scaled)


def values(head: Head, raw: F32) -> F32:
    """Convert columns of an output to decision values; see `analyzer.attributes.heads`.

    Args:
        head: The head to which the columns belong.
        raw: (n, c) float32, the columns.

    Returns:
        (n, k) float32.
    """
    wide = raw.astype(np.float64)
    if head.values == "probabilities":
        wide = np.log(np.clip(wide, _TINY, 1)) if wide.shape[1] > 1 else _logit(wide)
    if head.name == "sex":
        wide = wide[:, :1] - wide[:, 1:] if wide.shape[1] == 2 else wide
    elif head.values in ("years", "decfunc"):
        years = wide * head.factor if head.values == "years" else heads.years(wide)
        return heads.bins_of(years[:, 0])
    return wide.astype(np.float32)


def _logit(probabilities: F64) -> F64:
    """Return the logits of probabilities."""
    inside = np.clip(probabilities, _TINY, 1 - _TINY)
    return np.log(inside / (1 - inside))


def _shape_text(shape: tuple[int | None, ...]) -> str:
    """Return a shape as text, with `n` for free sides."""
    return "(" + ", ".join("n" if side is None else str(side) for side in shape) + ")"
