"""Stage: chips become embeddings (who) and attribute heads (what).

In: chips of the aligner that the describer names. Out: `Descriptions`.
Used by the pipeline, by `analyzer.gallery` and by `analyzer.evaluation`.
"""

from collections.abc import Mapping
from typing import Protocol

from analyzer.attributes.calibration import Calibration
from analyzer.types import U8, Descriptions


class Describer(Protocol):
    """One network or several that describe chips of faces.

    Its module may state `UNIT_THRESHOLD`, the threshold for embeddings of length one: with it,
    identity stores need no threshold of their own.
    """

    aligner: str
    """Spec of the aligner that cuts its chips, such as `chip:size=150`."""
    threshold: float
    """Euclidean distance of embeddings below which two faces are taken for one person."""
    calibration: Calibration | None
    """Tables of the reliability of its labels; `None` where it has none."""
    provenance: Mapping[str, str]
    """Model file -> sha256, for the report."""
    dimensions: int
    """Length of an embedding."""
    head_sizes: Mapping[str, int]
    """Name -> number of values of each head that `describe` returns."""

    def describe(self, images: U8) -> Descriptions:
        """Describe chips.

        Args:
            images: (n, S, S, 3) uint8, RGB; n may be 0.

        Returns:
            Embeddings (n, D) and the heads `sex` (n, 1: logit of male against female), `age`
            (n, 9: logits of the FairFace bins) and `ethnicity` (n, 7: logits), of which only the
            requested ones are there.
        """
        ...
