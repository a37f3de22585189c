"""Find where sex is not given: `min_sex_age` and `min_sex_confidence` of `AnalysisOptions`.

python tools/sex_abstention.py --data fairface

Prints how right sex is by the upper end of the interval of the age, of all faces and of those that
are sure. Then, for each age from which sex may be given, the highest confidence (in hundredths)
with which at least 85 % of the faces keep their label (lower end of the 95 % interval), how many of
these are right, and how far the best ethnicity is from the worst. Of the pairs with which 95 % of
the adults keep their label, that with the largest share of right ones is chosen, on the pictures of
the training split that were not trained on; `--split val` shows what these pairs bring on the
validation split, by which nothing is chosen. The last row is what analyses use.
"""

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer import registry
from analyzer.attributes import heads
from analyzer.attributes.calibration import CHIP_PX
from analyzer.attributes.labeller import Labeller
from analyzer.evaluation import attributes, intervals
from analyzer.evaluation.attributes import Predictions
from analyzer.inference.runtime import Runtime
from analyzer.options import ATTRIBUTES, AnalysisOptions
from analyzer.training._tuning import Subset, split

LEAST_KEPT = 0.85
LEAST_ADULTS = 0.95
AGES = (0, 10, 14, 16, 18, 20)
"""Values of `min_sex_age`: those for which `tools/confusion_tables.py` counts."""
_ENDS = (0, 10, 14, 18, 20, 22, 25, 30, 40, 100)
_CONFIDENCES = np.arange(50, 100) / 100
_TEEN, _ADULT = (heads.AGE_BINS.index(name) for name in ("10-19", "20-29"))

Rows = NDArray[np.bool_]


def main() -> None:
    """Describe the pictures, and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="as for evaluate")
    parser.add_argument("--split", choices=("train", "val"), default="train")
    args = parser.parse_args()
    runtime = Runtime()
    describer = registry.load("describe", "dlib_resnet", runtime=runtime, attributes=ATTRIBUTES)
    aligner = registry.load("align", describer.aligner, runtime=runtime)
    create = registry.module("datasets", "fairface").create
    pictures = create(folder=args.data, split="train")
    held = Subset(pictures, split(len(pictures))[0])
    (tuning,) = attributes.predict(describer, aligner, held, sizes_px=(CHIP_PX,))
    shown = tuning
    if args.split == "val":
        pictures = create(folder=args.data, split="val")
        (shown,) = attributes.predict(describer, aligner, pictures, sizes_px=(CHIP_PX,))
    print("\n".join(by_end(shown, describer.calibration)))
    pairs = [(age, highest_confidence(tuning, describer.calibration, age)) for age in AGES]
    print("\n".join(["", *by_pair(shown, describer.calibration, pairs)]))
    age, confidence = chosen(tuning, describer.calibration, pairs)
    print(f"\nChosen: --min_sex_age {age} --min_sex_confidence {confidence:g}")


def given(p: Predictions, calibration: Any, age: float, confidence: float) -> Rows:
    """Return which faces (n,) have a label of sex with these limits."""
    return p.given(
        Labeller(calibration=calibration, min_sex_age=age, min_sex_confidence=confidence)
    )


def highest_confidence(p: Predictions, calibration: Any, age: float) -> float:
    """Return the highest confidence with which enough faces keep their label; at least 0.5."""
    labelled = (given(p, calibration, age, confidence) for confidence in _CONFIDENCES)
    enough = [intervals.wilson(rows.sum(), rows.size)[0] >= LEAST_KEPT for rows in labelled]
    return float(_CONFIDENCES[np.flatnonzero(enough).max(initial=0)])


def chosen(p: Predictions, calibration: Any, pairs: list[tuple[int, float]]) -> tuple[int, float]:
    """Return the pair of which most labels are right, of those with which adults keep theirs."""
    adult, right = p.labels["age"] >= _ADULT, p.right("sex")
    labelled = {pair: given(p, calibration, *pair) for pair in pairs}
    allowed = [pair for pair in pairs if labelled[pair][adult].mean() >= LEAST_ADULTS]
    return max(allowed, key=lambda pair: float(right[labelled[pair]].mean()))


def distance(p: Predictions, labelled: Rows) -> float:
    """Return how far the best ethnicity is from the worst, in the share of right labels."""
    groups = range(len(heads.ETHNICITIES))
    right = [p.right("sex")[labelled & (p.labels["ethnicity"] == group)].mean() for group in groups]
    return float(max(right) - min(right))


def by_end(p: Predictions, calibration: Any) -> Iterator[str]:
    """Yield the rows of a table: accuracy of sex by the upper end of the interval of the age."""
    least = AnalysisOptions().min_sex_confidence
    sure = given(p, calibration, 0, least)
    yield f"| interval ends at | faces | sex right, % | sure, {least:g} | right, % | 20 or older |"
    yield "|---|---|---|---|---|---|"
    below = {end: ~given(p, calibration, end, 0) for end in _ENDS}
    for low, high in itertools.pairwise(_ENDS):
        rows = below[high] & ~below[low]
        adults = int((p.labels["age"][rows] >= _ADULT).sum())
        right = p.right("sex")
        yield (
            f"| {low} to {high} | {rows.sum()} | {_share(right[rows])} | {(rows & sure).sum()} | "
            f"{_share(right[rows & sure])} | {adults} |"
        )


def by_pair(p: Predictions, calibration: Any, pairs: list[tuple[int, float]]) -> Iterator[str]:
    """Yield the rows of a table: what each pair of limits keeps."""
    yield (
        "| `--min_sex_age` | `--min_sex_confidence` | kept, % | of them right, % | best less worst "
        "ethnicity, points | of adults kept, % | right, % | of children below 10 kept, % | "
        "right, % | right where left out, % |\n|---|---|---|---|---|---|---|---|---|---|"
    )
    right, age = p.right("sex"), p.labels["age"]
    usual = AnalysisOptions()
    for pair in [(0, 0.0), *pairs, (usual.min_sex_age, usual.min_sex_confidence)]:
        labelled = given(p, calibration, *pair)
        cells = [f"{pair[0]:g}", f"{pair[1]:g}", _share(labelled), _share(right[labelled])]
        cells.append(f"{100 * distance(p, labelled):.1f}")
        for group in (age >= _ADULT, age < _TEEN):
            cells += [_share(labelled[group]), _share(right[labelled & group])]
        yield f"| {' | '.join([*cells, _share(right[~labelled])])} |"


def _share(values: Any) -> str:
    if not len(values):
        return ""
    low, high = (100 * float(end) for end in intervals.wilson(values.sum(), values.size))
    return f"{100 * values.mean():.1f} ({low:.1f} to {high:.1f})"


if __name__ == "__main__":
    main()
