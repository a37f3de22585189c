"""JPEG of small square pictures."""

import io

from PIL import Image

from analyzer.types import U8

_QUALITY = 90


def encode(image: U8, side_px: int) -> bytes:
    """Scale a square picture and return it as JPEG.

    Args:
        image: (S, S, 3) uint8, RGB.
        side_px: Side of the JPEG, in pixels.
    """
    picture = Image.fromarray(image).resize((side_px, side_px), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()
