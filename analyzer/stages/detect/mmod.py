"""dlib's convolutional detector: turned faces, too; slow without a GPU.

King, "Max-Margin Object Detection", 2015 (arXiv:1502.00046). The weights come with the package
`face_recognition_models` (CC0). It sees faces of 80 pixels and more.
"""

from collections.abc import Mapping, Sequence

import dlib
import numpy as np

from analyzer.errors import WeightsError
from analyzer.inference.runtime import Runtime
from analyzer.stages.detect import _dlib
from analyzer.types import U8, Detections
from analyzer.weights import locate

_CURE = "give a file for dlib's cnn_face_detection_model_v1 as mmod:weights=FILE.dat"


def create(*, weights: str = "", upsample: int = 0, runtime: Runtime) -> "Mmod":
    """Return dlib's convolutional detector.

    Args:
        weights: Path of another file of the same form; empty: the one that is installed.
        upsample: How often the picture is doubled: 0 finds faces of 80 pixels, 1 of 40; each step
            takes four times as long.
        runtime: Not used: dlib takes the GPU where it was built for one.

    Raises:
        MissingDependency: The package that carries the weights is not installed.
        UsageError: An upsample out of range.
        WeightsError: Weights missing, altered, or of another form.
    """
    _dlib.require_upsample("mmod", upsample)
    return Mmod(weights, upsample)


class Mmod:
    """Finds faces; see `analyzer.stages.detect.Detector`."""

    def __init__(self, file: str, upsample: int) -> None:
        self._upsample = upsample
        path = locate.of_user(file, cure=_CURE) if file else locate.locate("dlib_mmod")
        self.provenance: Mapping[str, str] = {path.name: locate.sha256(path)}
        try:
            self._network = dlib.cnn_face_detection_model_v1(str(path))
        except RuntimeError as error:
            raise WeightsError(f"{path}: dlib cannot read it: {_CURE}") from error

    def detect(self, images: Sequence[U8]) -> list[Detections]:
        """Find the faces of pictures; see `analyzer.stages.detect.Detector`."""
        return [self._detect(np.ascontiguousarray(image)) for image in images]

    def _detect(self, image: U8) -> Detections:
        faces = self._network(image, self._upsample)
        return _dlib.detections([f.rect for f in faces], [f.confidence for f in faces], image)
