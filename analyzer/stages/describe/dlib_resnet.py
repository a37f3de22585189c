"""dlib's face ResNet (128-D, 99.38 % on LFW) and an attribute branch on its trunk."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import dlib
import numpy as np

from analyzer.attributes.heads import SIZES
from analyzer.errors import UsageError, WeightsError
from analyzer.inference import kept_graphs
from analyzer.inference.backends import Session
from analyzer.inference.runtime import Runtime
from analyzer.stages.describe import _dlib_attributes, _dlib_dat, _dlib_eight_bits
from analyzer.types import F32, U8, Descriptions
from analyzer.weights import locate

TOLERANCE = 1e-5
"""Largest difference from dlib's own embeddings at which a graph is accepted."""
GRAPH_VERSION = 6
"""Part of the name of cached graphs; it grows when `_dlib_graph` makes other ones."""
UNSURE_LOGIT, SURE_LOGIT = 1.0, 2.0
"""Size of the logit of sex up to which a face and its mirror image count alike, and from which on
the face counts alone; a fifth of the faces lie below. In between the mirror image counts less and
less, for a step would show as a flicker within a track."""
UNIT_THRESHOLD = 0.36
"""`DlibResnet.threshold` for embeddings of length one; dlib's have 1.25 to 1.5, on average 1.37."""


def create(
    *, heads: str = "", mirror: bool = True, attributes: tuple[str, ...] = (), runtime: Runtime
) -> "DlibResnet":
    """Return a describer by dlib's face ResNet and the attribute branch on it.

    Args:
        heads: Path of a file that `train attributes` wrote; empty: the one of this package.
        mirror: Whether to look at the mirror image, too, of faces of which the sex is unsure;
            without it, or without a head for sex, each face is looked at once, which is a tenth
            quicker and a little less right.
        attributes: Names of the heads to compute.
        runtime: Runtime that executes the network.

    Raises:
        MissingDependency: The package that carries the weights is not installed.
        UsageError: The branch has no head for an attribute.
        WeightsError: Weights missing, altered, or not equal to dlib's own network.
    """
    path = Path(heads) if heads else _dlib_attributes.SHIPPED
    return DlibResnet(path, mirror, attributes, runtime)


class DlibResnet:
    """Embeddings and attributes of chips; see `analyzer.stages.describe.Describer`.

    Args:
        heads: Path of the branch.
        mirror: Whether the branch also sees the mirror image of faces of which the sex is unsure.
        attributes: Names of the heads to compute.
        runtime: Runtime that executes the network.
    """

    aligner = f"chip:size={_dlib_dat.SIZE},padding=0.25"
    # On 100 LFW pictures of 10 persons, two pictures of different persons come no nearer than
    # 0.56, the means of three pictures each 0.50; such means of one person stay below 0.43. dlib's
    # own 0.6 takes 0.4 % of the different pairs for one person, and clustering adds up such errors.
    threshold = 0.5
    dimensions = _dlib_dat.DIMENSIONS

    def __init__(
        self, heads: Path, mirror: bool, attributes: tuple[str, ...], runtime: Runtime
    ) -> None:
        self._attributes = tuple(name for name in SIZES if name in attributes)
        self.head_sizes: Mapping[str, int] = {name: SIZES[name] for name in self._attributes}
        self._batch_size = runtime.batch_size
        files = [locate.locate("dlib_resnet")]
        computed = self._attributes
        if self._attributes:
            files.append(heads)
            # Sex decides which faces are looked at again, also where ages alone are asked for.
            mirror = mirror and "sex" in _dlib_attributes.names(heads)
            needed = {*computed, "sex"} if mirror else computed
            computed = tuple(name for name in SIZES if name in needed)
        self._session = _session(files, computed, runtime)
        self._mirrored = (
            _session(files, computed, runtime, mirrored=True) if mirror and computed else None
        )
        self.calibration = _dlib_attributes.calibration(heads) if self._attributes else None
        self.provenance: Mapping[str, str] = {file.name: locate.sha256(file) for file in files}

    def describe(self, images: U8) -> Descriptions:
        """Describe chips; see `analyzer.stages.describe.Describer`."""
        outputs = self._run(images)
        if self._mirrored:
            self._look_again(self._mirrored, images, outputs)
        heads = {name: outputs[name] for name in self._attributes}
        return Descriptions(embeddings=outputs["embedding"], heads=heads)

    def features(self, images: U8) -> F32:
        """Return pooled features (n, 704) of dlib's own stages, on which heads are trained."""
        return self._run(images)["features"]

    def _run(self, images: U8) -> dict[str, F32]:
        """Return all outputs (n, k) of the graph by name."""
        widths = {"embedding": _dlib_dat.DIMENSIONS, **SIZES}
        widths["features"] = _dlib_attributes.IDENTITY_FEATURES
        parts = [
            [np.empty((0, widths[name]), np.float32) for name in self._session.outputs],
            *(self._session.run(chips=batch) for batch in self._batches(images)),
        ]
        columns = zip(*parts, strict=True)
        joined = (np.concatenate(column) for column in columns)
        return dict(zip(self._session.outputs, joined, strict=True))

    def _look_again(self, mirrored: Session, images: U8, outputs: Mapping[str, F32]) -> None:
        """Average, in place, the heads of faces of which the sex is unsure with those mirrored.

        Args:
            mirrored: The graph of `_dlib_graph.build_mirrored`.
            images: (n, 150, 150, 3) chips.
            outputs: Name -> (n, k) of the chips as they are.
        """
        shares = mirrored_share(outputs["sex"])
        unsure = np.flatnonzero(shares)
        for start in range(0, len(unsure), self._batch_size):
            rows = unsure[start : start + self._batch_size]
            values = mirrored.run(chips=images[rows], features=outputs["features"][rows])
            for name, value in zip(mirrored.outputs, values, strict=True):
                outputs[name][rows] += shares[rows] * (value - outputs[name][rows])

    def _batches(self, images: U8) -> Iterator[U8]:
        for start in range(0, len(images), self._batch_size):
            yield np.ascontiguousarray(images[start : start + self._batch_size])


