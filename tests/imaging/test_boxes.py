"""Boxes."""

import numpy as np
import pytest

from analyzer.imaging.boxes import clip, iou, nms, scale, square


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_iou_of_known_boxes():
    a, b = boxes((0, 0, 10, 10), (20, 20, 30, 30)), boxes((0, 0, 10, 10), (5, 0, 15, 10))
    assert iou(a, b) == pytest.approx(np.array([[1, 1 / 3], [0, 0]]))


def test_iou_of_empty_boxes_is_zero():
    assert iou(boxes((5, 5, 5, 5)), boxes((5, 5, 5, 5)))[0, 0] == 0
    assert iou(boxes(), boxes((0, 0, 1, 1))).shape == (0, 1)


def test_square_keeps_the_centre_and_the_longer_side():
    assert square(boxes((0, 0, 10, 20))).tolist() == [[-5, 0, 15, 20]]


def test_scale_and_clip():
    grown = scale(boxes((10, 10, 20, 30)), 2)
    assert grown.tolist() == [[5, 0, 25, 40]]
    assert clip(grown, 20, 35).tolist() == [[5, 0, 20, 35]]


def test_nms_keeps_the_best_of_each_pile():
    pile = boxes((0, 0, 10, 10), (1, 0, 11, 10), (30, 0, 40, 10))
    assert nms(pile, np.array([0.5, 0.9, 0.7], np.float32), 0.3).tolist() == [1, 2]
