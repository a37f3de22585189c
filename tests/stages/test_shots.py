"""Cuts found in grey pictures are those that PySceneDetect finds in colour."""

from fractions import Fraction

import cv2
import numpy as np
from scenedetect import AdaptiveDetector, FrameTimecode

from analyzer import registry
from analyzer.inference.runtime import Runtime
from analyzer.types import U8


def test_cuts_are_those_of_the_library() -> None:
    pictures = _scenes(scenes=6, length=12)
    detector = registry.load("shots", "adaptive", runtime=Runtime(device="cpu"))
    cuts = [c for i, picture in enumerate(pictures) for c in detector.update(picture, i / 25)]
    assert cuts == _by_the_library(pictures) == [i / 25 for i in range(12, 72, 12)]


def _by_the_library(pictures: list[U8]) -> list[float]:
    """What its own detector says of the pictures as they would come from a colour film."""
    library = AdaptiveDetector(
        adaptive_threshold=2.2, min_scene_len=1, window_width=3, min_content_val=8, luma_only=True
    )
    rate = Fraction(25)
    cuts = [
        cut
        for i, picture in enumerate(pictures)
        for cut in library.process_frame(
            FrameTimecode(i, fps=rate), cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
        )
    ]
    return [cut.frame_num / 25 for cut in cuts]


def _scenes(*, scenes: int, length: int) -> list[U8]:
    """Grey pictures (72, 128) of scenes that each drift slowly, with some noise."""
    random = np.random.default_rng(0)
    pictures = []
    for _ in range(scenes):
        scene = cv2.GaussianBlur(random.integers(0, 256, (72, 160), np.uint8), (0, 0), 4)
        scene = cv2.normalize(scene, None, 0, 255, cv2.NORM_MINMAX)
        for shift in range(length):
            moved = scene[:, shift : shift + 128].astype(np.int16)
            noisy = moved + random.integers(-3, 4, moved.shape)
            pictures.append(np.clip(noisy, 0, 255).astype(np.uint8))
    return pictures
