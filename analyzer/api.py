"""The Python API: analyse a medium, look at its tables, write its files.

Its functions are those of the package: `from analyzer import analyze`. What goes wrong on
purpose is an `analyzer.errors.AnalyzerError`, with a message that says what to do.
"""

import os
import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.export import Table
from analyzer.gallery.folder import Galleries
from analyzer.inference.runtime import Runtime
from analyzer.options import PLUGIN_OPTIONS, AnalysisOptions, older_tools
from analyzer.pipeline.components import Components, load_components
from analyzer.reports import notebook
from analyzer.reports import player as players
from analyzer.results import locate
from analyzer.results.write import write_export
from analyzer.review import amend as review
from analyzer.types import MediaReport, ProgressHook
from analyzer.workflows import analyze as workflow
from analyzer.workflows import further_files
from analyzer.workflows.analyze import Request
from analyzer.workflows.observer import WholeObserver
from joblist.names import spelled

if TYPE_CHECKING:
    import pandas

TABLES = ("csv", "characters", "shots")
"""Exports that are tables with typed columns."""
_KEPT = 2
"""Sets of models that are kept in memory: of a program that goes to and fro between two."""

_Path = str | os.PathLike[str]
MediaReport.notebook_view = staticmethod(notebook.table)


def analyze(
    path: _Path | Sequence[_Path],
    *,
    models: Components | None = None,
    gallery: _Path | None = None,
    poster: _Path | None = None,
    progress: ProgressHook | None = None,
    **options: Any,
) -> MediaReport:
    """Find out who is on screen in one medium.

    Models are loaded at the first call, and kept: a second call with the same options has them.

    Args:
        path: Path of a video; with `engine="image"`, of a picture, a folder, or a list of them.
        models: From `load_models`, in the place of `options`.
        gallery: Folder of portraits, named after the persons in them.
        poster: Path of the medium's poster.
        progress: Called with an `analyzer.types.Progress` often; must return at once.
        options: Fields of `analyzer.options.AnalysisOptions`, and `threads`; see `load_models`.

    Raises:
        UsageError: An option that does not exist, or a wrong value.
        InputError: The medium, or the gallery, cannot be read.
        MissingDependency: A library that a component needs is not installed.
        ResourceError: Memory or device gave out; another try may succeed.

    Example:
        `report = analyze("film.mp4", fps=5, gallery="portraits")`
    """
    if models is not None and options:
        raise UsageError(f"models have their options: leave out {', '.join(options)}")
    models = models or load_models(**options)
    portraits = Galleries(models).get(os.fspath(gallery)) if gallery else None
    for note in portraits.notes if portraits else ():
        warnings.warn(note, stacklevel=2)
    request = Request(
        path=_text(path),
        gallery=portraits,
        poster=spelled(os.fspath(poster)) if poster else None,
    )
    return workflow.analyze(
        request, components=models, observer=WholeObserver(models), progress=progress
    )


def _text(path: _Path | Sequence[_Path]) -> str | list[str]:
    if isinstance(path, str | os.PathLike):
        return spelled(os.fspath(path))
    return [spelled(os.fspath(still)) for still in path]


def load_models(*, threads: int = 0, **options: Any) -> Components:
    """Load what an analysis needs, or take it from memory.

    Args:
        threads: Number of threads for decoders and networks; 0 = every core.
        options: Fields of `analyzer.options.AnalysisOptions`, as values or as text:
            `fps=5`, `detector="centerface:size=960"`, `attributes="sex,age"`. Components may
            be objects that fulfil the protocol of their stage, `detector=Squares()`, or
            classes or functions that create one.

    Raises:
        UsageError: An option that does not exist, or a wrong value.
        MissingDependency: A library that a component needs is not installed.
        WeightsError: A model file is missing or altered.

    Example:
        `models = load_models(fps=5, detector="centerface:size=960")`
    """
    own, notes = older_tools.own_options(options)
    for note in notes:
        warnings.warn(note, stacklevel=2)
    threads = own.pop("threads", threads)
    offered = {
        name: registry.offer(kind, own[name])
        for name, kind in PLUGIN_OPTIONS.items()
        if name in own and not isinstance(own[name], str)
    }
    return _loaded(AnalysisOptions.from_dict({**own, **offered}), threads)


