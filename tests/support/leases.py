"""Leases with part files, for tests of publishing."""

from pathlib import Path

from jobs.outputs import publish
from jobs.types import JobSpec, Lease, Manifest


def make_lease(folder: Path, token: int = 3) -> Lease:
    dests = {name: str(folder / "new" / f"a.{name}") for name in ("csv", "ass")}
    return Lease(job=7, token=token, spec=JobSpec(source_path="/a.mp4", dests=dests), options={})


def write_parts(lease: Lease, text: str = "x") -> Manifest:
    publish.open_folders(lease)
    for name, part in publish.part_paths(lease).items():
        part.write_text(f"{text} {name}")
    return publish.seal(lease, {"persons": 1.0})
