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
    NOBODY,
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
    document.styles[_style_name(-1)] = _style(NOBODY, family, layout.quiet_font, layout.quiet_line)
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
    """Yield the dialogue lines of each row: the box, the line to its label, and the label."""
    begin, end = timestamps(drawn.start_s), timestamps(drawn.end_s)
    styles = {person: _style_name(person) for person in np.unique(drawn.persons).tolist()}
    escaped = [[escape(text) for text in some] for some in drawn.texts]
    moved = _moments(drawn)
    rows = zip(
        *(begin, end, [styles[person] for person in drawn.persons.tolist()]),
        *(_drawn_boxes(drawn, moved), _drawn_lines(drawn, moved), _positions(drawn, moved)),
        *(drawn.tracks.tolist(), drawn.shortened.tolist()),
        strict=True,
    )
    for start, stop, style, box, line, position, track, short in rows:
        if start == stop:
            continue
        front = f"{start},{stop},{style},,0,0,0,,"
        text = escaped[track][short]
        yield f"Dialogue: 0,{front}{box}\n"
        if line:
            yield f"Dialogue: 0,{front}{line}\n"
        if text:
            yield f"Dialogue: 1,{front}{{{position}}}{text}\n"


def _moments(drawn: Drawing) -> I64:
    """Return from when to when (n, 2) each row moves, in milliseconds of its event."""
    begin = _centiseconds(drawn.start_s) * 10
    times = np.stack([drawn.start_s, drawn.end_s], axis=1)
    return np.rint(times * 1000).astype(np.int64) - begin[:, None]


def _positions(drawn: Drawing, moments: I64) -> list[str]:
    r"""Return the tags of labels: `\an1` where their letters grow upwards, and where they are."""
    # Fonts of the system may be taller than ours: their labels grow away from the face.
    at = np.column_stack(
        [drawn.labels[:, 0], np.where(drawn.above, drawn.labels[:, 3], drawn.labels[:, 1])]
    )
    numbers = np.where(drawn.above, 1, 7).tolist()
    return [
        f"\\an{number}{motion}"
        for number, motion in zip(numbers, _motions(at, at[drawn.after], moments), strict=True)
    ]


def _motions(before: I64, after: I64, moments: I64) -> list[str]:
    r"""Return `\move` or `\pos` from points (n, 2) to others."""
    moves = (before != after).any(axis=1).tolist()
    rows = np.column_stack([before, after, moments]).tolist()
    return [
        f"\\move({x},{y},{a},{b},{start},{end})" if moving else f"\\pos({x},{y})"
        for moving, (x, y, a, b, start, end) in zip(moves, rows, strict=True)
    ]


def _growth(before: I64, after: I64, moments: I64) -> list[str]:
    r"""Return `\t` with `\fscx` and `\fscy` from sizes (n, 2) to others; empty where they are one."""
    grows = (before != after).any(axis=1).tolist()
    shares = np.round(100 * after / np.maximum(before, 1), 2)
    rows = np.column_stack([moments, shares]).tolist()
    return [
        f"\\t({start:.0f},{end:.0f},\\fscx{x:g}\\fscy{y:g})" if growing else ""
        for growing, (start, end, x, y) in zip(grows, rows, strict=True)
    ]


def _drawn_boxes(drawn: Drawing, moments: I64) -> list[str]:
    """Return the text of the event of each box: a rectangle, and a hole drawn the other way."""
    boxes = drawn.boxes
    sizes = np.maximum(boxes[:, 2:] - boxes[:, :2], 1)
    motions = _motions(boxes[:, :2], boxes[drawn.after, :2], moments)
    growth = _growth(sizes, sizes[drawn.after], moments)
    lines = np.where(drawn.persons < 0, drawn.layout.quiet_line, drawn.layout.line)
    thick = np.clip(sizes.min(axis=1) // 4, 1, lines)
    rows = np.column_stack([sizes, thick, sizes - thick[:, None]]).tolist()
    return [
        f"{{{motion}\\p1{grown}}}m 0 0 l {w} 0 {w} {h} 0 {h} m {t} {t} l {t} {b} {r} {b} {r} {t}"
        for motion, grown, (w, h, t, r, b) in zip(motions, growth, rows, strict=True)
    ]


def _drawn_lines(drawn: Drawing, moments: I64) -> list[str]:
    """Return the text of the event of the line to each label; empty where there is none."""
    sizes = drawn.leaders[:, 2:] - drawn.leaders[:, :2]
    texts = [""] * len(sizes)
    some = np.nonzero((sizes > 0).all(axis=1))[0]
    # A line that is gone at the end stays as it is.
    after = np.where((sizes[drawn.after[some]] > 0).all(axis=1), drawn.after[some], some)
    motions = _motions(drawn.leaders[some, :2], drawn.leaders[after, :2], moments[some])
    growth = _growth(sizes[some], sizes[after], moments[some])
    for row, motion, grown, (w, h) in zip(
        some.tolist(), motions, growth, sizes[some].tolist(), strict=True
    ):
        texts[row] = f"{{{motion}\\p1\\bord1{grown}}}m 0 0 l {w} 0 {w} {h} 0 {h}"
    return texts


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
