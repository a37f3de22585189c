"""Measure clusterers on media and tracks with known persons."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
from analyzer.types import F32, F64, I64, MediaInfo, MediaReport, Observations, ProgressHook


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
    observed = _observe(persons, components, progress)
    return _medium(observed, truth.of_stills(observed[0].stills), variants, components)


def video(
    path: Path,
    labels: Labels,
    variants: Variants,
    *,
    components: Components,
    progress: ProgressHook,
) -> dict[str, Any]:
    """Measure on a video, at its labelled faces; see `pictures` for what is returned and raised."""
    return _medium(_observe(str(path), components, progress), labels, variants, components)


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
        scores = _scores(agreement.compare(people, labels))
        counts = dict.fromkeys(("labelled", "found", "grouped"), len(people))
        runs.append(
            _run(name, threshold, seconds, {**counts, **scores, "all": scores, "of_found": scores})
        )
    return {"labelled": len(people), "runs": runs}


def measure(labels: Labels, report: MediaReport, times: F64) -> dict[str, Any]:
    """Compare the persons of a report with the truth.

    Args:
        labels: Labelled faces.
        report: Report of the medium.
        times: (s,) times of the analysed pictures, with a face or without.

    Returns:
        Counts of the labelled faces: `labelled`, those near an analysed picture; of them `found`;
        of these `grouped`, of a person. Then how well the persons of the grouped agree; under
        `of_found` how well those of the found, and under `all` those of all labelled, where a
        face without a person is wrong.

    Raises:
        InputError: No labelled face was found.
    """
    rows = labels.rows(report.observations)
    persons = np.full(len(labels), -1, np.int64)
    persons[rows >= 0] = report.row_persons()[rows[rows >= 0]]
    is_labelled = labels.are_reached(times, report.observations.cuts) | (rows >= 0)
    if (rows < 0).all():
        raise InputError(f"{report.info.uri}: no labelled face is found; check labels and times")
    true, found = labels.groups[is_labelled], persons[is_labelled]
    grouped = found >= 0
    counts: dict[str, Any] = {
        "labelled": len(true),
        "found": int((rows >= 0).sum()),
        "grouped": int(grouped.sum()),
    }
    is_found = rows[is_labelled] >= 0
    counts["all"] = _scores(agreement.compare_all(true, found))
    counts["of_found"] = _scores(agreement.compare_all(true[is_found], found[is_found]))
    if not grouped.any():
        return {**counts, **_NOTHING_GROUPED}
    return {**counts, **_scores(agreement.compare(true[grouped], found[grouped]))}


def _observe(
    path: str | list[str], components: Components, progress: ProgressHook
) -> tuple[MediaInfo, Observations, F64]:
    """Return the facts of a medium, its faces, and the times of the analysed pictures."""
    with components.decoder.open(path) as medium:
        batches = list(observe.observe(medium, components=components, progress=progress))
    times = [frame.time_s for frames, _ in batches for frame in frames]
    return medium.info, concat([table for _, table in batches]), np.array(times, np.float64)


def _medium(
    observed: tuple[MediaInfo, Observations, F64],
    labels: Labels,
    variants: Variants,
    components: Components,
) -> dict[str, Any]:
    """Summarize one table of observations by each variant."""
    info, table, times = observed
    runs = []
    for name, threshold in variants:
        variant = components.clustered_by(name, threshold)
        started = time.perf_counter()
        report = summarize.summarize(info, table, components=variant)
        seconds = time.perf_counter() - started
        runs.append(_run(name, threshold, seconds, measure(labels, report, times)))
    return {"labelled": len(labels), "runs": runs}


def _run(name: str, threshold: float, seconds: float, figures: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of one variant."""
    return {"clusterer": name, "threshold": threshold, "seconds": seconds, **figures}


def _scores(scores: Agreement) -> dict[str, Any]:
    return {
        "persons": scores.true_groups,
        "clusters": scores.found_groups,
        "pairs": _score(scores.pairs),
        "bcubed": _score(scores.bcubed),
        "nmi": scores.nmi,
    }


def _score(score: Score) -> dict[str, float]:
    return {"precision": score.precision, "recall": score.recall, "f1": score.f1}


_NOTHING_GROUPED = _scores(
    Agreement(
        items=0, true_groups=0, found_groups=0, pairs=Score(1, 0), bcubed=Score(1, 0), nmi=0.0
    )
)
