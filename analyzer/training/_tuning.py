"""The pictures that are not trained on, for calibration and for figures on the way."""

from collections.abc import Mapping

import numpy as np

from analyzer.evaluation.datasets import Dataset
from analyzer.types import I64, U8

SPLIT_SEED = 0
"""Seed of their choice. It is the same for all trainings, for a branch must not have been taught on
them by another one either."""
_SHARE = 0.1


def split(count: int, seed: int = SPLIT_SEED) -> tuple[I64, I64]:
    """Return rows to tune on and rows to train on."""
    order = np.random.default_rng(seed).permutation(count)
    tuning_count = round(_SHARE * count)
    return order[:tuning_count], order[tuning_count:]


class Subset:
    """Some pictures of a dataset; a `Dataset` itself.

    Args:
        dataset: The dataset.
        rows: (n,) numbers of the pictures.
    """

    def __init__(self, dataset: Dataset, rows: I64) -> None:
        self.labels: Mapping[str, I64] = {
            head: classes[rows] for head, classes in dataset.labels.items()
        }
        self.digest = dataset.digest
        self._dataset, self._rows = dataset, rows

    def __len__(self) -> int:
        return len(self._rows)

    def chips(self, start: int, stop: int) -> U8:
        """Return chips; see `analyzer.evaluation.datasets.Dataset`."""
        return np.concatenate([self._dataset.chips(i, i + 1) for i in self._rows[start:stop]])
