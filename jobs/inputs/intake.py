"""Admit a job's medium: check its bounds, and fetch it from an address."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from joblist.addresses.fetch import Fetcher
from joblist.errors import FetchFailed
from joblist.model import is_address
from joblist.names import spelled_spec
from jobs.errors import JobFailed
from jobs.inputs import bounds
from jobs.types import Lease


@contextmanager
def admitted(
    lease: Lease,
    report: Callable[[Mapping[str, Any]], None],
    *,
    fetcher: Fetcher | None = None,
) -> Iterator[Lease]:
    """Check a job, and give it with a path to its medium that is good while the context lasts.

    Args:
        lease: Lease of the job.
        report: Hook that is called with the progress of a download.
        fetcher: For media behind addresses.

    Raises:
        JobFailed: The job is not within the server's bounds, or its medium cannot be had.
    """
    lease = replace(lease, spec=spelled_spec(lease.spec))
    require_bounds(lease)
    source = lease.source_path
    if is_address(source):
        with _fetched(lease, report, fetcher) as path:
            yield _with_source(lease, path)
    elif not os.path.exists(source) and lease.spec.poster_path is None:
        raise JobFailed("input", f"{source}: no such file: correct the joblist")
    elif lease.bounds.input_root is None:
        yield lease
    else:
        # Links are followed once, above: one that is changed now leads nowhere else.
        yield _resolved(lease)


def require_bounds(lease: Lease) -> None:
    """Check what a job reads and writes.

    Raises:
        JobFailed: It is not within the server's bounds.
    """
    for fault in bounds.faults(lease.spec, lease.bounds):
        raise JobFailed("input", fault)


def _resolved(lease: Lease) -> Lease:
    """Replace the paths that a job reads by what their links lead to."""
    spec = lease.spec
    spec = replace(
        spec,
        source_path=os.path.realpath(spec.source_path),
        poster_path=spec.poster_path and os.path.realpath(spec.poster_path),
        gallery=spec.gallery and os.path.realpath(spec.gallery),
        corrections=spec.corrections and os.path.realpath(spec.corrections),
    )
    return replace(lease, spec=spec)


def _with_source(lease: Lease, path: str) -> Lease:
    return replace(lease, spec=replace(lease.spec, source_path=path))


@contextmanager
def _fetched(
    lease: Lease, report: Callable[[Mapping[str, Any]], None], fetcher: Fetcher | None
) -> Iterator[str]:
    """Download a medium to a file without a name, which is gone when this process is."""
    url = lease.source_path
    with tempfile.TemporaryFile(prefix="ina-fetch-") as file:
        try:
            (fetcher or Fetcher(max_bytes=lease.bounds.max_download)).fetch(url, file, report)
        except FetchFailed as error:
            raise JobFailed(error.kind, error.message) from error
        path = f"/proc/{os.getpid()}/fd/{file.fileno()}"
        try:
            yield path
        except JobFailed as error:
            raise JobFailed(error.kind, error.message.replace(path, url)) from error
