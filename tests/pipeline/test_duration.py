"""How long a medium is, without decoding it."""

import pytest

from analyzer.pipeline.duration import duration_s


def test_the_sample_and_parts_of_it(sample):
    whole = duration_s(str(sample / "sample.mp4"))
    assert whole is not None
    assert whole > 5
    assert duration_s(str(sample / "sample.mp4"), start=1.0) == pytest.approx(whole - 1)
    assert duration_s(str(sample / "sample.mp4"), start=1.0, stop=3.0) == pytest.approx(2)
    assert duration_s(str(sample / "sample.mp4"), stop=1e6) == pytest.approx(whole)
    assert duration_s(str(sample / "sample.mp4"), start=1e6) == 0


def test_what_is_no_video_has_none(tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    assert duration_s(str(tmp_path / "text.mp4")) is None
    assert duration_s(str(tmp_path / "none.mp4")) is None
    assert duration_s(str(tmp_path)) is None
