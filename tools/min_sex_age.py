"""Find the age below which sex is not given: `analyzer.options.analysis.MIN_SEX_AGE`.

python tools/min_sex_age.py --data fairface

Prints how right sex is by the upper end of the interval of the age, and for each limit how many
faces keep their label, how many of these are right, and how far the best ethnicity is from the
worst. The limit is chosen on the pictures of the training split that were not trained on, as the
largest one with which at least 85 % of the faces keep their label (lower end of the 95 % interval);
`--split val` shows what it brings on the validation split, by which nothing is chosen.
"""

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from analyzer import registry
from analyzer.attributes import heads
from analyzer.attributes.calibration import CHIP_PX
from analyzer.attributes.labeller import Labeller
from analyzer.evaluation import attributes, intervals
from analyzer.evaluation.attributes import Predictions
from analyzer.inference.runtime import Runtime
from analyzer.options import ATTRIBUTES
from analyzer.training._tuning import Subset, split

LEAST_KEPT = 0.85
_LIMITS = (0, 10, 14, *range(16, 26))
_ADULT = heads.AGE_BINS.index("20-29")
_GROUPS = range(len(heads.ETHNICITIES))


def main() -> None:
    """Describe the pictures, and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="as for evaluate")
    parser.add_argument("--split", choices=("train", "val"), default="train")
    args = parser.parse_args()
    runtime = Runtime()
    describer = registry.load("describe", "dlib_resnet", runtime=runtime, attributes=ATTRIBUTES)
    aligner = registry.load("align", describer.aligner, runtime=runtime)
    dataset = registry.module("datasets", "fairface").create(folder=args.data, split=args.split)
    if args.split == "train":
        dataset = Subset(dataset, split(len(dataset))[0])
    (predictions,) = attributes.predict(describer, aligner, dataset, sizes_px=(CHIP_PX,))
    print("\n".join(by_end(predictions, describer.calibration)))
    print("\n".join(["", *by_limit(predictions, describer.calibration)]))


def by_end(p: Predictions, calibration: Any) -> Iterator[str]:
    """Yield the rows of a table: accuracy of sex by the upper end of the interval of the age."""
    limits = (*_LIMITS, 30, 40, 100)
    below = {limit: _too_young(p, calibration, limit) for limit in limits}
    yield "| interval ends at | faces | sex right, % | of them 20 years or older |"
    yield "|---|---|---|---|"
    for low, high in itertools.pairwise(limits):
        rows = below[high] & ~below[low]
        if rows.any():
            adults = int((p.labels["age"][rows] >= _ADULT).sum())
            yield f"| {low} to {high} | {rows.sum()} | {_share(p.right('sex')[rows])} | {adults} |"


def by_limit(p: Predictions, calibration: Any) -> Iterator[str]:
    """Yield the rows of a table: what each limit keeps."""
    yield (
        "| `--min_sex_age` | kept, % | of them right, % | best less worst ethnicity, points | "
        "left out of 20 years and older, % | right where left out, % |\n|---|---|---|---|---|---|"
    )
    right, adult = p.right("sex"), p.labels["age"] >= _ADULT
    chosen = 0
    for limit in _LIMITS:
        kept = ~_too_young(p, calibration, limit)
        groups = [right[kept & (p.labels["ethnicity"] == group)].mean() for group in _GROUPS]
        yield (
            f"| {limit} | {_share(kept)} | {_share(right[kept])} | "
            f"{100 * (max(groups) - min(groups)):.1f} | {100 * (~kept)[adult].mean():.2f} | "
            f"{_share(right[~kept]) if (~kept).any() else ''} |"
        )
        if intervals.wilson(kept.sum(), kept.size)[0] >= LEAST_KEPT:
            chosen = limit
    yield f"\nThe largest that keeps {LEAST_KEPT:.0%}: {chosen}"


def _too_young(p: Predictions, calibration: Any, limit: float) -> Any:
    return Labeller(calibration=calibration, min_sex_age=limit).too_young(p.raw, p.views)


def _share(values: Any) -> str:
    low, high = (100 * float(end) for end in intervals.wilson(values.sum(), values.size))
    return f"{100 * values.mean():.1f} ({low:.1f} to {high:.1f})"


if __name__ == "__main__":
    main()
