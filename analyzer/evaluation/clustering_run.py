"""Measure clusterers on labelled sets; what `evaluate clustering` does."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from analyzer.errors import InputError
from analyzer.evaluation import clustering, conditions, truth
from analyzer.evaluation.clustering import Variants
from analyzer.evaluation.conditions import Condition
from analyzer.evaluation.labelled_sets import LabelledSet
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import Components, load_components
from analyzer.types import ProgressHook


def measure_sets(
    sets: Sequence[LabelledSet],
    options: AnalysisOptions,
    *,
    clusterers: Sequence[str],
    thresholds: Sequence[float] | None,
    progress: ProgressHook,
) -> dict[str, Any]:
    """Return the figures of each set, condition, clusterer and threshold, and what was measured.

    Args:
        sets: Labelled data.
        options: Options of the analysis; a condition decides the rate.
        clusterers: Names of clusterers.
        thresholds: Distances to compare; None for the describer's.
        progress: Hook that is called at each step.

    Raises:
        InputError: The data cannot be read.
    """
    describer = load_components(options).describer
    threshold = options.cluster_threshold or describer.threshold
    variants = Variants(clusterers=clusterers, thresholds=thresholds or [threshold])
    runs, labelled = [], {}
    for one in sets:
        for condition, figures in _measure(one, options, variants, progress):
            labelled[one.name] = figures["labelled"]
            facts = {"set": one.name, "condition": condition}
            runs += [{**facts, **run} for run in figures["runs"]]
    return {
        "data": ", ".join(labelled),
        "labelled": sum(labelled.values()),
        "threshold": threshold,
        "describer": options.describer,
        "models": dict(describer.provenance),
        "runs": runs,
    }


def _measure(
    one: LabelledSet, options: AnalysisOptions, variants: Variants, progress: ProgressHook
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the figures of one set, with the text of each condition."""
    if one.synthetic:
        tracks = truth.crowd(*one.synthetic, one.spread)
        yield "", clustering.synthetic(*tracks, variants, runtime=Runtime())
    elif one.pictures:
        if not one.pictures.is_dir():
            raise InputError(f"{one.pictures}: not a folder")
        models = load_components(replace(options, engine="image", fps=None, frame_step=None))
        figures = clustering.pictures(one.pictures, variants, components=models, progress=progress)
        yield "", figures
    else:
        assert one.video
        assert one.labels
        labels, rate, models = truth.of_video(one.labels), None, None
        with tempfile.TemporaryDirectory(prefix="ina-evaluate-") as folder:
            for condition in one.conditions:
                if models is None or condition.fps != rate:
                    models, rate = _models(options, condition), condition.fps
                path = conditions.variant(one.video, condition, Path(folder))
                yield (
                    _text(condition, options),
                    clustering.video(path, labels, variants, components=models, progress=progress),
                )


def _models(options: AnalysisOptions, condition: Condition) -> Components:
    """Load the components for a condition; without a rate, the options decide it."""
    return load_components(
        options if condition.fps is None else replace(options, fps=condition.fps)
    )


def _text(condition: Condition, options: AnalysisOptions) -> str:
    if options.frame_step:
        return f"every {options.frame_step} frames"
    return str(condition)
