"""How long the network gave each of its answers in a medium: all that a correction needs of it."""

import numpy as np

from analyzer.attributes.calibration import Views
from analyzer.shares import answers
from analyzer.types import F64, MediaReport


def answer_seconds(report: MediaReport, head: str) -> F64:
    """Return the seconds (S, K) of faces with each answer, in each class of size.

    Those of segments of a medium add up to those of the whole. A face of a still counts as 1.

    Args:
        report: Report of the medium.
        head: `sex`, `age` or `ethnicity`.
    """
    table = report.observations
    raw = table.heads[head]
    known = ~np.isnan(raw).any(axis=1)
    views = Views(face_px=table.face_px, sharpness=table.sharpness, frontality=table.frontality)
    shape = len(answers.SIZES_PX), answers.count(head)
    at = np.ravel_multi_index(
        (answers.size_class(views[known]), answers.answers(head, raw[known])), shape
    )
    seconds = table.duration_s[known] if report.info.is_timed else np.ones(len(at))
    sums = np.bincount(at, seconds, minlength=shape[0] * shape[1])
    return np.asarray(sums, np.float64).reshape(shape)
