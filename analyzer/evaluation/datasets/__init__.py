"""Plug-ins: labelled face pictures to train and to evaluate on."""

from collections.abc import Mapping
from typing import Protocol

from analyzer.types import I64, U8


class Dataset(Protocol):
    """Pictures of one face each, and what is said of them."""

    labels: Mapping[str, I64]
    """Head name -> (n,) classes: `sex` 0 (f) or 1 (m), `age` and `ethnicity` the index in
    `analyzer.attributes.heads`; -1 where a picture is not labelled."""
    digest: str
    """sha256 over the names, labels and files of all pictures, in order."""

    def __len__(self) -> int:
        """Return how many pictures there are."""
        ...

    def chips(self, start: int, stop: int) -> U8:
        """Return pictures `start` to `stop` as chips (stop - start, 150, 150, 3) RGB.

        Raises:
            InputError: A picture is missing or broken.
        """
        ...


class PublishedDataset(Dataset, Protocol):
    """What a plug-in makes: a whole data set, or a split of one."""

    reviewed: Mapping[str, I64]
    """Name -> (n,) classes of sex after a review of the labels; empty where there was none."""
