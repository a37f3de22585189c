"""Count what the describer confuses on labelled pictures: tables for `analyzer.shares`.

python tools/confusion_tables.py --data fairface > analyzer/shares/counts/DIGEST.json
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from analyzer import registry
from analyzer.attributes.labeller import Labeller
from analyzer.evaluation import attributes
from analyzer.evaluation.attributes import Predictions
from analyzer.inference.runtime import Runtime
from analyzer.options import ATTRIBUTES
from analyzer.shares import answers as network
from analyzer.shares.confusion import Confusion
from analyzer.shares.tables import written

AGES = (10.0, 14.0, 16.0, 18.0, 20.0, 22.0)
"""Values of `--min_sex_age` for which sex is counted, besides that of all faces."""


def main() -> None:
    """Describe the pictures at each size, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="as for evaluate")
    parser.add_argument("--split", default="val")
    args = parser.parse_args()
    runtime = Runtime(device="cpu")
    describer = registry.load("describe", "dlib_resnet", runtime=runtime, attributes=ATTRIBUTES)
    aligner = registry.load("align", describer.aligner, runtime=runtime)
    dataset = registry.module("datasets", "fairface").create(
        folder=args.data, split=args.split, aligner=aligner
    )
    predictions = attributes.predict(describer, aligner, dataset, sizes_px=network.SIZES_PX)
    tables = {head: counted(head, predictions) for head in network.GROUPS}
    labellers = {age: Labeller(calibration=describer.calibration, min_sex_age=age) for age in AGES}
    of_given = {age: counted("sex", predictions, of) for age, of in labellers.items()}
    print(written(tables, f"FairFace {args.split}, {len(dataset)} pictures", of_given), end="")


def counted(
    head: str, predictions: Sequence[Predictions], labeller: Labeller | None = None
) -> Confusion:
    """Return how often each answer was given to each group, at each size.

    Args:
        head: `sex`, `age` or `ethnicity`.
        predictions: Of all pictures, at each size.
        labeller: Faces that are too young for it are left out.
    """
    groups = network.GROUPS[head]
    counts = np.zeros((len(predictions), len(groups), network.count(head)))
    for size, predicted in enumerate(predictions):
        known = predicted.labelled(head)
        if labeller is not None:
            known &= ~labeller.too_young(predicted.raw, predicted.views)
        truth = predicted.labels[head][known]
        truth = network.group_of_bin()[truth] if head == "age" else truth
        np.add.at(counts[size], (truth, network.answers(head, predicted.raw[head][known])), 1)
    return Confusion(groups, counts)


if __name__ == "__main__":
    main()
