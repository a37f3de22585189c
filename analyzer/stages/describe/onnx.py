"""Networks of the user: one makes embeddings and, where named, another one makes attributes."""

from collections.abc import Callable, Mapping

import numpy as np

from analyzer import registry
from analyzer.attributes.calibration import Calibration
from analyzer.attributes.heads import SIZES
from analyzer.errors import UsageError
from analyzer.inference.runtime import Runtime
from analyzer.registry import Spec
from analyzer.stages.describe import Describer
from analyzer.stages.describe._network import Network
from analyzer.stages.describe._views import InputView, View, plan
from analyzer.types import F32, U8, Descriptions
from analyzer.weights import network_spec

Heads = Callable[[U8], Mapping[str, F32]]
"""Function from chips (n, S, S, 3) to the values of the heads."""


def create(
    *,
    embed: str = "",
    attributes_: str = "",
    spec: str = "",
    attributes_spec: str = "",
    attributes: tuple[str, ...] = (),
    runtime: Runtime,
) -> "OnnxDescriber":
    """Return a describer by any ONNX networks, such as `onnx:embed=FILE.onnx`.

    See docs/models.md.

    Args:
        embed: Path, or name among `models list`, of the network that makes embeddings.
        attributes_: The same of the network that makes attributes, or the name of another
            describer; empty: attributes of the first network, mostly none.
        spec: Specification of the first network; see `analyzer.weights.network_spec.resolve`.
        attributes_spec: Specification of the second network.
        attributes: Names of the heads to compute.
        runtime: Runtime that executes the networks.

    Raises:
        UsageError: No network is named, or it has no specification.
        WeightsError: Not a network, or one that does not fit its specification.
    """
    if not embed:
        raise UsageError("describer onnx: name a network: onnx:embed=FILE.onnx")
    embedder = Network(*network_spec.resolve(embed, spec), runtime)
    if embedder.spec.threshold is None:
        raise UsageError(
            f"{embed}: its specification states no threshold, so it makes no embeddings; give "
            f"another network: onnx:embed=FILE.onnx,attributes={embed}"
        )
    if attributes_ in registry.names("describe"):
        return _with_heads_of_describer(embedder, attributes_, attributes, runtime)
    labeller = embedder
    if attributes_:
        labeller = Network(*network_spec.resolve(attributes_, attributes_spec), runtime)
    return OnnxDescriber(
        embedder,
        _input_view(labeller),
        _heads(labeller, attributes),
        labeller.provenance,
        attributes,
    )


class OnnxDescriber:
    """Embeddings of one network, attributes of another; see `analyzer.stages.describe.Describer`.

    Args:
        embedder: Network that makes embeddings.
        heads_view: Chips from which the attributes are made.
        heads: Function that makes the attributes.
        provenance: Model file -> sha256 of the networks of the attributes.
        attributes: Names of the requested heads; those that are not made stay unknown.
        calibration: Calibration of the attributes.
    """

    def __init__(
        self,
        embedder: Network,
        heads_view: InputView,
        heads: Heads,
        provenance: Mapping[str, str],
        attributes: tuple[str, ...],
        calibration: Calibration | None = None,
    ) -> None:
        self._embedder, self._heads = embedder, heads
        self._output = embedder.output(embedder.spec.embedding)
        self.dimensions = embedder.width(self._output)
        self.head_sizes: Mapping[str, int] = {name: SIZES[name] for name in attributes}
        self._views: list[View]
        self.aligner, self._views = plan([_input_view(embedder), heads_view])
        sides = dict(Spec.parse(self.aligner).options)
        self._side = int(sides["size"]) + int(sides.get("beside", 0))
        self.threshold = embedder.spec.threshold or 0.0
        self.calibration = calibration
        self.provenance = {**embedder.provenance, **provenance}

    def describe(self, images: U8) -> Descriptions:
        """Describe chips; see `analyzer.stages.describe.Describer`.

        Raises:
            UsageError: Chips of another aligner.
        """
        if images.shape[1] != self._side:
            raise UsageError(
                f"describer onnx: chips of {images.shape[1]} px instead of {self._side}: it sees "
                "what its own aligner cuts; evaluate attributes has chips of dlib's, 150 px, only"
            )
        own, others = (view.take(images) for view in self._views)
        vectors = self._embedder(own)[self._output]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        heads = self._heads(others)
        unknown = {
            name: np.full((len(images), size), np.nan, np.float32)
            for name, size in self.head_sizes.items()
        }
        return Descriptions(
            embeddings=vectors / np.maximum(lengths, 1e-12), heads={**unknown, **heads}
        )


def _input_view(network: Network) -> InputView:
    """Return the chips on which a network was trained."""
    spec = network.spec
    return InputView(spec.alignment, spec.size, spec.padding)


def _heads(network: Network, attributes: tuple[str, ...]) -> Heads:
    """Return the function that makes the requested attributes that a network has."""
    requested = [head for head in network.spec.heads if head.name in attributes]
    for head in requested:
        network.check(head)

    def heads(images: U8) -> Mapping[str, F32]:
        outputs = network(images) if requested else {}
        return {head.name: network.head(head, outputs) for head in requested}

    return heads


def _with_heads_of_describer(
    embedder: Network, name: str, attributes: tuple[str, ...], runtime: Runtime
) -> OnnxDescriber:
    """Return a describer with a network's embeddings and another describer's attributes."""
    if name == "onnx":
        raise UsageError("describer onnx: attributes=FILE.onnx, or another describer's name")
    other: Describer = registry.load("describe", name, runtime=runtime, attributes=attributes)
    aligner = Spec.parse(other.aligner)
    options = dict(aligner.options)
    view = InputView(aligner.name, int(options["size"]), float(options["padding"]))

    def heads(images: U8) -> Mapping[str, F32]:
        return other.describe(images).heads

    return OnnxDescriber(embedder, view, heads, other.provenance, attributes, other.calibration)
