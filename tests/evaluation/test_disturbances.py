import cv2
import numpy as np
import pytest

from analyzer.evaluation import disturbances, jpeg
from analyzer.evaluation.disturbances import DISTURBANCES, disturb
from tests.support.media import ASTRONAUT_FACE, astronaut


@pytest.fixture(scope="module")
def chips() -> np.ndarray:
    """Six times one face."""
    x1, y1, x2, y2 = (round(float(edge)) for edge in ASTRONAUT_FACE[0])
    face = cv2.resize(np.ascontiguousarray(astronaut()[y1:y2, x1:x2]), (150, 150))
    return np.repeat(face[None], 6, axis=0)


@pytest.mark.parametrize("name", DISTURBANCES)
def test_a_picture_is_disturbed_equally_in_every_batch(name, chips):
    whole = disturb(name, chips, 7)
    assert whole.shape == chips.shape
    assert whole.dtype == np.uint8
    assert (whole != chips).any(axis=(1, 2, 3)).all()
    np.testing.assert_array_equal(disturb(name, chips[4:], 11), whole[4:])


@pytest.mark.parametrize("cover", disturbances.TOP)
@pytest.mark.parametrize("share", [10, 20])
def test_a_cover_hides_the_top_and_nothing_below(cover, share, chips):
    changed = (disturb(f"{cover}, top {share} %", chips) != chips).any(axis=3)
    rows = 150 * share // 100
    assert not changed[:, rows:].any()
    assert changed[:, :rows].mean() > 0.8
    assert changed[:, rows - 1].any(axis=1).all()


def test_gamma_below_one_is_darker(chips):
    dark, bright = (disturb(name, chips) for name in ("gamma 0.5, darker", "gamma 2, brighter"))
    assert dark.mean() < chips.mean() < bright.mean()
    grey = np.full((1, 8, 8, 3), 128, np.uint8)
    assert disturb("gamma 0.5, darker", grey)[0, 0, 0].tolist() == [64, 64, 64]
    assert disturb("gamma 2, brighter", grey)[0, 0, 0].tolist() == [181, 181, 181]


def test_covers_and_masks_have_many_looks(chips):
    for name in ("cap, top 10 %", "scarf, top 10 %", "glasses", "mask"):
        assert len({picture.tobytes() for picture in disturb(name, chips)}) > 2


@pytest.mark.parametrize("quality", [10, 40, 90])
def test_compression_loses_what_a_codec_loses(quality, chips):
    grey = np.repeat(chips[0, ..., :1], 3, axis=2)
    ours = jpeg.compressed(grey.astype(np.float64), quality)
    packed = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    theirs = cv2.imdecode(packed, cv2.IMREAD_COLOR).astype(np.float64)
    lost = np.abs(theirs - grey).mean()
    assert np.abs(ours - theirs).mean() < max(0.1 * lost, 0.6)
    coloured = jpeg.compressed(chips[0].astype(np.float64), quality)
    assert coloured.shape == chips[0].shape
    assert np.abs(coloured - chips[0]).mean() < 20
