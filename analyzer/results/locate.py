"""Locate the result files of media."""

import csv
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from analyzer import registry
from analyzer.errors import InputError, MissingDependency, UsageError
from analyzer.export import Exporter, KeepsOptions
from analyzer.inference.runtime import Runtime
from analyzer.reports.corrections_file import SUFFIX
from analyzer.results import joblist
from ina_input import regular
from ina_input.tables import CsvRows
from joblist.names import spelled

RECORDS = ".ina"
"""Hidden folder beside results, with a record for each of its medium."""
_HEADERS = {
    "csv": "frame,bbox,",
    "characters": "person_id,name,",
    "posters": "face,bbox,",
    "vtt": "WEBVTT - who is on screen",
}
"""First line of the files of some exports: other programs write .csv and .vtt, too."""


@dataclass(frozen=True, kw_only=True)
class Results:
    """The existing result files of one medium."""

    name: str
    """Common start of their paths, or the path of the csv."""
    files: Mapping[str, Path]
    """Export -> file."""
    corrections: Path
    """Path of the corrections file, which may be missing."""
    gallery: str | None = None
    """Folder of portraits that gave the names, if a joblist lists it."""
    is_listed: bool = False
    """Whether a joblist lists the corrections file."""


@dataclass
class Found:
    """Results, joblists and other files at some paths."""

    results: list[Results] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    """Files in folders that are no known results."""
    joblists: list[Path] = field(default_factory=list)

    def add(self, other: "Found") -> None:
        """Append the files of another search."""
        self.results += other.results
        self.others += other.others
        self.joblists += other.joblists


def find(paths: Sequence[str]) -> Found:
    """Find results in folders and below, in the columns of joblists, and single files.

    Args:
        paths: Folders, joblists and result files.

    Raises:
        InputError: A path does not exist.
        UsageError: A joblist has a fault.
    """
    located = Found()
    for text in paths:
        path = Path(spelled(text))
        if path.is_dir():
            located.add(_classify(_below(path)))
        elif not path.is_file():
            raise InputError(f"{path}: no such file or folder: give results, or their joblist")
        elif _is_joblist(path):
            located.add(Found(results=list(_listed_results(path)), joblists=[path]))
        else:
            located.add(_classify([path]))
    return located


def beside(path: Path) -> Results:
    """Return all results of a report's medium, which are recognised by their names."""
    stem = str(path).removesuffix(_suffixes()["report"])
    files = {name: Path(stem + suffix) for name, suffix in _suffixes().items()}
    existing = {name: file for name, file in files.items() if _exporter_of(file) == name}
    return _results_of(stem, {**existing, "report": path})


def load_exporter(name: str) -> Exporter:
    """Load an exporter by its name or spec.

    Raises:
        MissingDependency: A library that it needs is not installed.
    """
    loaded: Exporter = registry.load("export", name, runtime=Runtime())
    return loaded


def require_different(specs: Sequence[str]) -> None:
    """Make sure that no two exporters write the same file.

    Args:
        specs: Names or specs of exporters of one medium.

    Raises:
        UsageError: One of them is there twice, with other options.
    """
    first: dict[str, str] = {}
    for spec in specs:
        name = registry.check("export", spec).name
        if first.setdefault(name, spec) != spec:
            raise UsageError(
                f"--export {first[name]},{spec}: both are one file, *{load_exporter(name).suffix}: "
                "leave one out, and write it to another folder"
            )


def keeps_options(spec: str) -> bool:
    """Return whether an exporter's files are made again with the options that they were made with.

    Args:
        spec: Name or spec of an exporter.
    """
    return isinstance(load_exporter(spec), KeepsOptions)


def exporter_like(name: str, path: Path) -> Exporter:
    """Load an exporter with the options with which a file of its was written, as far as it tells.

    Args:
        name: Name of the exporter.
        path: Path of the file.
    """
    exporter = load_exporter(name)
    return load_exporter(exporter.spec_of(path)) if isinstance(exporter, KeepsOptions) else exporter


def _is_joblist(path: Path) -> bool:
    if path.suffix.lower() != ".csv":
        return False
    try:
        with CsvRows(path, errors="replace") as rows:
            return "source_path" in next(rows, [])
    except (OSError, csv.Error):
        return False


def _listed_results(path: Path) -> Iterator[Results]:
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
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return (path for path in files if path.parent.name != RECORDS)


def _classify(paths: Iterable[Path]) -> Found:
    """Group result files by medium, by their names; all others are returned as such."""
    located = Found()
    files_of: dict[str, dict[str, Path]] = {}
    corrections_paths = []
    for path in paths:
        kind = _exporter_of(path)
        if path.name.endswith(SUFFIX):
            corrections_paths.append(path)
        elif kind is None:
            located.others.append(path)
        else:
            stem = str(path)[: -len(_suffixes()[kind])]
            files_of.setdefault(stem, {})[kind] = path
    for stem, files in files_of.items():
        if files.keys() == {"mp4"}:
            located.others += files.values()  # rather a medium than the result of one
        else:
            located.results.append(_results_of(stem, files))
    corrections_files = {results.corrections for results in located.results}
    located.others += [path for path in corrections_paths if path not in corrections_files]
    return located


def _results_of(stem: str, files: Mapping[str, Path]) -> Results:
    return Results(name=stem, files=files, corrections=Path(stem + SUFFIX))


def kind_of(name: str) -> str | None:
    """Return the name of the exporter of files with such a name; `None` if there is none.

    Exporters with a missing library do not count.
    """
    matching = [kind for kind, suffix in _suffixes().items() if name.endswith(suffix)]
    return max(matching, key=lambda kind: len(_suffixes()[kind]), default=None)


def _exporter_of(path: Path) -> str | None:
    """Return the name of the exporter that wrote a file, by the file's name and first line."""
    if not path.is_file():
        return None
    kind = kind_of(path.name)
    header = _HEADERS.get(kind or "")
    if header is not None:
        with regular.open_text(path, errors="replace") as stream:
            if not stream.readline(len(header) + 1).startswith(header):
                return None
    return kind


@cache
def _suffixes() -> dict[str, str]:
    """Return the suffix of each exporter with installed libraries, by its name."""
    suffixes = {}
    for name in registry.names("export"):
        try:
            suffixes[name] = load_exporter(name).suffix
        except MissingDependency:
            continue
    return suffixes
