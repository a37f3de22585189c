"""Collect the persons of many media, with the numbers and names of an identity store."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from analyzer.collection import run
from analyzer.collection.identities import Collection
from analyzer.collection.run import rows_of
from analyzer.identities import IdentityStore
from analyzer.identities.remember import archive_names
from analyzer.reports.report_file import Summary
from analyzer.types import ProgressHook
from analyzer.workflows.archive.session import opened
from joblist.model import JobSpec

__all__ = ["collect", "rows_of"]


def collect(
    rows: Sequence[JobSpec],
    folder: Path,
    names: str | None,
    *,
    key_file: str | None,
    clusterer: str,
    threshold: float | None,
    progress: ProgressHook | None = None,
) -> Collection:
    """Collect persons as a store knows them by now; see `analyzer.collection.run.collect`.

    Args:
        rows: Rows with reports.
        folder: Folder for results.
        names: Address of the store that the media were matched with; `None` for the numbers and
            names that the reports have.
        key_file: File with the key of that store, if it is encrypted.
        clusterer: Groups the persons that the store does not know.
        threshold: Distance below which two of these may be one; None as the media were analysed.
        progress: Hook that is called at each step.

    Raises:
        UsageError: A medium was matched with another store.
    """
    with nullcontext() if names is None else opened(names, key_file=key_file) as store:
        return run.collect(
            rows,
            folder,
            clusterer=clusterer,
            threshold=threshold,
            archived=lambda summary: summary if store is None else _archived(summary, store),
            progress=progress,
        )


def _archived(summary: Summary, store: IdentityStore) -> Summary:
    known = archive_names(summary.info.uri, summary.persons, store)
    numbers = [known.numbers.get(person.person_id) for person in summary.persons]
    persons = tuple(
        replace(
            person,
            identity_id=number,
            name=person.name if number is None else known.names.get(number, person.name),
        )
        for person, number in zip(summary.persons, numbers, strict=True)
    )
    return replace(summary, persons=persons)
