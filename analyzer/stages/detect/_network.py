"""Networks of detectors in ONNX form: sizes of their input, batches and origin."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from analyzer.inference.backends import Session
from analyzer.inference.runtime import Runtime
from analyzer.stages.detect import _input
from analyzer.types import F32, U8
from analyzer.weights import locate


class Answer(NamedTuple):
    """Answer of a network to pictures of one size.

    Attributes:
        outputs: Arrays of the network, in its order.
        ratio: Number of input pixels for each source pixel.
        height: Height of the input in pixels.
        width: Width of the input in pixels.
    """

    outputs: Sequence[F32]
    ratio: float
    height: int
    width: int


class DetectorNetwork:
    """Runs an ONNX network on pictures, scaled and padded to its input.

    Attributes:
        path: Path of the network.
        provenance: SHA-256 of the network by the name of its file.
    """

    def __init__(
        self,
        path: Path,
        session: Session,
        input_name: str,
        *,
        size: int,
        batch: int,
        normalise: Callable[[U8], F32] | None,
        fixed_size: tuple[int, int] | None = None,
    ) -> None:
        """Take a network that is loaded.

        Args:
            path: Path of the network.
            session: The network, ready to run.
            input_name: Name of its input.
            size: Longer side of the input in pixels.
            batch: Number of pictures that it takes at once.
            normalise: From a padded picture (h, w, 3) uint8, RGB, to the values that the network
                takes (h, w, 3) float32; `None`: it takes pictures (B, h, w, 3) uint8 as they are.
            fixed_size: Height and width of the input of a network that takes no others.
        """
        self.path = path
        self.provenance: Mapping[str, str] = {path.name: locate.sha256(path)}
        self._session, self._input_name = session, input_name
        self._size, self._fixed_size = size, fixed_size
        self._batch, self._normalise = batch, normalise

    @classmethod
    def of_user(
        cls,
        file: str,
        *,
        size: int,
        normalise: Callable[[U8], F32],
        cure: str,
        runtime: Runtime,
    ) -> "DetectorNetwork":
        """Load the network of a file of the user's.

        Args:
            file: Path of the file, or name of a fetched model.
            size: Longer side of the input in pixels; a network of fixed size has its own.
            normalise: See `DetectorNetwork`.
            cure: Advice at the end of a message.
            runtime: Runtime that executes the network.

        Raises:
            WeightsError: Weights missing, altered, or of another form.
        """
        path = locate.of_user(file, cure=cure)
        input_name, takes_batches, fixed_size = _input.picture_form(path, cure=cure)
        return cls(
            path,
            runtime.load(path),
            input_name,
            size=size,
            batch=runtime.batch_size if takes_batches else 1,
            normalise=normalise,
            fixed_size=fixed_size,
        )

    def batches(self, images: Sequence[U8]) -> Iterator[Sequence[U8]]:
        """Cut pictures into batches that the network takes."""
        for start in range(0, len(images), self._batch):
            yield images[start : start + self._batch]

    def run(self, batch: Sequence[U8]) -> Answer:
        """Return the network's answer to pictures (H, W, 3) of one size."""
        height, width = batch[0].shape[:2]
        ratio = self._ratio(height, width)
        pictures = self._scaled(batch, ratio)
        inputs: U8 | F32 = pictures
        if self._normalise is not None:
            inputs = np.stack([self._normalise(p).transpose(2, 0, 1) for p in pictures])
        outputs = self._session.run(**{self._input_name: inputs})
        return Answer(outputs, ratio, *pictures.shape[1:3])

    def _ratio(self, height: int, width: int) -> float:
        """Return the number of input pixels for each source pixel."""
        if self._fixed_size is None:
            return self._size / max(height, width)
        return min(self._fixed_size[0] / height, self._fixed_size[1] / width)

    def _scaled(self, images: Sequence[U8], ratio: float) -> U8:
        """Scale pictures to the input, and pad them with black, right and below: (B, h, w, 3)."""
        small = [_input.resize(image, ratio) for image in images]
        height, width = self._fixed_size or map(_input.round_up, small[0].shape[:2])
        return np.stack([_input.pad(picture, height, width) for picture in small])
