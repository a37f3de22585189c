r"""A report as an ASS subtitle: a box and a label per face, in a style per person.

Between two samples a box moves by `\move`, and its size changes by `\t` with `\fscx` and `\fscy`;
its label and the line to it move as well. VLC, mpv and ffmpeg draw them for each picture anew.

pysubs2 writes the header, styles and font; the dialogue lines are formatted here, because making
and writing its events takes twice as long (400,000 of them, for a film of two hours).

The subtitle carries its font (Pillow's Aileron, CC0), so that labels show on a server without any
font and look the same in every player. Letters beyond ASCII come from the fonts of the system.
"""

import unicodedata
from collections.abc import Iterator
from typing import Any

import numpy as np
import pysubs2
from numpy.typing import NDArray
from PIL import ImageFont

from analyzer.export._shown import (
    NOBODY_COLOUR,
    PALETTE,
    SUBTITLE_FONT,
    Drawing,
    Layout,
    colours,
    drawing,
)
from analyzer.types import F64, I64, MediaReport

_WORD_JOINER = "\u2060"
_ESCAPES = str.maketrans({"{": r"\{", "}": r"\}"})


def lines(report: MediaReport, selected: NDArray[np.bool_] | None = None) -> Iterator[str]:
    """Yield the subtitle, in pieces that end in a line end.

    Args:
        report: Report of a video.
        selected: (N,) whether a face is shown; by default, all are.
    """
    layout = Layout(report.info.width_px, report.info.height_px, SUBTITLE_FONT)
    yield _header(report, layout)
    if len(report.observations):
        yield from _dialogue(drawing(report, selected))


def escape(text: str) -> str:
    r"""Escape a name, so that libass (VLC, mpv, ffmpeg) shows it literally.

    Braces are written `\{` and `\}`. A backslash has no escape: an invisible word joiner keeps
    it from the character after it. Line ends and control characters become spaces.
    """
    plain = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    return plain.replace("\\", "\\" + _WORD_JOINER).translate(_ESCAPES)


def blank_document(width: int, height: int) -> Any:
    """Return a subtitle without styles and events, in square pixels of the upright picture.

    `LayoutRes` tells a player that these pixels are square even if those of its video are not, so
    that it does not stretch the subtitle with the video.
    """
    document = pysubs2.SSAFile()
    document.styles.clear()
    sides = {"X": str(width), "Y": str(height)}
    document.info.update(
        {
            **{f"PlayRes{side}": pixels for side, pixels in sides.items()},
            **{f"LayoutRes{side}": pixels for side, pixels in sides.items()},
            "ScaledBorderAndShadow": "yes",
            "WrapStyle": "2",
        }
    )
    return document


def _header(report: MediaReport, layout: Layout) -> str:
    """Return the part of the subtitle above the first dialogue line."""
    document = blank_document(layout.width, layout.height)
    font: Any = ImageFont.load_default(layout.font)
    document.fonts_opaque = {"aileron_0.otf": _encoded_font(font.font_bytes)}
    family = font.getname()[0]
    document.styles[_style_name(-1)] = _style(
        NOBODY_COLOUR, family, layout.quiet_font, layout.quiet_line
    )
    for person, colour in sorted(colours(report).items()):
        document.styles[_style_name(person)] = _style(
            PALETTE[colour], family, layout.font, layout.outline
        )
    return document.to_string("ass", header_notice="Faces: one style a person")


def _encoded_font(data: bytes) -> list[str]:
    """Encode a font as ASS prescribes: three bytes as four characters from `!` on, 80 a line."""
    padded = data + b"\0" * (-len(data) % 3)
    byte_triples = np.frombuffer(padded, np.uint8).reshape(-1, 3).astype(np.uint32)
    joined = byte_triples @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    six_bit_values = (joined[:, None] >> np.array([18, 12, 6, 0], np.uint32)) & 63
    count = len(data) * 4 // 3 + (1 if len(data) % 3 else 0)
    text = (six_bit_values.astype(np.uint8) + 33).tobytes()[:count].decode("ascii")
    return [text[i : i + 80] for i in range(0, len(text), 80)]


def _style_name(person: int) -> str:
    return "nobody" if person < 0 else f"person {person}"


def _style(colour: str, family: str, size: int, outline: int) -> Any:
    """Return a style for boxes and labels: a colour with a black edge."""
    return pysubs2.SSAStyle(
        fontname=family,
        fontsize=size,
        primarycolor=pysubs2.Color(*bytes.fromhex(colour)),
        outlinecolor=pysubs2.Color(0, 0, 0),
        backcolor=pysubs2.Color(0, 0, 0),
        outline=outline,
        shadow=0,
        marginl=0,
        marginr=0,
        marginv=0,
        alignment=pysubs2.Alignment.TOP_LEFT,
    )


