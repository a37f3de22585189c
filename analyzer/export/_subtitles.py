r"""A report as an ASS subtitle: a box and a label per face, in a style per person.

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

from analyzer.export import _rows
from analyzer.export._places import Layout, place_labels
from analyzer.types import F64, I64, MediaReport

# Okabe and Ito, "Color Universal Design", 2008: told apart by colour-blind people. The blue is
# lighter than theirs, to be read on a dark picture.
PALETTE = ("56B4E9", "E69F00", "CC79A7", "F0E442", "D55E00", "009E73", "8C9EFF")
NO_PERSON_COLOUR = "BBBBBB"
"""Colour of faces without a person."""
_WORD_JOINER = "\u2060"
_ESCAPES = str.maketrans({"{": r"\{", "}": r"\}"})


def lines(report: MediaReport, selected: NDArray[np.bool_] | None = None) -> Iterator[str]:
    """Yield the subtitle, in pieces that end in a line end.

    Args:
        report: Report of a video.
        selected: (N,) whether a face is shown; by default, all are.
    """
    layout = Layout(report.info.width_px, report.info.height_px)
    yield _header(report, layout)
    rows = np.arange(len(report.observations)) if selected is None else np.nonzero(selected)[0]
    if len(rows):
        yield from _dialogue(report, layout, rows)


def escape(text: str) -> str:
    r"""Escape a name, so that libass (VLC, mpv, ffmpeg) shows it literally.

    Braces are written `\{` and `\}`. A backslash has no escape: an invisible word joiner keeps
    it from the character after it. Line ends and control characters become spaces.
    """
    plain = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    return plain.replace("\\", "\\" + _WORD_JOINER).translate(_ESCAPES)


def colour(person: int) -> str:
    """Return a person's colour as six hexadecimal digits; grey without a person."""
    return NO_PERSON_COLOUR if person < 0 else PALETTE[person % len(PALETTE)]


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
    for person in sorted({-1, *(p.person_id for p in report.persons)}):
        document.styles[_style_name(person)] = _style(person, font.getname()[0], layout)
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


def _style(person: int, font: str, layout: Layout) -> Any:
    """Return a person's style for boxes and labels: the person's colour with a black edge."""
    return pysubs2.SSAStyle(
        fontname=font,
        fontsize=layout.font,
        primarycolor=pysubs2.Color(*bytes.fromhex(colour(person))),
        outlinecolor=pysubs2.Color(0, 0, 0),
        backcolor=pysubs2.Color(0, 0, 0),
        outline=layout.outline,
        shadow=0,
        marginl=0,
        marginr=0,
        marginv=0,
        alignment=pysubs2.Alignment.TOP_LEFT,
    )


def _dialogue(report: MediaReport, layout: Layout, rows: I64) -> Iterator[str]:
    """Yield two dialogue lines for each of some rows: the box, and the label above it."""
    faces = report.observations
    boxes = np.rint(faces.boxes[rows]).astype(np.int64)
    begin, length = faces.time_s[rows], faces.duration_s[rows]
    styles = [_style_name(person) for person in report.row_persons()[rows].tolist()]
    labels = _label_texts(report)
    fitted = {label: layout.fit(label) for label in set(labels)}
    texts = [fitted[labels[row]] for row in rows.tolist()]
    escaped = {text: escape(text) for text in set(texts)}
    widths = {text: layout.text_width(text) for text in escaped}
    spots = place_labels(
        boxes,
        np.array([widths[text] for text in texts]),
        faces.frame[rows],
        faces.track_id[rows],
        layout,
    )
    lines = zip(
        *(timestamps(begin), timestamps(begin + length), styles, boxes[:, :2].tolist()),
        *(_outlines(boxes, layout), spots, texts),
        strict=True,
    )
    for start, end, style, (x, y), shape, spot, text in lines:
        yield (
            f"Dialogue: 0,{start},{end},{style},,0,0,0,,{{\\pos({x},{y})\\p1}}{shape}\n"
            f"Dialogue: 1,{start},{end},{style},,0,0,0,,{{{spot}}}{escaped[text]}\n"
        )


def timestamps(times: F64) -> list[str]:
    """Return times (N,) as `h:mm:ss.cc`.

    They are cut off, not rounded, and a millisecond early: a renderer compares them with a
    picture's time cut to milliseconds, and a box that starts after its picture is a picture late.
    """
    microseconds = np.rint(times * 1e6).astype(np.int64)
    different, rows = np.unique(np.maximum(microseconds - 1000, 0) // 10000, return_inverse=True)
    texts = [
        f"{cs // 360000}:{cs // 6000 % 60:02d}:{cs // 100 % 60:02d}.{cs % 100:02d}"
        for cs in different.tolist()
    ]
    return [texts[row] for row in rows.tolist()]


def _outlines(boxes: I64, layout: Layout) -> list[str]:
    """Return drawings of the boxes (N, 4): a rectangle, and a hole drawn the other way round."""
    sizes = np.maximum(boxes[:, 2:] - boxes[:, :2], 1)
    thick = np.clip(sizes.min(axis=1) // 4, 1, layout.line)
    rows = np.column_stack([sizes, thick, sizes - thick[:, None]]).tolist()
    return [
        f"m 0 0 l {w} 0 {w} {h} 0 {h} m {t} {t} l {t} {b} {r} {b} {r} {t}" for w, h, t, r, b in rows
    ]


def _label_texts(report: MediaReport) -> list[str]:
    """Return `name or number  sex age` for each row; sex and age of its person."""
    names = _rows.names(report)
    owners = report.identities.person_ids.tolist()
    texts = [
        "  ".join(filter(None, (names.get(person, "face"), _rows.sex_and_age(shown))))
        for person, shown in zip(owners, _rows.shown_labels(report), strict=True)
    ]
    return [texts[track] for track in report.row_tracks().tolist()]
