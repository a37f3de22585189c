"""Jobs, manifests and a clock for tests."""

from pathlib import Path

from jobs.types import JobSpec, Manifest, PartFile

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
