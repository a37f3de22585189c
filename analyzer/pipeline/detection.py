"""Asking the detector, and leaving out what the options do not want."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analyzer.imaging import boxes as geometry
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import Components
from analyzer.stages.detect import FrameDetector
from analyzer.types import U8, Detections, Frame, MediaInfo


def find(frames: Sequence[Frame], info: MediaInfo, components: Components) -> list[Detections]:
    """Find the faces of each frame of a medium.

    Args:
        frames: of one size.
        info: of the medium.
        components: with the detector.
    """
    if isinstance(components.detector, FrameDetector):
        return components.detector.detect_frames(frames, info)
    return look([frame.image for frame in frames], components)


def look(images: Sequence[U8], components: Components) -> list[Detections]:
    """Find the faces of pictures of one size, in a black border where the options want one."""
    share = components.options.detect_padding
    if not share or not len(images):
        return components.detector.detect(images)
    height, width = images[0].shape[:2]
    left, top = int(width * share), int(height * share)
    padded = [np.pad(image, ((top, top), (left, left), (0, 0))) for image in images]
    found = components.detector.detect(padded)
    return [_without_border(f, (left, top), (width, height)) for f in found]


def _without_border(
    found: Detections, corner: tuple[int, int], size: tuple[int, int]
) -> Detections:
    """Detections in a picture of a size, which lay in a greater one with its corner there."""
    shift = np.array(corner, np.float32)
    boxes = geometry.clip(found.boxes - np.tile(shift, 2), *size)
    marks = None if found.landmarks is None else found.landmarks - shift
    return replace(found, boxes=boxes, landmarks=marks)[geometry.area(boxes) >= 1]


def select(found: Detections, image: U8, options: AnalysisOptions) -> Detections:
    """Leave out the faces that the options do not want, and scale the boxes of the others.

    Bounds of the share of the picture are checked again when its black bars are known: they can
    only make a face's share greater.
    """
    size = np.sqrt(geometry.area(found.boxes))
    longer = np.max(found.boxes[:, 2:] - found.boxes[:, :2], axis=1)
    height, width = image.shape[:2]
    share = geometry.area(found.boxes) / (width * height)
    keep = (
        (found.scores >= options.min_conf)
        & (size >= options.min_face_px)
        & (longer >= options.min_face_share * min(width, height))
        & (share <= options.max_area)
        & (size >= 1)
    )
    found = found[keep]
    if options.bbox_expand == 1:
        return found
    boxes = geometry.scale(found.boxes, options.bbox_expand)
    return replace(found, boxes=geometry.clip(boxes, width, height))
