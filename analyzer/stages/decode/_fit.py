"""Pictures of another shape than the first one, as a recording has them once its camera is turned.

They are scaled into the size of the first one with black edges: stretched, faces are not found.
"""

from fractions import Fraction

import av.error
from av.video.frame import VideoFrame

from analyzer.stages.decode._filters import filtered

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
        fitted = "{}:{}".format(*(max(1, round(side)) for side in inner))
        try:
            return filtered(
                picture,
                ("scale", fitted),
                ("pad", f"{width}:{height}:-1:-1:black"),
                ("format", picture.format.name),
            )
        except av.error.FFmpegError:
            return picture
