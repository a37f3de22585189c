"""Make the files of media again, with the names and numbers that an identity store has by now."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from analyzer.errors import AnalyzerError
from analyzer.files.transaction import FileTransaction, Replaced
from analyzer.identities import IdentityStore
from analyzer.identities.corrections import Corrections, user_name
from analyzer.identities.log.events import Event
from analyzer.identities.log.people import CorrectionRefused
from analyzer.identities.remember import with_archive_names
from analyzer.reports import report_file
from analyzer.results import reexport
from analyzer.results.locate import Results
from analyzer.results.reexport import RewrittenFile
from analyzer.review.amend import CorrectionResult, Review
from analyzer.types import MediaReport
from analyzer.workflows.archive.session import opened


@dataclass(frozen=True, kw_only=True)
class MediumAgain:
    """What was done with the files of one medium."""

    medium: str
    """Common start of its files' paths."""
    files: Sequence[RewrittenFile] = ()
    """Those that have changed, or could not be made again."""
    replaced: Sequence[Replaced] = ()
    fault: str = ""
    """Why none of them was changed; empty where all went well."""


def reexport_names(
    results: Sequence[Results],
    names: str | None,
    *,
    key_file: str | None = None,
    dry_run: bool,
) -> Iterator[MediumAgain]:
    """Make all files of media again from their reports; those that stay the same are left alone.

    The files of a medium appear together, or none is changed. Reports stay as they are.

    Args:
        results: Results of media; those without a report are passed over.
        names: Address of the identity store with the names and numbers that the files get; `None`
            for those of the reports.
        key_file: File with its key, if it is encrypted.
        dry_run: Only say what would be done.

    Yields:
        What was done, one medium after the other; a medium that fails stops no other.
    """
    with nullcontext() if names is None else opened(names, key_file=key_file) as store:
        for medium in results:
            if "report" not in medium.files:
                continue
            try:
                yield _again(medium, store, dry_run=dry_run)
            except AnalyzerError as error:
                if error.kind == "resource":
                    raise
                yield MediumAgain(medium=medium.name, fault=str(error))


def amend_with_store(
    review: Review,
    names: str,
    *,
    key_file: str | None = None,
    dry_run: bool,
    told: Callable[[str], object],
    refused: Callable[[str], object],
) -> CorrectionResult:
    """Correct the results of a medium, and give an identity store the names of the reviewer.

    Args:
        review: Of the medium.
        names: Address of the identity store; the files get the names that it has.
        key_file: File with its key, if it is encrypted.
        dry_run: Only say what would be done.
        told: Takes, in words, what the store was told.
        refused: Takes, in words, what it does not take.
    """
    with opened(names, key_file=key_file) as store:
        result = review.amend(
            dry_run=dry_run, archived=lambda report: with_archive_names(report, store)
        )
        for answer in () if dry_run else tell(store, result.report, user_name()):
            if isinstance(answer, str):
                refused(f"{store.name}: {answer}")
            else:
                told(f"{store.name}: event {answer.number}: {answer}")
    return result


def tell(store: IdentityStore, report: MediaReport, by: str) -> Iterator[Event | str]:
    """Give an identity store the names that a reviewer gave in one medium.

    Args:
        store: In which the medium's persons were remembered.
        report: Corrected report of the medium.
        by: Who said it.

    Yields:
        Events of the store; in words, what it does not take.
    """
    before = {person.person_id: person.name for person in (report.uncorrected or report).persons}
    people = store.people()
    for person in report.persons:
        given_here = person.corrected and person.name != before.get(person.person_id)
        if person.name is None or person.identity_id is None or not given_here:
            continue
        if people.name(person.identity_id) == person.name:
            continue
        try:
            yield Corrections(store, by).name(person.identity_id, person.name)
        except CorrectionRefused as error:
            yield f"{person.name}: {error}"


def _again(medium: Results, store: IdentityStore | None, *, dry_run: bool) -> MediumAgain:
    report = report_file.load(medium.files["report"])
    if store is not None:
        report = with_archive_names(report, store)
    with FileTransaction(dry_run=dry_run) as transaction:
        files = list(reexport.rewrite_exports(medium, report, transaction, dry_run=dry_run))
        replaced = [] if dry_run else transaction.finish()
    return MediumAgain(medium=medium.name, files=files, replaced=replaced)
