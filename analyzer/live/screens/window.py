"""A window on the desktop; q, Esc or its close button end it."""

import os
import sys
from collections.abc import Sequence

import cv2
import numpy as np

from analyzer.errors import UsageError
from analyzer.inference.runtime import Runtime
from analyzer.types import F32, U8

_STOP_KEYS = (ord("q"), ord("Q"), 27)
"""q, Q and Esc."""
_GREEN, _BLACK = (80, 220, 80), (0, 0, 0)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def create(*, title: str = "ina", runtime: Runtime) -> "Window":
    """Return a window on the desktop; q, Esc or its close button end it.

    Args:
        title: Title of the window.
        runtime: Not used.

    Raises:
        UsageError: No desktop, or an OpenCV without windows.
    """
    # OpenCV's toolkit ends the process where there is no display.
    if sys.platform == "linux" and not (os.environ.keys() & {"DISPLAY", "WAYLAND_DISPLAY"}):
        raise UsageError("no display to open a window on; take --headless")
    try:
        cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
    except cv2.error as error:
        raise UsageError(
            "this OpenCV was built without windows; take --headless, or reinstall it with: "
            "pip uninstall opencv-python-headless && pip install --force-reinstall opencv-python"
        ) from error
    return Window(title)


class Window:
    """Shows pictures in a window; see `analyzer.live.screens.Screen`."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._size: tuple[int, int] | None = None

    def show(self, image: U8, boxes: F32, labels: Sequence[str]) -> bool:
        """Show a picture; see `analyzer.live.screens.Screen`."""
        if self._size != image.shape[:2]:
            self._size = image.shape[0], image.shape[1]
            cv2.resizeWindow(self._title, image.shape[1], image.shape[0])
        cv2.imshow(self._title, draw(image, boxes, labels))
        if cv2.waitKey(1) & 0xFF in _STOP_KEYS:
            return False
        return bool(cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1)

    def close(self) -> None:
        """Close the window, if it is still open; see `analyzer.live.screens.Screen`."""
        cv2.destroyAllWindows()
        cv2.waitKey(1)


def draw(image: U8, boxes: F32, labels: Sequence[str]) -> U8:
    """Draw boxes and labels into a picture.

    Args:
        image: (H, W, 3) uint8, RGB; it stays as it is.
        boxes: (n, 4) float32, pixels.
        labels: Text at each box.

    Returns:
        (H, W, 3) uint8, BGR.
    """
    picture = np.ascontiguousarray(image[:, :, ::-1])
    scale = max(0.4, image.shape[0] / 1000)
    thickness = max(1, round(2 * scale))
    for box, label in zip(np.rint(boxes).astype(int).tolist(), labels, strict=True):
        cv2.rectangle(picture, tuple(box[:2]), tuple(box[2:]), _GREEN, thickness)
        (width, height), _ = cv2.getTextSize(label, _FONT, scale, thickness)
        margin = max(2, height // 3)
        bottom = max(box[1], height + 2 * margin)
        corner = (box[0], bottom - height - 2 * margin)
        cv2.rectangle(picture, corner, (box[0] + width, bottom), _GREEN, cv2.FILLED)
        text_origin = (box[0], bottom - margin)
        cv2.putText(picture, label, text_origin, _FONT, scale, _BLACK, thickness, cv2.LINE_AA)
    return picture
