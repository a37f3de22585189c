"""What is drawn over a video, and when: boxes, labels and colours, for all exports."""

from analyzer.export._shown.candidates import leaders
from analyzer.export._shown.colours import NOBODY, PALETTE, colours
from analyzer.export._shown.drawing import Drawing, drawing
from analyzer.export._shown.layout import SUBTITLE_FONT, Layout
from analyzer.export._shown.spans import Spans, spans

__all__ = [
    "NOBODY",
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
