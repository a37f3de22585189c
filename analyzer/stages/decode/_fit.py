"""Pictures of another shape than the first one, as a recording has them once its camera is turned.

They are scaled into the size of the first one with black edges: stretched, faces are not found.
"""

import itertools
from fractions import Fraction
from typing import Any

import av.error
from av.filter import Graph
from av.video.frame import VideoFrame

_SAME_SHAPE = 1.05
"""Ratio of two shapes up to which they count as one: sizes are rounded to whole blocks."""


class ShapeFit:
    """Fits pictures into the size of the first one that is given.

    Attributes:
        size: Width and height of the first picture; `None` before it.
        shape: Width of the first picture, as it is shown, for each unit of height.
    """

    def __init__(self) -> None:
        self.size: tuple[int, int] | None = None
        self.shape = 1.0

    def fitted(self, picture: VideoFrame, aspect: Fraction | None) -> VideoFrame:
        """Return a picture in the size of the first one, if the shapes of the two differ.

        Args:
            picture: The picture as it is stored.
            aspect: Width of its pixels for each unit of height; `None` where it is unknown.
        """
        shape = picture.width * float(aspect or 1) / picture.height
        if self.size is None:
            self.size, self.shape = (picture.width, picture.height), shape
        if (picture.width, picture.height) == self.size:
            return picture
        wider = shape / self.shape
        if 1 / _SAME_SHAPE <= wider <= _SAME_SHAPE:
            return picture
        width, height = self.size
        inner = width * min(1, wider), height * min(1, 1 / wider)
        try:
            return _padded(picture, (max(1, round(inner[0])), max(1, round(inner[1]))), self.size)
        except av.error.FFmpegError:
            return picture


def _padded(picture: VideoFrame, inner: tuple[int, int], size: tuple[int, int]) -> VideoFrame:
    """Return a picture scaled to an inner size, in the middle of a black one."""
    graph = Graph()
    steps: list[Any] = [
        graph.add_buffer(
            width=picture.width,
            height=picture.height,
            format=picture.format,
            time_base=Fraction(picture.time_base or 1),
        ),
        graph.add("scale", "{}:{}".format(*inner)),
        graph.add("pad", "{}:{}:-1:-1:black".format(*size)),
        graph.add("format", picture.format.name),
        graph.add("buffersink"),
    ]
    for step, following in itertools.pairwise(steps):
        step.link_to(following)
    graph.configure()
    graph.push(picture)
    padded = graph.pull()
    assert isinstance(padded, VideoFrame)
    return padded
