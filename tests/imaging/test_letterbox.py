"""Black bars."""

import numpy as np
import pytest

from analyzer.imaging.letterbox import LetterboxDetector, area


def letterbox(brightness: int, *, bar: int = 9) -> np.ndarray:
    picture = np.full((72, 128), 16, np.uint8)
    picture[bar:-bar] = brightness
    return picture


def test_bars_are_left_out():
    detector = LetterboxDetector()
    detector.update(letterbox(120))
    assert detector.box == pytest.approx([0, 9 / 72, 1, 63 / 72])
    assert area(detector.box) == pytest.approx(54 / 72)


def test_dark_scenes_do_not_shrink_the_picture():
    detector = LetterboxDetector()
    for picture in (letterbox(16), letterbox(120), letterbox(120, bar=30)):
        detector.update(picture)
    assert area(detector.box) == pytest.approx(54 / 72)


def test_a_logo_on_a_bar_is_picture():
    detector = LetterboxDetector()
    picture = letterbox(120)
    picture[2:6, 100:110] = 200
    detector.update(picture)
    assert detector.box[1] == pytest.approx(2 / 72)


def test_nothing_lit_counts_as_everything():
    detector = LetterboxDetector()
    detector.update(letterbox(16))
    assert area(detector.box) == 1
