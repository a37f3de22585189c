"""What a network answers does not depend on threads, nor on what is asked along."""

import numpy as np
import pytest

from analyzer import registry
from analyzer.runtime import Runtime


@pytest.fixture(scope="module")
def pictures():
    """Pictures of a shape with which threads on one picture would show."""
    random = np.random.default_rng(0)
    coarse = [random.integers(0, 256, (12, 20, 3), np.uint8) for _ in range(3)]
    return [picture.repeat(32, axis=0).repeat(32, axis=1) for picture in coarse]


def detect(pictures, *, threads: int, batch_size: int) -> list[bytes]:
    runtime = Runtime(device="cpu", threads=threads, batch_size=batch_size)
    detector = registry.load("detect", "centerface:confidence=0.01", runtime=runtime)
    found = detector.detect(pictures)
    assert sum(map(len, found)) > 10
    return [d.boxes.tobytes() + d.scores.tobytes() for d in found]


def test_detections_are_the_same_to_the_bit(pictures):
    one = detect(pictures, threads=1, batch_size=1)
    assert detect(pictures, threads=4, batch_size=32) == one
    assert detect(pictures[:1], threads=4, batch_size=2) == one[:1]


def describe(chips, *, threads: int, batch_size: int) -> bytes:
    runtime = Runtime(device="cpu", threads=threads, batch_size=batch_size)
    describer = registry.load("describe", "dlib_resnet", runtime=runtime, attributes=("sex", "age"))
    found = describer.describe(chips)
    return found.embeddings.tobytes() + b"".join(v.tobytes() for v in found.heads.values())


def test_descriptions_are_the_same_to_the_bit():
    chips = np.random.default_rng(0).integers(0, 256, (20, 150, 150, 3), np.uint8)
    assert describe(chips, threads=4, batch_size=32) == describe(chips, threads=1, batch_size=3)
    assert describe(chips[:0], threads=4, batch_size=32) == b""
