"""Filters of FFmpeg on one picture."""

import itertools
from fractions import Fraction
from typing import Any

from av.filter import Graph
from av.video.frame import VideoFrame


def filtered(picture: VideoFrame, *filters: tuple[str, str]) -> VideoFrame:
    """Return a picture after some filters; its stamps are kept.

    Args:
        picture: The picture.
        filters: Name and arguments of each filter, as FFmpeg writes them.

    Raises:
        av.error.FFmpegError: A filter cannot take the picture.
    """
    graph = Graph()
    steps: list[Any] = [
        graph.add_buffer(
            width=picture.width,
            height=picture.height,
            format=picture.format,
            time_base=Fraction(picture.time_base or 1),
        ),
        *(graph.add(name, arguments) for name, arguments in filters),
        graph.add("buffersink"),
    ]
    for step, following in itertools.pairwise(steps):
        step.link_to(following)
    graph.configure()
    graph.push(picture)
    result = graph.pull()
    assert isinstance(result, VideoFrame)
    return result
