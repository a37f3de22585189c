"""The medium's poster with a box and a label per face; the boxes of unmatched faces are grey."""

from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from analyzer.errors import ResourceError
from analyzer.export._shown import NOBODY_COLOUR, PALETTE, Layout, colours
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook
from analyzer.types.people import Poster

_NOTICE_SIZE_PX = (640, 120)


def create(*, runtime: Runtime) -> "PosterImageExporter":
    """The poster with a box and a label per face."""
    return PosterImageExporter()


class PosterImageExporter:
    """Draws the poster; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".poster.jpg"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Draw it, as PNG if the file is named `.png`, else as JPEG; without a poster, say why."""
        poster = report.poster
        picture = _notice(report) if poster is None else _annotated_poster(report, poster)
        png = ".png" in (suffix.lower() for suffix in path.suffixes)
        try:
            picture.save(path, "PNG" if png else "JPEG", quality=92)
        except OSError as error:
            raise ResourceError(f"{path}: cannot be written: {error.strerror}") from error


def _notice(report: MediaReport) -> Image.Image:
    """Return a picture of the text that says why there is no poster."""
    text = next((note for note in report.notes if note.startswith("poster")), "no poster was given")
    picture = Image.new("RGB", _NOTICE_SIZE_PX, "#404040")
    font = ImageFont.load_default(16)
    words = [text[i : i + 72] for i in range(0, min(len(text), 288), 72)]
    ImageDraw.Draw(picture).multiline_text((12, 12), "\n".join(words), "white", font)
    return picture


def _annotated_poster(report: MediaReport, poster: Poster) -> Image.Image:
    picture = Image.fromarray(poster.image)
    layout = Layout(*picture.size)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(layout.font)
    names = {p.person_id: p.name or f"person {p.person_id}" for p in report.persons}
    shades = {person: PALETTE[colour] for person, colour in colours(report).items()}
    boxes = np.rint(poster.boxes).astype(int).tolist()
    for face, person in enumerate(poster.person_ids.tolist()):
        age = f"{float(poster.age[face]):.0f}" if poster.age[face] else ""
        parts = (names.get(person, "unmatched"), f"{poster.sex[face]} {age}".strip())
        text = layout.fit("  ".join(filter(None, parts)))
        left, top, right, bottom = boxes[face]
        shade = f"#{shades.get(person, NOBODY_COLOUR)}"
        draw.rectangle((left, top, right, bottom), outline=shade, width=layout.line)
        x = max(0, min(left, layout.width - round(layout.text_width(text))))
        up = top - layout.font - layout.gap
        y = up if up >= 0 else min(bottom + layout.gap, layout.height - layout.font)
        draw.text((x, y), text, shade, font, stroke_width=layout.outline, stroke_fill="black")
    return picture
