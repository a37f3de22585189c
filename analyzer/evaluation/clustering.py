"""Measure clusterers on media and tracks with known persons."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from analyzer import registry
from analyzer.errors import InputError
from analyzer.evaluation import agreement, truth
from analyzer.evaluation.agreement import Agreement, Score
from analyzer.evaluation.truth import Labels
from analyzer.inference.runtime import Runtime
from analyzer.observations.table import concat
from analyzer.pipeline import observe, summarize
from analyzer.pipeline.components import Components
from analyzer.types import F32, I64, MediaInfo, MediaReport, Observations, ProgressHook


@dataclass(frozen=True, kw_only=True)
class Variants:
    """Which clusterers are compared, and at which thresholds: every one at each."""

    clusterers: Sequence[str]
    thresholds: Sequence[float]

    def __iter__(self) -> Iterator[tuple[str, float]]:
        return product(self.clusterers, self.thresholds)


def pictures(
    folder: Path, variants: Variants, *, components: Components, progress: ProgressHook
) -> dict[str, Any]:
    """Measure on pictures in folders named after persons, analysed as one job.

    Args:
        folder: Holds a folder a person. Each picture is labelled by its largest face.
        variants: What to compare.
        components: Components of the engine `image`.
        progress: Hook that is called with the pictures done.

    Returns:
        JSON-able figures: `labelled` faces, and `runs`, one a variant.

    Raises:
        InputError: There are no such folders, or no face is found in them.
    """
    persons = sorted(str(path) for path in folder.iterdir() if path.is_dir())
    if not persons:
        raise InputError(f"{folder}: no folders named after persons, with their pictures in them")
    info, table = _observe(persons, components, progress)
    return _medium(info, table, truth.of_stills(info.stills), variants, components)


def video(
    path: Path,
    labels: Labels,
    variants: Variants,
    *,
    components: Components,
    progress: ProgressHook,
) -> dict[str, Any]:
    """Measure on a video, at its labelled faces; see `pictures` for what is returned and raised."""
    info, table = _observe(str(path), components, progress)
    return _medium(info, table, labels, variants, components)


def synthetic(
    embeddings: F32, people: I64, variants: Variants, *, runtime: Runtime
) -> dict[str, Any]:
    """Measure on tracks (T, D) of known people (T,); see `pictures` for what is returned."""
    weights, apart = np.ones(len(people), np.float32), np.empty((0, 2), np.int64)
    runs = []
    for name, threshold in variants:
        clusterer = registry.load("cluster", name, runtime=runtime)
        started = time.perf_counter()
        labels = clusterer.cluster(embeddings, weights, apart, threshold)
        seconds = time.perf_counter() - started
        counts = {"found": len(people), "grouped": len(people)}
        runs.append(_run(name, threshold, seconds, counts, agreement.compare(people, labels)))
    return {"labelled": len(people), "runs": runs}


def measure(labels: Labels, report: MediaReport) -> tuple[dict[str, int], Agreement]:
    """Compare the persons of a report with the truth.

    Returns:
        How many of the labelled faces were `is_found`, and how many `grouped`: of a person; and
        how well the persons of the latter agree.

    Raises:
        InputError: No labelled face was found and made a person's.
    """
    rows = labels.rows(report.observations)
    is_found = rows >= 0
    persons = np.full(len(labels), -1, np.int64)
    persons[is_found] = report.row_persons()[rows[is_found]]
    grouped = persons >= 0
    if not grouped.any():
        raise InputError(f"{report.info.uri}: no labelled face is found; check labels and times")
    counts = {"found": int(is_found.sum()), "grouped": int(grouped.sum())}
    return counts, agreement.compare(labels.groups[grouped], persons[grouped])


def _observe(
    path: str | list[str], components: Components, progress: ProgressHook
) -> tuple[MediaInfo, Observations]:
    with components.decoder.open(path) as medium:
        batches = observe.observe(medium, components=components, progress=progress)
        return medium.info, concat([table for _, table in batches])


def _medium(
    info: MediaInfo, table: Observations, labels: Labels, variants: Variants, components: Components
) -> dict[str, Any]:
    """Summarize one table of observations by each variant."""
    runs = []
    for name, threshold in variants:
        variant = replace(
            components,
            clusterer=registry.load("cluster", name, runtime=components.runtime),
            options=replace(components.options, clusterer=name, cluster_threshold=threshold),
        )
        started = time.perf_counter()
        report = summarize.summarize(info, table, components=variant)
        seconds = time.perf_counter() - started
        runs.append(_run(name, threshold, seconds, *measure(labels, report)))
    return {"labelled": len(labels), "runs": runs}


def _run(
    name: str, threshold: float, seconds: float, counts: dict[str, int], scores: Agreement
) -> dict[str, Any]:
    """Return the figures of one variant."""
    return {
        "clusterer": name,
        "threshold": threshold,
        "seconds": seconds,
        **counts,
        "persons": scores.true_groups,
        "clusters": scores.found_groups,
        "pairs": _score(scores.pairs),
        "bcubed": _score(scores.bcubed),
        "nmi": scores.nmi,
    }


def _score(score: Score) -> dict[str, float]:
    return {"precision": score.precision, "recall": score.recall, "f1": score.f1}
