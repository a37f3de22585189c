"""Measure clusterers on pictures, a video or made-up tracks; what `evaluate clustering` does."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyzer.errors import InputError
from analyzer.evaluation import clustering, truth
from analyzer.evaluation.clustering import Variants
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import Components, load_components
from analyzer.types import ProgressHook


@dataclass(frozen=True, kw_only=True)
class Source:
    """Labelled data; one of `pictures`, `video` and `synthetic` is given."""

    pictures: Path | None = None
    """Folder with a folder of pictures for each person."""
    video: Path | None = None
    labels: Path | None = None
    """CSV of the video's labelled faces."""
    synthetic: tuple[int, int] | None = None
    """Number of persons, and of tracks of each."""
    spread: float = 0.25
    """Distance between made-up tracks of one person."""


def measure_source(
    source: Source,
    options: AnalysisOptions,
    *,
    clusterers: Sequence[str],
    thresholds: Sequence[float] | None,
    progress: ProgressHook,
) -> dict[str, Any]:
    """Return the figures of each clusterer and threshold, and what they were measured with.

    Args:
        source: Labelled data.
        options: Options of the analysis.
        clusterers: Names of clusterers.
        thresholds: Distances to compare; None for the describer's.
        progress: Hook that is called at each step.

    Raises:
        InputError: The data cannot be read.
    """
    components = load_components(options)
    threshold = options.cluster_threshold or components.describer.threshold
    variants = Variants(clusterers=clusterers, thresholds=thresholds or [threshold])
    name, figures = _measure(source, variants, components, progress)
    return {
        "data": name,
        "threshold": threshold,
        "describer": options.describer,
        "models": dict(components.describer.provenance),
        **figures,
    }


def _measure(
    source: Source, variants: Variants, components: Components, progress: ProgressHook
) -> tuple[str, dict[str, Any]]:
    """Return the name of the data, and the figures."""
    if source.synthetic:
        people, tracks = source.synthetic
        name = f"{people} made-up persons with {tracks} tracks each, spread {source.spread}"
        crowd = truth.crowd(people, tracks, source.spread)
        return name, clustering.synthetic(*crowd, variants, runtime=components.runtime)
    if source.pictures:
        if not source.pictures.is_dir():
            raise InputError(f"{source.pictures}: not a folder")
        return source.pictures.name, clustering.pictures(
            source.pictures, variants, components=components, progress=progress
        )
    assert source.video
    assert source.labels
    labels = truth.of_video(source.labels)
    return source.video.name, clustering.video(
        source.video, labels, variants, components=components, progress=progress
    )
