"""From raw decision values to labels: which are good enough to be given, and how wide ages are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from analyzer.attributes import heads as attributes
from analyzer.attributes.calibration import Calibration, Views
from analyzer.errors import UsageError
from analyzer.types import F32, Attribute, Decoded


@dataclass(frozen=True, kw_only=True)
class Labeller:
    """Decodes the heads of rows, tracks and persons.

    Raises:
        UsageError: An accuracy is asked for, and the describer has no tables to tell it by.
    """

    calibration: Calibration | None = None
    min_accuracy: float | None = None
    """Share of the labels given that shall be right; the others stay empty. `None`: give all."""
    aggregate: str = "weighted"
    """How the faces of a track or person become one: weighted, mean, median or vote."""

    def __post_init__(self) -> None:
        if self.min_accuracy is not None and self.calibration is None:
            raise UsageError("min_label_accuracy: this describer was not calibrated")

    def decode(self, heads: Mapping[str, F32], views: Views) -> dict[str, Decoded]:
        """Decode each head's (n, k) values of n faces."""
        return {
            head: self._kept(head, attributes.decode(head, raw), raw, views)
            for head, raw in heads.items()
        }

    def average(
        self, heads: Mapping[str, F32], views: Views, weights: F32
    ) -> tuple[dict[str, F32], Views]:
        """Average the n faces of one track or person: the values (k,) of each head, and their view.

        Args:
            heads: (n, k) values of each.
            views: Views of the n faces.
            weights: (n,) that they have where `aggregate` is `weighted`.
        """
        weights = weights if self.aggregate == "weighted" else np.ones_like(weights)
        ones = {
            head: attributes.aggregate(head, raw, weights, self.aggregate)
            for head, raw in heads.items()
        }
        return ones, views.average(weights)

    def summarize(
        self, heads: Mapping[str, F32], views: Views, weights: F32
    ) -> dict[str, Attribute]:
        """Make one face of one person's n faces, and decode it; see `average`."""
        averages, mean_views = self.average(heads, views, weights)
        tail = self._tail(mean_views)
        decoded = self.decode({head: raw[None] for head, raw in averages.items()}, mean_views)
        return {
            head: _blank(attributes.summarize(head, raw, tail), bool(decoded[head].label[0]))
            for head, raw in averages.items()
        }

    def _tail(self, views: Views) -> float:
        return float(self.calibration.age_tail(views)[0]) if self.calibration else attributes.TAIL

    def _kept(self, head: str, decoded: Decoded, raw: F32, views: Views) -> Decoded:
        """Empty the labels that are less sure than asked for."""
        if self.calibration is None or self.min_accuracy is None:
            return decoded
        keep = self.calibration.sure(head, raw, views, self.min_accuracy)
        labels = np.where(keep, np.array(decoded.label, object), "")
        return replace(decoded, label=tuple(labels))


PLAIN = Labeller()
"""Gives every label, with intervals that were not calibrated."""


def _blank(attribute: Attribute, keep: bool) -> Attribute:
    return attribute if keep else replace(attribute, label="", low=None, high=None)
