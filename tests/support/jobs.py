"""Jobs, leases, manifests, a clock, and arguments of calls for tests."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from joblist.model import JobSpec
from jobs.outputs import publish
from jobs.types import PROTOCOL, Lease, Manifest, PartFile

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
    file = PartFile(part=f"{path}.part.1.1", path=str(path), sha256="0" * 64, size=len(content))
    return Manifest(files={"csv": file}, statistics={"media_s": 2.0, "persons": 1}).to_dict()


def make_lease(folder: Path, token: int = 3) -> Lease:
    dests = {name: str(folder / "new" / f"a.{name}") for name in ("csv", "ass")}
    return Lease(job=7, token=token, spec=JobSpec(source_path="/a.mp4", dests=dests), options={})


def manifest_of(lease: Lease) -> Manifest:
    """The manifest of empty files that this lease may publish."""
    files = {
        name: PartFile(part=str(part), path=lease.dests[name], sha256="0" * 64, size=0)
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


INFO = {"host": "elsewhere", "pid": 1, "boot_id": "b", "program": "1", "device": "cpu"}
GOOD: dict[str, tuple[Any, ...]] = {
    "hello": ({"name": "w", "protocol": PROTOCOL, **INFO},),
    "claim": ("w", "r", 1),
    "beat": ("w", [[1, 1, {"stage": "observe", "fraction": 0.5, "done": 0.5, "speed": 2.0}]]),
    "prepare": ("w", 1, 1, manifest(Path("/x.csv"))),
    "published": ("w", 1, 1),
    "fail": ("w", 1, 1, "input", "cannot be read"),
    "release": ("w", [[1, 1]]),
    "bye": ("w",),
    "status": (),
    "retry": ([1],),
    "cancel": ([1],),
    "redo": ([[1, 1, "altered"]],),
    "accept": ([[1, 1, manifest(Path("/x.csv"))]],),
    "pause": (True,),
    "drain": (),
}
"""Verb -> arguments that fit."""

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([-1, 0, 1, 2, 2**31, 2**40, 2**63, 2**64])
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["", "\0", "w", "r", "input", "x" * 5000, "files", "\udc80", "🎞"])
)
KEYS = st.text(max_size=8) | st.sampled_from(
    ["files", "statistics", "stage", "fraction", "done", "speed", "name", "pid", "models", "csv"]
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
"""Any value that JSON can hold."""


@st.composite
def bent(draw: st.DrawFn, value: Any) -> Any:
    """A good value in which one thing, at any depth, is another JSON value, or missing."""
    if isinstance(value, dict) and value and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(value)))
        if draw(st.integers(0, 3)) == 0:
            return {key: entry for key, entry in value.items() if key != name}
        return {**value, name: draw(bent(value[name]))}
    if isinstance(value, list | tuple) and value and draw(st.booleans()):
        position = draw(st.integers(0, len(value) - 1))
        return [*value[:position], draw(bent(value[position])), *value[position + 1 :]]
    return draw(JSON)


def arguments(verb: str) -> st.SearchStrategy[list[Any]]:
    """Any JSON values, or the good arguments of a verb, with something bent in them or not."""
    count = len(GOOD[verb])
    free = st.lists(JSON, min_size=0, max_size=4)
    fitting = st.lists(JSON, min_size=count, max_size=count)
    good = list(GOOD[verb])
    return free | fitting | bent(good).map(_as_list) | st.just(good)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
