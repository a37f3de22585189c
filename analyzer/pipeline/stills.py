"""The faces of one picture, described: what portraits and posters need."""

from dataclasses import dataclass

from analyzer import registry
from analyzer.pipeline.components import Components
from analyzer.types import U8, Chips, Descriptions, Detections


@dataclass(frozen=True)
class Still:
    """A picture and its n faces."""

    image: U8
    """(H, W, 3) RGB, upright."""
    detections: Detections
    chips: Chips
    descriptions: Descriptions
    notes: tuple[str, ...] = ()
    """What was left out of its file."""


def describe_still(path: str, components: Components) -> Still:
    """Detect and describe every face of a picture.

    Raises:
        InputError: Missing, or not a picture.
    """
    decoder = registry.load("decode", "images", runtime=components.runtime)
    with decoder.open(path) as medium:
        image = next(medium.frames()).image
        notes = medium.info.notes
    detections = components.still_detector.detect([image])[0]
    chips = components.chips(image, detections.boxes, detections.landmarks)
    return Still(image, detections, chips, components.describer.describe(chips.images), notes)
