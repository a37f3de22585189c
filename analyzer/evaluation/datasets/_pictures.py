"""Reading one picture."""

from typing import Any

import cv2
import numpy as np

from analyzer.errors import InputError
from analyzer.types import U8


def decode(data: bytes, name: str, cure: str) -> U8:
    """Decode a picture's file to (H, W, 3) RGB.

    Raises:
        InputError: It is none, which the cure helps against, or one that OpenCV refuses.
    """
    try:
        image: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise InputError(f"{name}: refused by OpenCV: {error.err}; leave it out") from error
    if image is None:
        raise InputError(f"{name}: not a picture; {cure}")
    return np.ascontiguousarray(image[..., ::-1])
