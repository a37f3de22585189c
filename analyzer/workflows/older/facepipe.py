"""The work of facepipe: how often each face of an archive is seen, kept in a Redis store."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from analyzer.errors import UsageError
from analyzer.files.atomic import atomic_write_bytes
from analyzer.identities.records import Counters
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import load_components
from analyzer.reports import portraits
from analyzer.types import MediaReport, ProgressHook
from analyzer.weights import network_spec
from analyzer.workflows.analyze import Request, analyze
from analyzer.workflows.local_identities import LocalIdentities
from analyzer.workflows.observer import WholeObserver

_AT_ONCE = 500
"""Faces that are cut at once: all of a long film would not fit into memory."""
_FACE_PX = 112


@dataclass(frozen=True, kw_only=True)
class FacepipeArguments:
    """Options of facepipe, by its names."""

    video: str
    det_model: str | None = None
    rec_model: str | None = None
    det_input: str = "640x640"
    det_thresh: float | None = None
    nms_thresh: float | None = None
    min_face: float = 0
    frame_step: int = 1
    redis_host: str | None = None
    redis_port: int = 6379
    redis_prefix: str | None = None
    sim_thresh: float | None = None
    refine_limit: int | None = None
    blur_enable: bool = False
    blur_var_thresh: float = 100
    blur_grid: int = 0
    blur_grid_min_keep: float | None = None
    save_images: bool = False
    save_dir: Path = Path("faces")


@dataclass(frozen=True)
class FacepipeResult:
    """What facepipe tells at its end."""

    elapsed_s: float
    report: MediaReport
    counters: Counters
    """Of all media of the store."""
    frequencies: Sequence[tuple[int, int]]
    """Identity and its number of faces, as the store has them, the most frequent first."""
    crops: int = 0
    """Number of pictures that were saved."""
    notes: list[str] = field(default_factory=list)


def run(arguments: FacepipeArguments, progress: ProgressHook | None = None) -> FacepipeResult:
    """Analyse a video, count its faces in the store, and save their pictures.

    Args:
        arguments: What the command line says.
        progress: Hook that is called at each step.

    Raises:
        AnalyzerError: As `analyzer.workflows.analyze.analyze`.
    """
    started = time.monotonic()
    distance, notes = _distance(arguments)
    options = AnalysisOptions.from_mapping({**_options(arguments), "cluster_threshold": distance})
    components = load_components(options)
    with LocalIdentities(
        _store(arguments),
        options,
        distance,
        default=Path("people.identities"),
        refine=arguments.refine_limit,
    ) as identities:
        request = Request(
            path=arguments.video,
            identities=identities.store,
            call_key=identities.call_key(arguments.video),
        )
        observer = WholeObserver(components)
        report = analyze(request, components=components, observer=observer, progress=progress)
        saved = _save(report, arguments.save_dir) if arguments.save_images else 0
        known = [(person.id, person.faces) for person in identities.store.all()]
        return FacepipeResult(
            elapsed_s=time.monotonic() - started,
            report=report,
            counters=identities.store.counters(),
            frequencies=sorted(known, key=lambda item: (-item[1], item[0])),
            crops=saved,
            notes=notes,
        )


def _options(arguments: FacepipeArguments) -> dict[str, object]:
    """Return the options of this program."""
    values: dict[str, object] = {
        "detector": _detector(arguments),
        "frame_step": arguments.frame_step,
        "min_face_px": arguments.min_face,
    }
    if arguments.rec_model:
        values["describer"] = _describer(arguments.rec_model)
    if arguments.blur_enable:
        # A grid of 0 means the whole picture.
        grid = max(1, arguments.blur_grid)
        keep = arguments.blur_grid_min_keep
        share = "" if keep is None else f",keep={keep if keep <= 1 else min(1.0, keep / grid**2)}"
        values["blur_gate"] = f"var={arguments.blur_var_thresh},grid={grid}{share}"
    return values


def _describer(network: str) -> str:
    """Return the describer of a network; one that nothing is known of is taken for an ArcFace."""
    spec = f"onnx:embed={network}"
    try:
        network_spec.resolve(network, "")
    except UsageError:
        return f"{spec},spec=arcface"
    return spec


def _detector(arguments: FacepipeArguments) -> str:
    sides = arguments.det_input.lower().split("x")
    if len(sides) != 2 or not all(side.isdecimal() for side in sides):
        raise UsageError(f"--det-input {arguments.det_input!r}: write it as 640x640")
    choices: dict[str, object] = {"size": max(map(int, sides))}
    if arguments.det_thresh is not None:
        choices["confidence"] = arguments.det_thresh
    if arguments.nms_thresh is not None:
        choices["overlap"] = arguments.nms_thresh
    name = "centerface"
    if arguments.det_model:
        choices["weights"] = arguments.det_model
        stem = Path(arguments.det_model).stem.lower()
        name = next((n for n in ("yunet", "retinaface") if n in stem), "scrfd")
    return f"{name}:{','.join(f'{key}={value}' for key, value in choices.items())}"


def _distance(arguments: FacepipeArguments) -> tuple[float | None, list[str]]:
    """Return the distance that a cosine similarity of embeddings of length one stands for."""
    similarity = arguments.sim_thresh
    if similarity is None:
        return None, []
    if not 0 < similarity < 1:
        raise UsageError(f"--sim-thresh {similarity}: a cosine similarity, above 0 and below 1")
    if arguments.rec_model is None:
        return None, [
            "--sim-thresh is of the network that --rec-model names; without one, this program's "
            "own network has its own threshold"
        ]
    return math.sqrt(2 - 2 * similarity), []


def _store(arguments: FacepipeArguments) -> str:
    """Return the address of the store; empty for a file here."""
    if arguments.redis_host is None:
        return ""
    prefix = f"?prefix={quote(arguments.redis_prefix)}" if arguments.redis_prefix else ""
    return f"redis://{arguments.redis_host}:{arguments.redis_port}{prefix}"


def _save(report: MediaReport, folder: Path) -> int:
    """Save every face of a person in a folder of its identity; return how many."""
    table, saved = report.observations, 0
    identity_of = {person.person_id: person.identity_id for person in report.persons}
    stem = Path(report.info.uri).stem
    for person, rows in portraits.of_persons(report, most=len(table)).items():
        for start in range(0, len(rows), _AT_ONCE):
            pictures = portraits.cut(report, rows[start : start + _AT_ONCE], side_px=_FACE_PX)
            for row, picture in pictures.items():
                name = f"{stem}_{table.frame[row]:07}_{table.track_id[row]}.jpg"
                atomic_write_bytes(folder / str(identity_of[person]) / name, picture)
            saved += len(pictures)
    return saved
