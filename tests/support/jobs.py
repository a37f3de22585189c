"""Jobs, leases, manifests and a clock for tests."""

from dataclasses import replace
from pathlib import Path

from joblist.model import JobSpec
from jobs.outputs import publish
from jobs.types import Lease, Manifest, PartFile

EXPORTERS = ("ass", "csv", "mp4")


class Clock:
    """Time that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def specs(folder: Path, n: int) -> list[JobSpec]:
    return [
        JobSpec(
            source_path=str(folder / f"{i}.mp4"), dests={"csv": str(folder / f"{i}.csv")}, line=i
        )
        for i in range(2, n + 2)
    ]


def manifest(path: Path, content: bytes = b"") -> dict[str, object]:
    """The manifest of a csv that has been published at `path`."""
    file = PartFile(part=f"{path}.part.1.1", path=str(path), sha256="0", size=len(content))
    return Manifest(files={"csv": file}, statistics={"media_s": 2.0, "persons": 1}).to_dict()


def make_lease(folder: Path, token: int = 3) -> Lease:
    dests = {name: str(folder / "new" / f"a.{name}") for name in ("csv", "ass")}
    return Lease(job=7, token=token, spec=JobSpec(source_path="/a.mp4", dests=dests), options={})


def manifest_of(lease: Lease) -> Manifest:
    """The manifest of empty files that this lease may publish."""
    files = {
        name: PartFile(part=str(part), path=lease.dests[name], sha256="0", size=0)
        for name, part in publish.part_paths(lease).items()
    }
    return Manifest(files=files, statistics={"media_s": 2.0, "persons": 1})


def write_parts(lease: Lease, text: str = "x") -> Manifest:
    publish.open_folders(lease)
    with publish.OpenParts(lease) as outputs:
        paths = outputs.paths()
        for name, part in paths.items():
            part.write_text(f"{text} {name}")
        return outputs.seal({"persons": 1.0}, paths)


def commit(lease: Lease, manifest: Manifest) -> None:
    publish.commit(replace(lease, kind="publish", manifest=manifest))
