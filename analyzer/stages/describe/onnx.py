"""Networks of the user's: one that says who a face is and, where named, one that says what."""

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
"""From chips (n, S, S, 3) to the heads' values."""


def create(
    *,
    embed: str = "",
    attributes_: str = "",
    spec: str = "",
    attributes_spec: str = "",
    attributes: tuple[str, ...] = (),
    runtime: Runtime,
) -> "OnnxDescriber":
    """Any ONNX networks: embed=FILE.onnx, attributes=FILE.onnx or dlib_resnet; see docs/models.md.

    Args:
        embed: file, or name among ``models list``, of the network that makes embeddings.
        attributes_: of the network that makes attributes, or another describer; empty: those that
            the first network makes, mostly none.
        spec: what is to be known of the first network; see `analyzer.weights.network_spec.resolve`.
        attributes_spec: of the second.
        attributes: heads to compute.
        runtime: where to compute.

    Raises:
        UsageError: no network is named, or nothing is known of it.
        WeightsError: no network, or one that is not as its specification says.
    """
    if not embed:
        raise UsageError("describer onnx: name a network: onnx:embed=FILE.onnx")
    who = Network(*network_spec.resolve(embed, spec), runtime)
    if who.spec.threshold is None:
        raise UsageError(
            f"{embed}: its specification states no threshold, so it makes no embeddings; give "
            f"another network: onnx:embed=FILE.onnx,attributes={embed}"
        )
    if attributes_ in registry.names("describe"):
        return _beside_describer(who, attributes_, attributes, runtime)
    what = (
        Network(*network_spec.resolve(attributes_, attributes_spec), runtime)
        if attributes_
        else who
    )
    return OnnxDescriber(who, _wanted(what), _heads(what, attributes), what.provenance, attributes)


class OnnxDescriber:
    """Embeddings of one network, attributes of another; see `analyzer.stages.describe.Describer`.

    Args:
        who: the network that makes embeddings.
        wanted: the chips that the attributes are made of.
        heads: makes them.
        provenance: of what makes them.
        attributes: asked for; those that are not made stay unknown.
        calibration: of the attributes.
    """

    def __init__(
        self,
        who: Network,
        wanted: InputView,
        heads: Heads,
        provenance: Mapping[str, str],
        attributes: tuple[str, ...],
        calibration: Calibration | None = None,
    ) -> None:
        self._who, self._heads = who, heads
        self._output = who.output(who.spec.embedding)
        self.dimensions = who.width(self._output)
        self.head_sizes: Mapping[str, int] = {name: SIZES[name] for name in attributes}
        self._views: list[View]
        self.aligner, self._views = plan([_wanted(who), wanted])
        sides = dict(Spec.parse(self.aligner).options)
        self._side = int(sides["size"]) + int(sides.get("beside", 0))
        self.threshold = who.spec.threshold or 0.0
        self.calibration = calibration
        self.provenance = {**who.provenance, **provenance}

    def describe(self, images: U8) -> Descriptions:
        """Describe chips; see `analyzer.stages.describe.Describer`.

        Raises:
            UsageError: chips of another aligner.
        """
        if images.shape[1] != self._side:
            raise UsageError(
                f"describer onnx: chips of {images.shape[1]} px instead of {self._side}: it sees "
                "what its own aligner cuts; evaluate attributes has chips of dlib's, 150 px, only"
            )
        own, others = (view.take(images) for view in self._views)
        vectors = self._who(own)[self._output]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        made = self._heads(others)
        unknown = {
            name: np.full((len(images), size), np.nan, np.float32)
            for name, size in self.head_sizes.items()
        }
        return Descriptions(
            embeddings=vectors / np.maximum(lengths, 1e-12), heads={**unknown, **made}
        )


def _wanted(network: Network) -> InputView:
    spec = network.spec
    return InputView(spec.alignment, spec.size, spec.padding)


def _heads(network: Network, attributes: tuple[str, ...]) -> Heads:
    """What makes the attributes that are asked for and that a network knows."""
    asked = [head for head in network.spec.heads if head.name in attributes]
    for head in asked:
        network.check(head)

    def heads(images: U8) -> Mapping[str, F32]:
        outputs = network(images) if asked else {}
        return {head.name: network.head(head, outputs) for head in asked}

    return heads


def _beside_describer(
    who: Network, name: str, attributes: tuple[str, ...], runtime: Runtime
) -> OnnxDescriber:
    """The attributes of another describer beside a network's embeddings."""
    if name == "onnx":
        raise UsageError("describer onnx: attributes=FILE.onnx, or another describer's name")
    other: Describer = registry.load("describe", name, runtime=runtime, attributes=attributes)
    aligner = Spec.parse(other.aligner)
    options = dict(aligner.options)
    wanted = InputView(aligner.name, int(options["size"]), float(options["padding"]))

    def heads(images: U8) -> Mapping[str, F32]:
        return other.describe(images).heads

    return OnnxDescriber(who, wanted, heads, other.provenance, attributes, other.calibration)
