"""Labels of faces, tracks and persons, and the decision which of them are sure enough to give."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analyzer.attributes.calibration import Calibration, Views
from analyzer.attributes.heads import age_interval, aggregate, decode, summarize
from analyzer.errors import UsageError
from analyzer.types import F32, F64, Attribute, Decoded


@dataclass(frozen=True, kw_only=True)
class Labeller:
    """Decoder of the attribute heads of rows, tracks and persons.

    Raises:
        UsageError: An accuracy is requested, but the describer has no calibration.
    """

    calibration: Calibration | None = None
    """Tables of the describer; `None` if it has none."""
    min_accuracy: float | None = None
    """Share of the given labels that must be right; other labels stay empty. `None`: give all."""
    min_sex_age: float = 0.0
    """Years: no label of sex where the interval of the age ends below. 0: everybody has one."""
    min_sex_confidence: float = 0.0
    """Probability, 0 to 1: no label of sex that is less likely to be right. Without a calibration
    nobody knows, and all are given."""
    aggregate: str = "weighted"
    """Method for the faces of a track or person; see `analyzer.attributes.heads.aggregate`."""

    def __post_init__(self) -> None:
        if self.min_accuracy is not None and self.calibration is None:
            raise UsageError("min_label_accuracy: this describer was not calibrated")

    def decode(self, heads: Mapping[str, F32], views: Views) -> dict[str, Decoded]:
        """Decode the heads of n faces.

        Args:
            heads: Head name -> (n, k) decision values.
            views: Views of the n faces.
        """
        decoded = {
            head: self._without_unsure(head, decode(head, raw), raw, views)
            for head, raw in heads.items()
        }
        if "sex" in decoded:
            is_given = ~self.too_young(heads, views) & self._sure_of_sex(heads["sex"], views)
            decoded["sex"] = _only(decoded["sex"], is_given)
        return decoded

    def too_young(self, heads: Mapping[str, F32], views: Views) -> NDArray[np.bool_]:
        """Return which of n faces look too young for a label of sex.

        That is decided by the upper end of the interval of the age, not by the age: who may be
        older keeps the label. A face without an age is none of them, as there is nothing to decide
        by.

        Args:
            heads: Head name -> (n, k) decision values.
            views: Views of the n faces.
        """
        young = np.zeros(len(views.face_px), bool)
        if "age" not in heads or not self.min_sex_age:
            return young
        known = np.flatnonzero(~np.isnan(heads["age"]).any(axis=1))
        _, high = self._age_ends(heads["age"][known], views[known])
        young[known] = high < self.min_sex_age
        return young

    def average(
        self, heads: Mapping[str, F32], views: Views, weights: F32
    ) -> tuple[dict[str, F32], Views]:
        """Aggregate the n faces of one track or person.

        Args:
            heads: Head name -> (n, k) decision values.
            views: Views of the n faces.
            weights: (n,) weights; used if `aggregate` is `weighted`.

        Returns:
            Head name -> (k,) decision values, and their mean view, as the view of one face.
        """
        weights = weights if self.aggregate == "weighted" else np.ones_like(weights)
        averages = {
            head: aggregate(head, raw, weights, self.aggregate) for head, raw in heads.items()
        }
        return averages, views.average(weights)

    def summarize(
        self, heads: Mapping[str, F32], views: Views, weights: F32
    ) -> dict[str, Attribute]:
        """Aggregate and decode the n faces of one person; see `average`."""
        averages, mean_views = self.average(heads, views, weights)
        decoded = self.decode({head: raw[None] for head, raw in averages.items()}, mean_views)
        attributes = {head: summarize(head, raw) for head, raw in averages.items()}
        if "age" in attributes and attributes["age"].label:
            low, high = self._age_ends(averages["age"][None], mean_views)
            attributes["age"] = replace(attributes["age"], low=float(low[0]), high=float(high[0]))
        return {
            head: attribute if decoded[head].label[0] else _without_label(attribute)
            for head, attribute in attributes.items()
        }

    def _age_ends(self, raw: F32, views: Views) -> tuple[F64, F64]:
        """Return the lower and upper ends (n,) of the interval of each age, in years."""
        return self.calibration.age_interval(raw, views) if self.calibration else age_interval(raw)

    def _sure_of_sex(self, raw: F32, views: Views) -> NDArray[np.bool_]:
        """Return of which of n faces the sex is likely enough to be right.

        The reject option of Chow, "On optimum recognition error and reject tradeoff", 1970: one
        limit of the probability for everybody loses the fewest labels for the errors it saves.
        """
        if self.calibration is None or not self.min_sex_confidence:
            return np.ones(len(raw), bool)
        return self.calibration.confidence("sex", raw, views) >= self.min_sex_confidence

    def _without_unsure(self, head: str, decoded: Decoded, raw: F32, views: Views) -> Decoded:
        """Empty the labels that are less sure than the requested accuracy needs."""
        if self.calibration is None or self.min_accuracy is None:
            return decoded
        return _only(decoded, self.calibration.sure(head, raw, views, self.min_accuracy))


PLAIN = Labeller()
"""Labeller that gives every label; its intervals are not calibrated."""


def _only(decoded: Decoded, keep: NDArray[np.bool_]) -> Decoded:
    """Return the values with the labels of some rows (n,) only."""
    labels = np.where(keep, np.array(decoded.label, object), "")
    return replace(decoded, label=tuple(labels))


def _without_label(attribute: Attribute) -> Attribute:
    return replace(attribute, label="", low=None, high=None)
