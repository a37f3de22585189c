"""Erase a person from the result files of a medium.

Where there is its report, the person is taken out of that, and every file is exported again: one
way for all formats. Where there is none, tables and candidates are mended where they stand, and of
the other files it is said what to do.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from analyzer.erasure import search, strip
from analyzer.erasure.strip import ErasureTarget
from analyzer.errors import InputError
from analyzer.files.transaction import FileTransaction, Replaced
from analyzer.identities import IdentityStore
from analyzer.identities.remember import with_archive_names
from analyzer.reports import corrections_file, report_file
from analyzer.results import reexport
from analyzer.results.locate import Results
from analyzer.types import MediaReport, corrections
from analyzer.types.corrections import Correction
from ina_input import documents
from ina_input.tables import CsvRows

_TABLES = ("csv", "characters", "posters")
_EMPTIED = ("name", "name_distance", "identity_id")
_SHOWS = ("mp4", "poster_image")
"""Exports with names drawn into their pictures."""
_UNSEARCHABLE = (*_SHOWS, "ass", "crops", "exchange")
"""Where something of the person stands that no search for the name finds: also shortened labels."""
_AGAIN = "delete it, or analyse the medium again, with the person's portraits out of the gallery"
_REMOVED = {
    **dict.fromkeys(("csv", "ass", "posters", "poster_image"), "name"),
    "characters": "name, distance",
    "crops": "pictures of the face",
    "names": "name, distance, candidates",
    "exchange": "embeddings, candidates",
}
_WHO = "what tells who it is"
"""Of other files."""


@dataclass(frozen=True)
class Removed:
    """What was removed from a file."""

    path: Path
    what: str


@dataclass(frozen=True)
class Left:
    """A file in which something may be left, and the cure."""

    path: Path
    why: str


@dataclass
class ErasureResult:
    """What was done, or would be."""

    removed: list[Removed] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    replaced: list[Replaced] = field(default_factory=list)


def erase(
    results: Results,
    target: ErasureTarget,
    store: IdentityStore | None,
    account: ErasureResult,
    *,
    dry_run: bool,
) -> None:
    """Erase a person from the results of one medium.

    Files appear whole. If one cannot be written, none is changed; a video without its source is
    left, and named.

    Args:
        results: Results of the medium.
        target: Who.
        store: In which the person's identities are, if any.
        account: Account of what is done; added to.
        dry_run: Only say what would be done.

    Raises:
        AnalyzerError: Nothing of this medium was changed.
    """
    done = ErasureResult()
    with FileTransaction(dry_run=dry_run) as rewrite:
        if "report" in results.files:
            _export_again(results, target, store, done, rewrite, dry_run=dry_run)
        else:
            _mend(results, target, done, rewrite)
        if not dry_run:
            done.replaced = [r for r in rewrite.finish() if r.path != results.corrections]
    gone = {removed.path for removed in done.removed} if dry_run else set()
    named_paths = {left.path for left in done.left}
    for path in (*results.files.values(), results.corrections):
        if not path.exists():
            continue
        if path not in named_paths | gone and search.contains_name(path, target.name):
            done.left.append(Left(path, f"still holds the name, perhaps in a path: {_AGAIN}"))
    account.removed += done.removed
    account.left += done.left
    account.replaced += done.replaced


def _export_again(
    results: Results,
    target: ErasureTarget,
    store: IdentityStore | None,
    done: ErasureResult,
    rewrite: FileTransaction,
    *,
    dry_run: bool,
) -> None:
    """Take the person out of the report, and export every file of it that is there."""
    report_path = results.files["report"]
    report = report_file.load(report_path)
    persons = strip.persons_in(report, target, store)
    if not persons and not strip.mentions(report, target.name):
        return
    stripped = strip.erase_from_report(report, persons, target.name)
    gone = [p for p in report.persons if p.person_id in persons]
    named = any(p.name is not None for p in gone) or report.corrections != stripped.corrections
    leave = () if named else _SHOWS
    shown = stripped if store is None else with_archive_names(stripped, store)
    for rewritten in reexport.rewrite_exports(
        results, shown, rewrite, leave=leave, dry_run=dry_run
    ):
        if rewritten.fault:
            done.left.append(
                Left(rewritten.path, f"could not be made again ({rewritten.fault}): {_AGAIN}")
            )
        elif rewritten.name == "mp4":
            done.removed.append(Removed(rewritten.path, "name, by encoding the video again"))
        else:
            done.removed.append(Removed(rewritten.path, _REMOVED.get(rewritten.name, _WHO)))
    _mend_corrections(results, stripped.corrections, done, rewrite)
    tracks = {track for person in gone for track in person.track_ids}
    pictures = report_file.portraits(report_path)
    pictures_left = {track: picture for track, picture in pictures.items() if track not in tracks}
    if reexport.rewrite_report(results, stripped, rewrite, portraits=pictures_left):
        what = _counted(
            report, stripped, persons=len(persons), portraits=len(pictures) - len(pictures_left)
        )
        done.removed.append(Removed(report_path, what))


def _mend_corrections(
    results: Results,
    corrections: Sequence[Correction],
    done: ErasureResult,
    rewrite: FileTransaction,
) -> None:
    """Take the name out of the corrections that are kept beside the results."""
    path = results.corrections
    if path.exists():
        document = replace(corrections_file.read(path), corrections=tuple(corrections))
        if rewrite.add(path, partial(corrections_file.write, document)):
            done.removed.append(Removed(path, "name"))


def _counted(before: MediaReport, after: MediaReport, *, persons: int, portraits: int) -> str:
    """Return in words what a report lacks now."""
    embeddings = len(before.observations.embeddings) - len(after.observations.embeddings)
    candidates = sum(len(p.candidates) for p in before.persons)
    candidates -= sum(len(p.candidates) for p in after.persons)
    names = sum(p.name is not None for p in before.persons)
    names -= sum(p.name is not None for p in after.persons)
    counts = {
        "embeddings": embeddings,
        "centroids": persons,
        "portraits": portraits,
        "names": names,
        "candidates": candidates,
    }
    return ", ".join(f"{what}: {number}" for what, number in counts.items() if number)


def _mend(
    results: Results, target: ErasureTarget, done: ErasureResult, rewrite: FileTransaction
) -> None:
    """Empty the cells of tables, and shorten the list of candidates."""
    for name, path in results.files.items():
        text = _mended(name, path, target)
        if text and rewrite.add(path, partial(_write, text)):
            done.removed.append(Removed(path, _REMOVED[name]))
    if results.corrections.exists():
        kept_corrections = corrections_file.read(results.corrections).corrections
        _mend_corrections(
            results, corrections.without(kept_corrections, target.name), done, rewrite
        )
    if not done.removed:
        return
    for name, path in results.files.items():
        if name in _UNSEARCHABLE or search.is_closed(path):
            done.left.append(Left(path, f"is made anew only where there is a report: {_AGAIN}"))


def _mended(name: str, path: Path, target: ErasureTarget) -> str:
    """Return the text of a file without the person; empty for an unknown form."""
    if name in _TABLES:
        return _mended_table(path, target)
    return _mended_candidates(path, target) if name == "names" else ""


def _write(text: str, path: Path) -> None:
    path.write_bytes(text.encode("utf-8", "surrogateescape"))


def _mended_table(path: Path, target: ErasureTarget) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    with _explained(path), CsvRows(path, encoding="utf-8", errors="surrogateescape") as rows:
        header = next(rows, [])
        writer.writerow(header)
        for cells in rows:
            row = dict(zip(header, cells, strict=False))
            if _is_row_of(row, target):
                cells = ["" if name in _EMPTIED else cell for name, cell in row.items()]
            writer.writerow(cells)
    return out.getvalue()


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Raise an `InputError` for a result file that is damaged."""
    try:
        yield
    except (OSError, csv.Error, AttributeError, LookupError, TypeError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}): {_AGAIN}") from error


def _is_row_of(row: dict[str, str], target: ErasureTarget) -> bool:
    """Return whether a row is the person's; an apostrophe may stand before names with =."""
    if target.name is not None:
        return row.get("name") in (target.name, f"'{target.name}")
    if target.person_id is not None:
        return row.get("person_id") == str(target.person_id)
    return row.get("identity_id", "") in {str(number) for number in target.identities}


def _mended_candidates(path: Path, target: ErasureTarget) -> str:
    with _explained(path):
        document = documents.read(path)
        for person in document["persons"]:
            own = person["person_id"] == target.person_id
            if own or (target.name is not None and person["name"] == target.name):
                person.update(name=None, name_distance=None, candidates=[])
            person["candidates"] = [c for c in person["candidates"] if c["name"] != target.name]
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
