"""Locate the result files of media."""

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from analyzer import registry
from analyzer.errors import InputError, MissingDependency
from analyzer.export import Exporter
from analyzer.inference.runtime import Runtime
from analyzer.reports.corrections_file import SUFFIX
from analyzer.results import joblist

_HEADERS = {
    "csv": "frame,bbox,",
    "characters": "person_id,name,",
    "posters": "face,bbox,",
    "vtt": "WEBVTT - who is on screen",
}
"""How files begin: other programs' end in .csv and .vtt, too."""


@dataclass(frozen=True, kw_only=True)
class Results:
    """The files that were made of one medium; only those that are there."""

    name: str
    """What their names have in common, or the path of the csv."""
    files: Mapping[str, Path]
    """Export -> file."""
    corrections: Path
    """Where corrections of it are kept, if there are any."""
    gallery: str | None = None
    """Folder of portraits that gave the names, as far as a joblist tells."""
    is_listed: bool = False
    """Whether a joblist says where corrections are kept."""


@dataclass
class Found:
    """What lies at some paths."""

    results: list[Results] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    """Files of folders that are no results that we know."""
    joblists: list[Path] = field(default_factory=list)


def find(paths: Sequence[str]) -> Found:
    """Find results in folders and below, in joblists' columns, and files by themselves.

    Raises:
        InputError: Nothing is there.
        UsageError: A joblist that is not right.
    """
    results = Found()
    for text in paths:
        path = Path(text)
        if path.is_dir():
            _classify(_below(path), results)
        elif not path.is_file():
            raise InputError(f"{path}: no such file or folder: give results, or their joblist")
        elif _is_joblist(path):
            results.joblists.append(path)
            results.results += _listed(path)
        else:
            _classify([path], results)
    return results


def beside(path: Path) -> Results:
    """Return all results of the medium that a report is of, by their names."""
    stem = str(path).removesuffix(_suffixes()["report"])
    files = {name: Path(stem + suffix) for name, suffix in _suffixes().items()}
    there = {name: file for name, file in files.items() if _kind(file) == name}
    return _of_stem(stem, {**there, "report": path})


def exporter(name: str) -> Exporter:
    """Make an exporter.

    Raises:
        MissingDependency: It needs a library that is not installed.
    """
    loaded: Exporter = registry.load("export", name, runtime=Runtime())
    return loaded


def _is_joblist(path: Path) -> bool:
    if path.suffix.lower() != ".csv":
        return False
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        return "source_path" in next(csv.reader(stream), [])


def _listed(path: Path) -> Iterator[Results]:
    """Yield the results of each row of a joblist."""
    for spec in joblist.read(path, addresses=True):
        files = {name: Path(dest) for name, dest in spec.dests.items() if os.path.isfile(dest)}
        if files:
            yield Results(
                name=spec.dests["csv"],
                files=files,
                corrections=Path(
                    spec.corrections or os.path.splitext(spec.dests["csv"])[0] + SUFFIX
                ),
                gallery=spec.gallery,
                is_listed=spec.corrections is not None,
            )


def _below(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _classify(paths: Sequence[Path] | Iterator[Path], results_found: Found) -> None:
    """Put files together that are of one medium, by their names."""
    together: dict[str, dict[str, Path]] = {}
    reports = []
    for path in paths:
        kind = _kind(path)
        if path.name.endswith(SUFFIX):
            reports.append(path)
        elif kind is None:
            results_found.others.append(path)
        else:
            stem = str(path)[: -len(_suffixes()[kind])]
            together.setdefault(stem, {})[kind] = path
    for stem, files in together.items():
        if files.keys() == {"mp4"}:
            results_found.others += files.values()  # a medium more likely than what was made of one
        else:
            results_found.results.append(_of_stem(stem, files))
    corrections_files = {results.corrections for results in results_found.results}
    results_found.others += [path for path in reports if path not in corrections_files]


def _of_stem(stem: str, files: Mapping[str, Path]) -> Results:
    return Results(name=stem, files=files, corrections=Path(stem + SUFFIX))


def kind_of(name: str) -> str | None:
    """Return the exporter of files with such a name; `None` if unknown, or not installed."""
    fits = [kind for kind, suffix in _suffixes().items() if name.endswith(suffix)]
    return max(fits, key=lambda kind: len(_suffixes()[kind]), default=None)


def _kind(path: Path) -> str | None:
    """Return the exporter that wrote a file, by its name and its beginning."""
    if not path.is_file():
        return None
    kind = kind_of(path.name)
    begins = _HEADERS.get(kind or "")
    if begins is not None:
        with path.open(encoding="utf-8", errors="replace") as stream:
            if not stream.readline().startswith(begins):
                return None
    return kind


@cache
def _suffixes() -> dict[str, str]:
    """Return export -> suffix, for exports with all their libraries installed."""
    suffixes = {}
    for name in registry.names("export"):
        try:
            suffixes[name] = exporter(name).suffix
        except MissingDependency:
            continue
    return suffixes
