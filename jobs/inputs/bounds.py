"""Bounds of what jobs may read and write.

What is wrong is told in words that name the cure. A joblist is held against its bounds when it is
read, and each job again by the worker: links may have changed meanwhile.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

from joblist.addresses.rules import url_fault
from joblist.model import JobSpec, is_address
from jobs.types import Bounds

_RESULT = re.compile(
    r"\.(csv|tsv|txt|ass|ssa|srt|vtt|mp4|m4v|mkv|mov|webm|eaf|xml|json|jsonl|html|xlsx|parquet"
    r"|npz|safetensors|rttm|jsonld|jpe?g|png|webp|pdf|zip)$",
    re.IGNORECASE,
)
"""What a file under an output root may be named: no script, no start-up file."""


def faults(
    spec: JobSpec, bounds: Bounds, *, real_folder: Callable[[str], str] = os.path.realpath
) -> Iterator[str]:
    """Yield what is wrong with a job.

    Args:
        spec: The job.
        bounds: Bounds of the server.
        real_folder: Resolves the links of a folder.
    """
    read = {
        "source_path": spec.source_path,
        "poster_path": spec.poster_path,
        "gallery": spec.gallery,
        "corrections": spec.corrections and _unless_beside(spec.corrections, bounds),
    }
    by_column = {(name, path): _source_fault(path, bounds) for name, path in read.items() if path}
    for name, path in spec.dests.items():
        by_column[f"dest_{name}", path] = _dest_fault(path, bounds, real_folder)
    yield from (f"{name} {path!r} {fault}" for (name, path), fault in by_column.items() if fault)


def _unless_beside(corrections: str, bounds: Bounds) -> str | None:
    """Return a file of corrections, unless it lies among the results, where it may be read."""
    root = bounds.output_root
    inside = root is not None and _is_inside(os.path.realpath(corrections), root)
    return None if inside else corrections


def _source_fault(source: str, bounds: Bounds) -> str:
    if is_address(source):
        return _address_fault(source, bounds)
    root = bounds.input_root
    if root is not None and not _is_inside(os.path.realpath(source), root):
        return f"lies outside {root}: move the file there, or give another --input_root"
    return ""


def _address_fault(source: str, bounds: Bounds) -> str:
    if not bounds.allow_urls:
        return "is an address: download it and give the file, or serve with --allow_urls"
    return url_fault(source)


def _dest_fault(dest: str, bounds: Bounds, real_folder: Callable[[str], str]) -> str:
    root = bounds.output_root
    if root is None:
        return ""
    folder, name = os.path.split(dest)
    if not _is_inside(real_folder(folder), root):
        return f"lies outside {root}: change it, or give another --output_root"
    if not _RESULT.search(name):
        return "has a suffix that no result has: end it in .csv, .ass, .mp4 or the like"
    return ""


def _is_inside(real: str, root: str) -> bool:
    home = os.path.realpath(root)
    return os.path.commonpath([real, home]) == home
