"""Shares of an archive, corrected for what the network confuses, from the answers in its sample.

A corrected share is a sum over faces as well: each adds its influence on the maximum of likelihood.
So its design-based variance is that of a ratio; that of the table, which was counted on so many
faces only, is added.
"""

import math
from dataclasses import replace

import numpy as np

from analyzer.sampling import ratio
from analyzer.sampling.ratio import Ratio
from analyzer.sampling.segments import Answers, Segments
from analyzer.shares import confusion
from analyzer.types import F64


def shares(segments: Segments, inside: F64) -> dict[str, Ratio]:
    """Return the corrected share of each group; none where nothing corrects them.

    Args:
        segments: Segments with results.
        inside: 1 for segments (n,) of the part of the archive that is asked for, else 0.
    """
    answers = segments.answers
    if answers is None:
        return {}
    seconds = answers.seconds * inside[:, None, None]
    sums = np.tensordot(segments.weight, seconds, 1)
    if not sums.sum() > 0:
        return {}
    likelihoods = answers.table.likelihoods()
    found = confusion.prevalence(likelihoods, sums)
    moves = confusion.influences(likelihoods, sums, found)
    doubts = confusion.spread(answers.table, sums)
    below = seconds.sum((1, 2))
    corrected = {}
    for number, group in enumerate(answers.groups):
        above = found[number] * below + np.tensordot(seconds, moves[:, :, number], 2)
        by_lot = _by_lot(segments, answers, above, below)
        error = math.hypot(by_lot.error, float(doubts[number]))
        corrected[group] = replace(by_lot, value=float(found[number]), error=error)
    return corrected


def _by_lot(segments: Segments, answers: Answers, above: F64, below: F64) -> Ratio:
    """Return a ratio with the error that the lot adds: none where all was analysed."""
    if segments.is_census:
        total = float(below.sum())
        # What is left is the table's error: its freedom is that of the faces counted for it.
        return Ratio(float(above.sum()) / total, 0.0, int(answers.table.counts.sum()), 1, total)
    return ratio.estimate(above, below, segments.weight, segments.stratum, segments.cluster)
