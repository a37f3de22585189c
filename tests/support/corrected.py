"""A report to be corrected, with known truth, and corrections of it."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.attributes.labeller import PLAIN
from analyzer.observations import persons
from analyzer.options import AnalysisOptions
from analyzer.reports.corrections_file import correction_from_json
from analyzer.review import apply
from analyzer.types import MediaReport
from analyzer.types.corrections import OF_SEVERAL, OF_TRACKS, Correction
from analyzer.types.people import Candidate, Poster
from tests.support.reports import Face, make_report

LEFT, RIGHT, TOP = (10, 20, 110, 140), (300, 20, 400, 140), (200, 150, 260, 220)
AXES = np.eye(8, dtype=np.float32)


def sample_report(
    *,
    rate: float = 5.0,
    first_track: int = 0,
    owners: tuple[int, ...] = (0, 1, 0, -1),
    **values: Any,
) -> MediaReport:
    """Two seconds: track 0 left, 1 right at the same time; then 2 left, 3 at the top, of no person.

    Persons are 0 (tracks 0 and 2, Ada) and 1 (track 1). Boxes move to the right, 20 px a second.

    Args:
        rate: samples a second.
        first_track: what the tracks are numbered from.
        owners: person of each track.
        values: of the report.
    """
    faces = []
    for i in range(int(4 * rate)):
        time = i / rate
        here = [(0, LEFT), (1, RIGHT)] if time < 2 else [(2, LEFT), (3, TOP)]
        for track, (x1, y1, x2, y2) in here:
            box = (x1 + 20 * time, y1, x2 + 20 * time, y2)
            faces.append(Face(round(25 * time), time, box, first_track + track, 1 / rate))
    of_tracks = {first_track + track: person for track, person in enumerate(owners)}
    report = make_report(faces, persons=of_tracks, names={0: "Ada"}, duration_s=4.0, **values)
    table = report.observations
    embeddings = AXES[table.track_id - first_track]
    table = replace(table, embeddings=embeddings, cuts=np.array([2.0]), cut_frames=np.array([50]))
    tally = replace(
        table.tally,
        faces_detected=len(table),
        faces_saved=len(table),
        faces_kept=len(table) * 3 // 4,
    )
    table = replace(table, tally=tally)
    means = [AXES[: len(owners)][np.array(owners) == p].mean(0) for p in range(max(owners) + 1)]
    track_persons = replace(report.identities, centroids=np.stack(means).astype(np.float32))
    people = persons.persons(table, report.row_persons(), track_persons)
    persons_by_id = {p.person_id: p for p in report.persons}
    some = (Candidate(name="Ada", probability=0.8, distance=0.25),)
    people = tuple(
        replace(
            p,
            name=persons_by_id[p.person_id].name,
            name_distance=persons_by_id[p.person_id].name_distance,
            candidates=some,
            identity_id=17 + p.person_id,
        )
        for p in people
    )
    return replace(
        report,
        observations=table,
        identities=track_persons,
        persons=people,
        poster=_poster(),
        is_remembered=True,
        shots=np.array([[0, 2], [2, 4]], np.float64),
    )


def filmed_report(folder: Path) -> MediaReport:
    """The sample report of a video that is there, with three persons: 2 is track 2."""
    path = folder / "clip.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=4"]
    command = ["ffmpeg", "-v", "error", "-y", *source, "-c:v", "libx264", "-pix_fmt", "yuv420p"]
    subprocess.run([*command, str(path)], check=True)
    report = sample_report(owners=(0, 1, 2, -1), uri=str(path))
    pixels = np.full(len(report.observations), 640 * 360, np.float32)
    return replace(report, observations=replace(report.observations, picture_px=pixels))


def _poster() -> Poster:
    """One face of each person."""
    return Poster(
        path="poster.jpg",
        image=np.full((400, 300, 3), 200, np.uint8),
        boxes=np.array([[10, 50, 110, 150], [150, 50, 250, 150]], np.float32),
        scores=np.array([0.9, 0.8], np.float32),
        person_ids=np.array([0, 1]),
        distances=np.array([0.25, 0.5], np.float32),
        sex=("m", "f"),
        age=("40.0", "30.0"),
    )


def op(kind: str, *numbers: int, **values: Any) -> dict[str, Any]:
    """A correction by numbers alone; a name is empty if not given."""
    several = kind in OF_SEVERAL
    key = "persons" if several else "track" if kind in OF_TRACKS else "person"
    names = {"name": ""} if kind == "rename" else {}
    return {"op": kind, key: list(numbers) if several else numbers[0], **names, **values}


def box(time_s: float, *bbox: float) -> dict[str, Any]:
    """A box as it was drawn."""
    return {"time_s": time_s, "bbox": list(bbox)}


def applied(report: MediaReport, *ops: Mapping[str, Any] | Correction) -> MediaReport:
    """The report with corrections, all of which must be made."""
    steps = [o if isinstance(o, Correction) else correction_from_json(o) for o in ops]
    corrected, done = apply.apply(report, steps, labeller=lambda: PLAIN)
    assert [step.fault for step in done] == [""] * len(ops)
    return corrected


def people(report: MediaReport) -> dict[int, Any]:
    """All persons by number."""
    return {person.person_id: person for person in report.persons}


def write(*ops: Mapping[str, Any], change: Mapping[str, Any] | None = None) -> str:
    """Write corrections.json; returns its path."""
    source = {
        "uri": "clip.mp4",
        "name": "clip.mp4",
        "options": AnalysisOptions().digest(),
    }
    whole = {"format": "ina-corrections", "version": 1, "source": source, "corrections": ops}
    Path("corrections.json").write_text(json.dumps({**whole, **(change or {})}))
    return "corrections.json"
