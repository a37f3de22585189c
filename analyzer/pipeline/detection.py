"""Detection with the options' bounds: borders around pictures, and faces left out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from analyzer.imaging import boxes
from analyzer.options import AnalysisOptions
from analyzer.stages.detect import Detector, FaintDetector
from analyzer.types import U8, Detections

SECOND_BORDER = 0.3
"""Border of the second look at a still, as a share of its width and height; docs/models.md has the
measurement."""
_FILLS = 1 / 3
"""Least longer side of a face that fills a still, in shorter sides of the still."""


class PaddedDetector:
    """A detector that is shown each picture within a black border; a `Detector` itself.

    Faces that fill the picture, or are cut off by its edge, are found better so.

    Args:
        detector: Detector that is asked.
        padding: Width of the border, as a share of the picture's width and height.
    """

    def __init__(self, detector: Detector, padding: float) -> None:
        self._detector, self._padding = detector, padding
        self.provenance: Mapping[str, str] = detector.provenance

    def detect(self, images: Sequence[U8]) -> list[Detections]:
        """Detect the faces of pictures of one size; see `analyzer.stages.detect.Detector`."""
        return self._detect(images, self._detector.detect)

    def detect_faint(self, images: Sequence[U8]) -> list[Detections]:
        """Find faint faces, too, if the detector does; see `FaintDetector`."""
        if isinstance(self._detector, FaintDetector):
            return self._detect(images, self._detector.detect_faint)
        return self.detect(images)

    def _detect(
        self, images: Sequence[U8], detect: Callable[[Sequence[U8]], list[Detections]]
    ) -> list[Detections]:
        if not len(images):
            return detect(images)
        height, width = images[0].shape[:2]
        left, top = int(width * self._padding), int(height * self._padding)
        padded = [np.pad(image, ((top, top), (left, left), (0, 0))) for image in images]
        return [
            _without_border(detections, (left, top), (width, height))
            for detections in detect(padded)
        ]


class StillDetector:
    """A detector of single pictures; a `Detector` itself.

    A portrait may be cut so tightly that the face fills it, which detectors were not trained on.
    Where nothing is found it is looked at once more, in a border, for faces of that size: smaller
    ones are most likely none. Films are not worth that: many of their frames show nobody, and each
    of these would cost twice as much.

    Args:
        first: Detector that is asked first.
        second: Detector that is asked for the pictures in which the first finds nothing.
    """

    def __init__(self, first: Detector, second: Detector) -> None:
        self._first, self._second = first, second
        self.provenance: Mapping[str, str] = {**first.provenance, **second.provenance}

    def detect(self, images: Sequence[U8]) -> list[Detections]:
        """Detect the faces of pictures of one size; see `analyzer.stages.detect.Detector`."""
        found = list(self._first.detect(images))
        empty = [i for i, detections in enumerate(found) if not len(detections)]
        if empty:
            again = self._second.detect([images[i] for i in empty])
            for i, detections in zip(empty, again, strict=True):
                longer = (detections.boxes[:, 2:] - detections.boxes[:, :2]).max(axis=1)
                found[i] = detections[longer >= _FILLS * min(images[i].shape[:2])]
        return found


def _without_border(
    detections: Detections, corner: tuple[int, int], size: tuple[int, int]
) -> Detections:
    """Return detections in the pixels of a picture that lay in a border.

    Args:
        detections: N faces, in pixels of the padded picture.
        corner: Left and upper width of the border, pixels.
        size: Width and height of the picture, pixels.
    """
    shift = np.array(corner, np.float32)
    clipped = boxes.clip(detections.boxes - np.tile(shift, 2), *size)
    landmarks = None if detections.landmarks is None else detections.landmarks - shift
    return replace(detections, boxes=clipped, landmarks=landmarks)[boxes.area(clipped) >= 1]


def select(detections: Detections, image: U8, options: AnalysisOptions) -> Detections:
    """Leave out the faces that the options do not want.

    Bounds of the share of the picture are checked again when its black bars are known: they can
    only make a face's share greater.

    Args:
        detections: N faces of the picture.
        image: (H, W, 3) RGB.
        options: Options with the bounds.
    """
    areas = boxes.area(detections.boxes)
    size = np.sqrt(areas)
    longer = np.max(detections.boxes[:, 2:] - detections.boxes[:, :2], axis=1)
    height, width = image.shape[:2]
    share = areas / (width * height)
    return detections[
        (detections.scores >= options.min_conf)
        & (size >= options.min_face_px)
        & (longer >= options.min_face_share * min(width, height))
        & (share <= options.max_area)
        & (size >= 1)
    ]
