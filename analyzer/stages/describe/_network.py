"""One describing network of the user's: what it is shown, and what its outputs mean."""

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
        path: of the graph.
        spec: what is to be known of it.
        runtime: where to compute.

    Raises:
        WeightsError: no ONNX network, or one that is not as the specification says.
    """

    def __init__(self, path: Path, spec: NetworkSpec, runtime: Runtime) -> None:
        self.path, self.spec = path, spec
        self.provenance: Mapping[str, str] = {path.name: locate.sha256(path)}
        self._batch_size = runtime.batch_size
        self._session = runtime.load(path)
        self._input = self._only_input()
        # One black picture tells what the outputs are like, before any job begins.
        self._like = self._run(np.zeros((1, spec.size, spec.size, 3), np.uint8))

    def __call__(self, images: U8) -> dict[str, F32]:
        """All outputs (n, k), by name, for chips (n, S, S, 3); n may be 0."""
        parts = [self._run(batch) for batch in self._batches(images)]
        return {
            name: np.concatenate([like[:0], *(part[name] for part in parts)])
            for name, like in self._like.items()
        }

    def output(self, name: str) -> str:
        """The output of this name; of a network with only one, that one.

        Raises:
            WeightsError: there is none.
        """
        known = tuple(self._session.outputs)
        if not name and len(known) == 1:
            return known[0]
        if name not in known:
            said = f"no output {name!r}" if name else "several outputs"
            raise WeightsError(
                f"{self.path}: {said}; there are: {', '.join(known)}; name it in the specification"
            )
        return name

    def width(self, output: str) -> int:
        """Return the number of values that an output has for one chip."""
        return self._like[output].shape[1]

    def check(self, head: Head) -> None:
        """Raise unless the outputs have what a head takes from them."""
        width = self.width(self.output(head.output))
        columns = head.columns or range(width)
        wanted = (1, 2) if head.name == "sex" else (head.width,)
        if len(columns) not in wanted or not all(0 <= c < width for c in columns):
            raise WeightsError(
                f"{self.path}: {head.name} wants {' or '.join(map(str, wanted))} of the {width} "
                f"columns of {self.output(head.output)!r}; give others with columns: [...]"
            )

    def head(self, head: Head, outputs: Mapping[str, F32]) -> F32:
        """A head's values as `analyzer.attributes.heads` wants them: (n, k)."""
        raw = outputs[self.output(head.output)]
        return values(head, raw[:, list(head.columns)] if head.columns else raw)

    def _only_input(self) -> str:
        spec, inputs = self.spec, self._session.inputs
        wanted = (3, spec.size, spec.size) if spec.layout == "NCHW" else (spec.size, spec.size, 3)
        fits = [
            name
            for name, shape in inputs.items()
            if len(shape) == 4
            and all(side in (None, want) for side, want in zip(shape[1:], wanted, strict=True))
        ]
        if len(inputs) != 1 or not fits:
            shown = ", ".join(f"{name} {_shown(shape)}" for name, shape in inputs.items())
            raise WeightsError(
                f"{self.path}: its input is {shown}, and the specification says "
                f"{_shown((None, *wanted))}: change size or layout there"
            )
        return fits[0]

    def _batches(self, images: U8) -> Iterator[U8]:
        for start in range(0, len(images), self._batch_size):
            yield images[start : start + self._batch_size]

    def _run(self, images: U8) -> dict[str, F32]:
        outputs = self._session.run(**{self._input: self._pixels(images)})
        rows = (np.asarray(o, np.float32).reshape(len(images), -1) for o in outputs)
        return dict(zip(self._session.outputs, rows, strict=True))

    def _pixels(self, images: U8) -> F32:
        """Chips as the network wants them."""
        ordered = images[..., ::-1] if self.spec.colour == "BGR" else images
        mean, std = (np.array(v, np.float32) for v in (self.spec.mean, self.spec.std))
        scaled = (ordered.astype(np.float32) - mean) / std
        if self.spec.layout == "NCHW":
            scaled = scaled.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(scaled)


def values(head: Head, raw: F32) -> F32:
    """What columns (n, c) of an output say, as decision values (n, k)."""
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
    inside = np.clip(probabilities, _TINY, 1 - _TINY)
    return np.log(inside / (1 - inside))


def _shown(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("n" if side is None else str(side) for side in shape) + ")"
