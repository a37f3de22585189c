"""Small pictures as JPEG."""

import io

from PIL import Image

from analyzer.types import U8

_QUALITY = 90


def encode(image: U8, side_px: int) -> bytes:
    """Scale a square picture, and compress it.

    Args:
        image: (S, S, 3) RGB.
        side_px: Side px of the JPEG.
    """
    picture = Image.fromarray(image).resize((side_px, side_px), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()