def mirrored_share(sex: F32) -> F32:
    """Return by which share (n, 1), 0 to 0.5, the mirror image of each face counts.

    Args:
        sex: (n, 1) logits of the faces as they are.
    """
    unsure = (SURE_LOGIT - np.abs(sex)) / (SURE_LOGIT - UNSURE_LOGIT)
    return (np.clip(unsure, 0, 1) / 2).astype(np.float32)


def _session(
    files: list[Path], attributes: tuple[str, ...], runtime: Runtime, *, mirrored: bool = False
) -> Session:
    """Load the graph of some files from the user's cache, or build it.

    Args:
        files: Path of dlib's weights, and of the branch where there are attributes.
        attributes: Names of the heads.
        runtime: Runtime that loads the graph.
        mirrored: Whether it is that of mirror images.
    """
    key = [*map(locate.sha256, files), *attributes, f"{GRAPH_VERSION} {mirrored}"]
    if runtime.eight_bits:
        key.append(_dlib_eight_bits.digest())

    def make() -> bytes:
        model = _build(files, attributes, mirrored=mirrored)
        if not mirrored:
            _verify(model, files[0], runtime)
        if runtime.eight_bits:
            return _build(files, attributes, mirrored=mirrored, eight_bits=True)
        return model

    return kept_graphs.load("dlib_resnet", key, make, runtime)


def _build(
    files: list[Path],
    attributes: tuple[str, ...],
    *,
    mirrored: bool = False,
    eight_bits: bool = False,
) -> bytes:
    """Return the serialized graph; see `_session`."""
    # onnx is slow to import, and a graph is built once.
    from analyzer.stages.describe import _dlib_graph

    branch = _dlib_attributes.load(files[1]) if attributes else _dlib_attributes.Attributes({})
    unknown = set(attributes) - set(branch.names)
    if unknown:
        raise UsageError(f"{files[1]}: has no head for {', '.join(sorted(unknown))}")
    network, branch = _dlib_dat.read(files[0]), branch.only(attributes)
    if eight_bits:
        network = _dlib_eight_bits.network(network)
    if eight_bits and attributes:
        branch = _dlib_eight_bits.branch(branch, locate.sha256(files[1]))
    build = _dlib_graph.build_mirrored if mirrored else _dlib_graph.build
    return build(network, branch)


def _verify(model: bytes, path: Path, runtime: Runtime) -> None:
    """Require that a graph gives dlib's own embeddings, on the CPU, where arithmetic is exact.

    Args:
        model: The serialized graph.
        path: Path of dlib's weights.
        runtime: Runtime with the number of threads.

    Raises:
        WeightsError: Other embeddings.
    """
    session = Runtime(device="cpu", threads=runtime.threads).load(model)
    chips = _synthetic_chips()
    ours = session.run(chips=chips)[session.outputs.index("embedding")]
    network = dlib.face_recognition_model_v1(str(path))
    theirs = np.array([network.compute_face_descriptor(chip) for chip in chips])
    difference = float(np.abs(ours - theirs).max())
    if not difference <= TOLERANCE:
        raise WeightsError(f"{path}: the graph differs from dlib by {difference:.1e}")


def _synthetic_chips() -> U8:
    """Return four chips (4, 150, 150, 3) of random patches, from coarse to fine."""
    random = np.random.default_rng(0)
    chips = []
    for patch in (50, 25, 10, 1):
        side = _dlib_dat.SIZE // patch
        patches = random.integers(0, 256, (side, side, 3), np.uint8)
        chips.append(patches.repeat(patch, axis=0).repeat(patch, axis=1))
    return np.stack(chips)
