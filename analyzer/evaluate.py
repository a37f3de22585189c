"""How right the attribute heads are on labelled pictures."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from analyzer import attributes
from analyzer.datasets import Dataset
from analyzer.describe import Describer
from analyzer.types import F32, I64, Progress, ProgressHook

AGE_CENTRES = np.array([1.5, 6.5, 15, 25, 35, 45, 55, 65, 75])
"""(9,) years that stand for the age bins when errors are counted in years."""
_CHIPS = 512


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Figures over n pictures; shares are 0 to 1."""

    count: int
    sex_accuracy: float
    age_accuracy: float
    """Share of pictures whose most probable age bin is the labelled one."""
    age_mae_years: float
    """Mean distance of the age in years to the centre of the labelled bin."""
    ethnicity_accuracy: float

    def to_dict(self) -> dict[str, Any]:
        """All figures as JSON-able values."""
        return asdict(self)


def evaluate(
    describer: Describer, dataset: Dataset, *, progress: ProgressHook = lambda _: None
) -> Scores:
    """Score a describer on a dataset, by the path that an analysis takes.

    Args:
        describer: must have been asked for all heads.
        dataset: labelled chips.
        progress: told of the pictures done.
    """
    parts: list[Mapping[str, F32]] = []
    for start in range(0, len(dataset), _CHIPS):
        parts.append(describer.describe(dataset.chips(start, start + _CHIPS)).heads)
        done = min(start + _CHIPS, len(dataset))
        progress(Progress(stage="describe", done=done, total=len(dataset)))
    raw = {name: np.concatenate([part[name] for part in parts]) for name in attributes.SIZES}
    return score(raw, dataset.labels)


def score(raw: Mapping[str, F32], labels: Mapping[str, I64]) -> Scores:
    """Compare raw values {head: (n, k)} with the labelled classes {head: (n,)}."""
    years = attributes.years(attributes.decode("age", raw["age"]).value)
    return Scores(
        count=len(years),
        sex_accuracy=_share((raw["sex"][:, 0] > 0) == labels["sex"]),
        age_accuracy=_share(raw["age"].argmax(axis=1) == labels["age"]),
        age_mae_years=float(np.abs(years - AGE_CENTRES[labels["age"]]).mean()),
        ethnicity_accuracy=_share(raw["ethnicity"].argmax(axis=1) == labels["ethnicity"]),
    )


def _share(holds: "np.ndarray[Any, Any]") -> float:
    return float(np.mean(holds))
