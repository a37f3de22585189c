"""Pictures that are mixed with others, and what is then to be said of them."""

import cv2
import numpy as np
import torch
from torch import Tensor

from analyzer.types import U8

_MIXED, _SHAPE = 0.5, 0.4
"""Share of the pictures that are mixed, and both parameters of the beta distribution of weights."""


class Mix:
    """Weighted means of pairs of n pictures, at random, and of their targets.

    Zhang et al., "mixup: Beyond empirical risk minimization", ICLR 2018.

    Args:
        random: Source of the pairs and weights.
        count: Number n of pictures.
        always_whole: Whether to mix none.
    """

    def __init__(self, random: np.random.Generator, count: int, *, always_whole: bool) -> None:
        self._others = random.permutation(count)
        weights = random.beta(_SHAPE, _SHAPE, count).astype(np.float32)
        self._weights = np.maximum(weights, 1 - weights)
        self._weights[random.random(count) >= (0 if always_whole else _MIXED)] = 1

    def chips(self, chips: U8) -> U8:
        """Mix chips (n, S, S, 3)."""
        return np.stack(
            [
                cv2.addWeighted(chip, float(w), chips[other], float(1 - w), 0) if w < 1 else chip
                for chip, other, w in zip(chips, self._others, self._weights, strict=True)
            ]
        )

    def targets(self, targets: Tensor) -> Tensor:
        """Mix distributions (n, k)."""
        share = torch.from_numpy(self._weights)[:, None]
        return share * targets + (1 - share) * targets[torch.from_numpy(self._others)]
