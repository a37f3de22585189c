"""What is drawn over a video, and when: boxes, labels and colours, for all exports."""

from analyzer.export._candidates import leaders
from analyzer.export._colours import NOBODY_COLOUR, PALETTE, colours
from analyzer.export._drawing import Drawing, drawing
from analyzer.export._layout import SUBTITLE_FONT, Layout
from analyzer.export._spans import Spans, spans

__all__ = [
    "NOBODY_COLOUR",
    "PALETTE",
    "SUBTITLE_FONT",
    "Drawing",
    "Layout",
    "Spans",
    "colours",
    "drawing",
    "leaders",
    "spans",
]
