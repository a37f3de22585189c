"""The faces of one picture, described: what portraits and posters need."""

from dataclasses import dataclass

from analyzer import registry
from analyzer.pipeline import detection
from analyzer.pipeline.components import Models
from analyzer.types import U8, Chips, Descriptions, Detections


@dataclass(frozen=True)
class Still:
    """A picture and its n faces."""

    image: U8
    """(H, W, 3) RGB, upright."""
    found: Detections
    chips: Chips
    described: Descriptions


def look(path: str, models: Models) -> Still:
    """Detect and describe every face of a picture.

    Raises:
        InputError: missing, or not a picture.
    """
    decoder = registry.load("decode", "images", runtime=models.runtime)
    with decoder.open(path) as medium:
        image = next(medium.frames()).image
    found = detection.look([image], models)[0]
    chips = models.aligner.align(image, found.boxes, found.landmarks)
    return Still(image, found, chips, models.describer.describe(chips.images))