def _dialogue(drawn: Drawing) -> Iterator[str]:
    """Yield the dialogue lines of each row: the box, the line to its label, and the label.

    The box is a rectangle, and a hole drawn the other way round.
    """
    lines = _leaders(drawn)
    styles = {person: _style_name(person) for person in np.unique(drawn.persons).tolist()}
    texts = np.array([escape(text) for some in drawn.texts for text in some], object)
    rows = zip(
        *(timestamps(drawn.start_s), timestamps(drawn.end_s)),
        [styles[person] for person in drawn.persons.tolist()],
        *(_box_numbers(drawn).tolist(), _growth(drawn.boxes, drawn.after).tolist()),
        *(_label_numbers(drawn).tolist(), _moments(drawn).tolist()),
        texts[drawn.tracks * len(drawn.texts[0]) + drawn.shortened].tolist(),
        strict=True,
    )
    for row, (start, stop, style, box, (wider, higher), label, (t0, t1), text) in enumerate(rows):
        if start == stop:
            continue
        (x, y, x1, y1, w, h, t, r, b), (number, u, v, u1, v1) = box, label
        front = f"{start},{stop},{style},,0,0,0,,{{"
        yield (
            f"Dialogue: 0,{front}\\move({x},{y},{x1},{y1},{t0},{t1})\\p1"
            f"\\t({t0},{t1},\\fscx{wider}\\fscy{higher})}}"
            f"m 0 0 l {w} 0 {w} {h} 0 {h} m {t} {t} l {t} {b} {r} {b} {r} {t}\n"
        )
        if row in lines:
            yield f"Dialogue: 0,{front}{lines[row]}\n"
        if text:
            yield f"Dialogue: 1,{front}\\an{number}\\move({u},{v},{u1},{v1},{t0},{t1})}}{text}\n"


def _moments(drawn: Drawing) -> I64:
    """Return from when to when (n, 2) each row moves, in milliseconds of its event."""
    begin = _centiseconds(drawn.start_s) * 10
    times = np.stack([drawn.start_s, drawn.end_s], axis=1)
    return np.rint(times * 1000).astype(np.int64) - begin[:, None]


def _box_numbers(drawn: Drawing) -> I64:
    """Return of each box (n, 9): its corner before and after, its size, and where its hole is."""
    corner, sizes = drawn.boxes[:, :2], _sizes(drawn.boxes)
    lines = np.where(drawn.persons < 0, drawn.layout.quiet_line, drawn.layout.line)
    thick = np.clip(sizes.min(axis=1) // 4, 1, lines)
    return np.column_stack([corner, corner[drawn.after], sizes, thick, sizes - thick[:, None]])


def _label_numbers(drawn: Drawing) -> I64:
    """Return of each label (n, 5): the alignment, and its point before and after."""
    # Fonts of the system may be taller than ours: their labels grow away from the face.
    foot = np.where(drawn.above, drawn.labels[:, 3], drawn.labels[:, 1])
    point = np.column_stack([drawn.labels[:, 0], foot])
    return np.column_stack([np.where(drawn.above, 1, 7), point, point[drawn.after]])


def _sizes(boxes: I64) -> I64:
    """Return the sizes (n, 2) of boxes (n, 4), at least 1."""
    return np.maximum(boxes[:, 2:] - boxes[:, :2], 1)


def _growth(boxes: I64, after: I64) -> F64:
    """Return the sizes (n, 2) that boxes (n, 4) get, in percent of what they have."""
    sizes = _sizes(boxes)
    return np.round(100 * sizes[after] / sizes, 2)


def _leaders(drawn: Drawing) -> dict[int, str]:
    """Return the drawing of the line from box to label, by row; without those that have none."""
    rows = np.nonzero((drawn.leaders[:, 2:] > drawn.leaders[:, :2]).all(axis=1))[0]
    # A line that is gone at the end stays as it is.
    after = np.where(np.isin(drawn.after[rows], rows), drawn.after[rows], rows)
    sizes, grown = _sizes(drawn.leaders[rows]), _sizes(drawn.leaders[after])
    numbers = np.column_stack([drawn.leaders[rows, :2], drawn.leaders[after, :2], sizes])
    each = zip(
        *(rows.tolist(), numbers.tolist(), _moments(drawn)[rows].tolist()),
        np.round(100 * grown / sizes, 2).tolist(),
        strict=True,
    )
    return {
        row: f"\\move({x},{y},{x1},{y1},{t0},{t1})\\bord1\\p1"
        f"\\t({t0},{t1},\\fscx{wider}\\fscy{higher})}}m 0 0 l {w} 0 {w} {h} 0 {h}"
        for row, (x, y, x1, y1, w, h), (t0, t1), (wider, higher) in each
    }


def timestamps(times: F64) -> list[str]:
    """Return times (N,) as `h:mm:ss.cc`.

    They are cut off, not rounded, and a millisecond early: a renderer compares them with a
    picture's time cut to milliseconds, and a box that starts after its picture is a picture late.
    """
    different, rows = np.unique(_centiseconds(times), return_inverse=True)
    texts = [
        f"{cs // 360000}:{cs // 6000 % 60:02d}:{cs // 100 % 60:02d}.{cs % 100:02d}"
        for cs in different.tolist()
    ]
    return [texts[row] for row in rows.tolist()]


def _centiseconds(times: F64) -> I64:
    """Return times (N,) in hundredths of a second, as in `timestamps`."""
    microseconds = np.rint(times * 1e6).astype(np.int64)
    return np.maximum(microseconds - 1000, 0) // 10000
