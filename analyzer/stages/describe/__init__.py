"""Stage: chips become embeddings (who) and attribute heads (what)."""

from collections.abc import Mapping
from typing import Protocol

from analyzer.attributes.calibration import Calibration
from analyzer.types import U8, Descriptions


class Describer(Protocol):
    """A network, or several, over face chips.

    Its file may state ``UNIT_THRESHOLD``, the threshold for embeddings of length one: with it,
    identity stores need not be told how to match.
    """

    aligner: str
    """Spec of the aligner whose chips it expects, such as ``chip:size=150``."""
    threshold: float
    """Euclidean distance of embeddings below which two faces are taken for one person."""
    calibration: Calibration | None
    """Tables that say how sure its labels are; ``None`` where it has none."""
    provenance: Mapping[str, str]
    """Model file -> sha256, for the report."""
    dimensions: int
    """Length of an embedding."""
    head_sizes: Mapping[str, int]
    """Name -> number of values of each head that `describe` returns."""

    def describe(self, images: U8) -> Descriptions:
        """Describe chips.

        Args:
            images: (n, S, S, 3) RGB; n may be 0.

        Returns:
            Embeddings (n, D) and the heads ``sex`` (n, 1: logit of male against female), ``age``
            (n, 9: logits of the FairFace bins) and ``ethnicity`` (n, 7: logits), as far as the
            describer was asked for them.
        """
        ...