@lru_cache(maxsize=_KEPT)
def _loaded(options: AnalysisOptions, threads: int) -> Components:
    return load_components(options, threads=threads)


def read(source: _Path, *, medium: _Path | None = None) -> MediaReport:
    """Read a report from a file, or make one of a table of faces and its video.

    Args:
        source: Path of a `.report.zip`; or of a csv with the columns `frame` and `bbox`, from this
            program or from inaFaceAnalyzer, of which no embeddings come back.
        medium: Path of the video of a csv.

    Raises:
        UsageError: Neither a report nor such a table, or a table without its video.
        InputError: The report or the video cannot be read.

    Example:
        `write(read("film.csv", medium="film.mp4"), "film.ass")`
    """
    return further_files.read(Path(source), os.fspath(medium) if medium else None)


def recluster(
    report: MediaReport, *, threshold: float | None = None, clusterer: str | None = None
) -> MediaReport:
    """Group the faces of a report into persons anew, without its medium.

    Names stay with most of their faces; corrections are made again.

    Args:
        report: From `analyze` or `read`.
        threshold: Distance below which two faces are one person; by default the report's.
        clusterer: Name of a clusterer, with its options; by default the report's.

    Raises:
        UsageError: No such clusterer, or a report without embeddings.

    Example:
        `recluster(report, threshold=0.5)`
    """
    return review.recluster_report(report, threshold=threshold, clusterer=clusterer)


def player(
    report: MediaReport, *, start: float = 0.0, stop: float | None = None, width: int = 480
) -> players.Player:
    """Return a player for notebooks: a small copy of the video with the faces' boxes.

    Args:
        report: Report of a video that is still there.
        start: Start in seconds.
        stop: End in seconds; by default the video's, at most two minutes after the start.
        width: Width of the copy in pixels.

    Raises:
        UsageError: No video, or a part that it does not have; or one with faces to be hidden.
        InputError: The video cannot be read.
        MissingDependency: There is no ffmpeg.

    Example:
        `player(report, start=60, stop=90)`
    """
    return players.player(report, start=start, stop=stop, width=width)


def dataframe(report: MediaReport, table: str = "csv") -> "pandas.DataFrame":
    """Return a table of the report, with the columns of the file that `write` makes, typed.

    Args:
        report: From `analyze`.
        table: `csv`, a row a face and sampled frame; `characters`, a row a person, most screen
            time first; `shots`, a row a shot.

    Raises:
        UsageError: No such table.
        MissingDependency: Pandas is not installed.

    Example:
        `dataframe(report, "characters").sort_values("screen_time_s")`
    """
    if table not in TABLES:
        raise UsageError(f"no table {table!r}; there are: {', '.join(TABLES)}")
    exporter: Table = registry.load("export", table, runtime=Runtime())
    frame: pandas.DataFrame = registry.module("formats", "dataframe").of(exporter.columns(report))
    return frame


def write(
    report: MediaReport,
    path: _Path,
    *,
    export: str | None = None,
    progress: ProgressHook | None = None,
) -> None:
    """Write a file of the report, whole or not at all.

    Args:
        report: From `analyze`.
        path: Path of the file; what it ends in says which export it is: `film.ass`,
            `film.characters.csv`.
        export: Which export it is, whatever the name ends in, and with which options:
            `"mp4:crf=28"`.
        progress: See `analyze`.

    Raises:
        UsageError: No such export, or not of this medium.
        InputError: The medium, which some exports read again, cannot be read.
        MissingDependency: A library that the export needs is not installed.
        ResourceError: The file cannot be written.

    Example:
        `write(report, "film.mp4", export="mp4:crf=28")`
    """
    file = Path(path)
    # A name that no installed export has tells which one is wanted all the same, and what it lacks.
    spec = export or locate.kind_of(file.name) or file.suffix.removeprefix(".")
    write_export(locate.load_exporter(spec), report, file, progress)
