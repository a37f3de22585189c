"""Chips to describe, as many of them unsure as of real faces."""

import numpy as np

from analyzer import registry
from analyzer.inference.runtime import Runtime
from analyzer.stages.describe.dlib_resnet import DlibResnet
from analyzer.types import U8

_UNSURE = 5
"""The sex of one face in so many of FairFace's is unsure, and dlib_resnet looks at it twice."""


def chips(count: int) -> U8:
    """Return chips (n, 150, 150, 3): a portrait in many lights, and noise for each fifth.

    Args:
        count: Number n of chips.
    """
    from tests.support.media import astronaut

    runtime = Runtime(device="cpu")
    picture = astronaut()
    found = registry.load("detect", "centerface", runtime=runtime).detect([picture])[0]
    aligner = registry.load("align", DlibResnet.aligner, runtime=runtime)
    portrait = aligner.align(picture, found.boxes, found.landmarks).images[0] / 255
    gammas = np.linspace(0.8, 1.25, count)
    made: U8 = np.stack([(255 * portrait**gamma).astype(np.uint8) for gamma in gammas])
    noise = np.random.default_rng(0).integers(0, 256, made[::_UNSURE].shape, np.uint8)
    made[::_UNSURE] = noise
    return made
