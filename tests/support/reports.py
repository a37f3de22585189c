"""Reports with known boxes, times and answers, for tests of exporters and audits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.audit import audit_file
from analyzer.audit.audit_file import Audit
from analyzer.observations import intervals
from analyzer.options.analysis import MIN_SEX_AGE, AnalysisOptions
from analyzer.reports import report_file
from analyzer.types import (
    Attribute,
    Decoded,
    MediaInfo,
    MediaReport,
    Observations,
    Person,
    TrackPersons,
)

OPTIONS = {
    "engine": "videotracking",
    "attributes": ["sex", "age"],
    "min_sex_age": MIN_SEX_AGE,
    "min_sex_confidence": AnalysisOptions().min_sex_confidence,
}
NAN = float("nan")
DIGEST = "5f2b5711a933fe13e84aadbe1162300961eed71a60ecf9b7ed5c8df471d2a873"
"""SHA-256 of the attribute network that ships, for which there is a table of confusions."""


@dataclass(frozen=True)
class Face:
    """One row of a report."""

    frame: int
    time_s: float
    box: tuple[float, float, float, float]
    track: int = 0
    duration_s: float = 0.2
    detect_conf: float = 0.9
    track_conf: float = NAN
    sex: float = 1.5
    age: float = 3.5


def make_report(
    faces: Sequence[Face] = (),
    *,
    persons: Mapping[int, int] | None = None,
    names: Mapping[int, str] | None = None,
    size: tuple[int, int] = (640, 360),
    duration_s: float = 10.0,
    uri: str = "clip.mp4",
    kind: str = "video",
    engine: str = "videotracking",
    heads: Sequence[str] = ("sex", "age"),
) -> MediaReport:
    """Build a report.

    Args:
        faces: the rows, in order of time.
        persons: track -> person, -1 = none; by default each track is the person of its number.
        names: person -> name.
        size: width and height of the picture.
        duration_s: of the medium.
        uri: of the medium.
        kind: `video` or `image`.
        engine: as in the options.
        heads: which of sex, age and ethnicity were asked for.
    """
    tracks = sorted({face.track for face in faces})
    owners = persons if persons is not None else {track: track for track in tracks}
    ids = np.array([owners[track] for track in tracks], np.int64)
    info = MediaInfo(
        uri=uri,
        kind=kind,
        width_px=size[0],
        height_px=size[1],
        frame_rate=Fraction(25) if kind == "video" else None,
        duration_s=duration_s,
        stills=(uri,) * (1 + max((face.frame for face in faces), default=0))
        if kind == "image"
        else (),
    )
    return MediaReport(
        info=info,
        observations=_observations(faces),
        identities=TrackPersons(
            track_ids=np.array(tracks, np.int64),
            person_ids=ids,
            centroids=np.zeros((len(set(ids.tolist()) - {-1}), 4), np.float32),
        ),
        row_attributes=_decoded([(face.sex, face.age) for face in faces], heads),
        track_attributes=_decoded([(2.25, 4.0)] * len(tracks), heads),
        persons=tuple(_person(p, faces, owners, names or {}, heads) for p in _present(owners)),
        shots=np.empty((0, 2), np.float64),
        provenance={"options": {**OPTIONS, "engine": engine}},
    )


def film_of_shots(
    logits: Sequence[float], *, seconds: float = 1.0, shot_s: float = 1.0, uri: str = "film.mp4"
) -> MediaReport:
    """A film with a shot for each face, of a person of their own, labelled for sex.

    Args:
        logits: of each face: below 0 are women.
        seconds: that each face is seen.
        shot_s: length of each shot.
        uri: of the film.
    """
    faces = [
        Face(25 * i, shot_s * i, (10, 20, 130, 140), track=i, duration_s=seconds, sex=logit)
        for i, logit in enumerate(logits)
    ]
    report = make_report(faces, duration_s=shot_s * len(faces), uri=uri)
    starts = shot_s * np.arange(len(faces), dtype=np.float64)
    raw = {"sex": np.array(logits, np.float32)[:, None]}
    sexes = [Attribute(label="f" if logit < 0 else "m", value=logit) for logit in logits]
    return replace(
        report,
        shots=np.stack([starts, starts + shot_s], axis=1),
        observations=replace(report.observations, heads=raw),
        persons=tuple(
            replace(person, attributes={"sex": sexes[person.person_id]})
            for person in report.persons
        ),
        provenance={**report.provenance, "models": {"branch": DIGEST}},
    )


def _present(owners: Mapping[int, int]) -> list[int]:
    return sorted(set(owners.values()) - {-1})


def _observations(faces: Sequence[Face]) -> Observations:
    def column(name: str, dtype: Any) -> Any:
        return np.array([getattr(face, name) for face in faces], dtype)

    n = len(faces)
    return Observations(
        frame=column("frame", np.int64),
        time_s=column("time_s", np.float64),
        duration_s=column("duration_s", np.float64),
        track_id=column("track", np.int64),
        boxes=column("box", np.float32).reshape(n, 4),
        detect_conf=column("detect_conf", np.float32),
        track_conf=column("track_conf", np.float32),
        sharpness=np.full(n, 0.5, np.float32),
        frontality=np.full(n, 0.75, np.float32),
        face_px=np.full(n, 100, np.float32),
        picture_px=np.full(n, 100_000, np.float32),
        heads={},
        embeddings=np.zeros((n, 4), np.float32),
        embedding_rows=np.arange(n, dtype=np.int64),
    )


def _decoded(values: Sequence[tuple[float, float]], heads: Sequence[str]) -> dict[str, Decoded]:
    """Sex and age (decision values), and a fixed ethnicity."""
    sex = [v[0] for v in values]
    age = [v[1] for v in values]
    every = {
        "sex": (sex, ["m" if v > 0 else "f" for v in sex]),
        "age": (age, [f"{v * 10:.1f}" for v in age]),
        "ethnicity": ([0.6] * len(values), ["Indian"] * len(values)),
    }
    return {
        head: Decoded(value=np.array(every[head][0], np.float32), label=tuple(every[head][1]))
        for head in heads
    }


def _person(
    person: int,
    faces: Sequence[Face],
    owners: Mapping[int, int],
    names: Mapping[int, str],
    heads: Sequence[str],
) -> Person:
    mine = [face for face in faces if owners[face.track] == person]
    every = {
        "sex": Attribute(label="m", value=2.25),
        "age": Attribute(label="40.0", value=4.0, low=30.06, high=55.04),
        "ethnicity": Attribute(label="Indian", value=0.6),
    }
    return Person(
        person_id=person,
        name=names.get(person),
        name_distance=0.25 if person in names else None,
        track_ids=tuple(sorted({face.track for face in mine})),
        face_count=len(mine),
        first_s=mine[0].time_s,
        last_s=mine[-1].time_s + mine[-1].duration_s,
        screen_time_s=sum(face.duration_s for face in mine),
        mean_area_ratio=0.05,
        attributes={head: every[head] for head in heads},
        intervals=intervals.merge(
            np.array([face.time_s for face in mine]),
            np.array([face.time_s + face.duration_s for face in mine]),
        ),
    )


AGE_VALUES = np.eye(9, dtype=np.float32) * 8
"""Raw values of the head for age: the row of its bin."""
LOGIT = 5.0
"""Of a sure answer for sex."""


@dataclass(frozen=True)
class Somebody:
    """A person, with the answers of the network."""

    sex: str = "f"
    age_bin: int = 4
    faces: int = 1
    face_px: float = 100.0


def audited_report(people: Sequence[Somebody], uri: str = "clip.mp4") -> MediaReport:
    """A report of people who come one after the other, 25 pictures a second, for 0.04 s a face.

    Args:
        people: The people; each is one track.
        uri: of the medium.
    """
    who = np.repeat(np.arange(len(people)), [person.faces for person in people])
    faces = [
        Face(n, n / 25, (100 + n % 7 * 40, 60, 200 + n % 7 * 40, 180), int(track), 0.04)
        for n, track in enumerate(who)
    ]
    report = make_report(faces, uri=uri, duration_s=max(1.0, len(who) / 25))
    sex = np.array([LOGIT if person.sex == "m" else -LOGIT for person in people], np.float32)
    table = replace(
        report.observations,
        heads={
            "sex": sex[who][:, None],
            "age": AGE_VALUES[[person.age_bin for person in people]][who],
        },
        face_px=np.array([person.face_px for person in people], np.float32)[who],
        picture_px=np.full(len(who), 640 * 360, np.float32),
    )
    starts = ["1.0", "6.0", "15.0", "25.0", "35.0", "45.0", "55.0", "65.0", "80.0"]
    labels = {
        "sex": Decoded(value=sex, label=tuple(person.sex for person in people)),
        "age": Decoded(
            value=np.array([p.age_bin for p in people], np.float32),
            label=tuple(starts[person.age_bin] for person in people),
        ),
    }
    everybody = {"options": {**OPTIONS, "min_sex_age": 0.0}}
    return replace(report, observations=table, track_attributes=labels, provenance=everybody)


def save(folder: Path, reports: Sequence[MediaReport]) -> Path:
    """Save reports into a folder, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, report in enumerate(reports):
        report_file.save(report, folder / f"film{number}.report.zip", portraits={})
    return folder


def write_labels(
    path: Path, audit: Path | Audit, rater: str, labels: Sequence[tuple[int, str, str]]
) -> Path:
    """Write labels as the page does: face, sex, age.

    Args:
        path: of the file.
        audit: the audit, or its file.
        rater: name of the rater.
        labels: face, sex and age.
    """
    drawn = audit_file.read(audit) if isinstance(audit, Path) else audit
    rows = [f"{drawn.identifier},{rater},{face},{sex},{age}" for face, sex, age in labels]
    path.write_text("\n".join(["audit,rater,face,sex,age", *rows]) + "\n")
    return path


def report_of_people(uri: Path, *axes: int) -> MediaReport:
    """Return a report on a medium with people: the first in one picture, the next in two."""
    faces = [
        Face(frame, frame / 5, (0, 0, 10, 10), track=person)
        for person in range(len(axes))
        for frame in range(person + 1)
    ]
    report = make_report(faces, uri=str(uri))
    tally = replace(report.tally, faces_detected=len(faces), faces_tracked=2)
    return replace(
        report,
        # Most screen time first, as the pipeline has it: not the order of the centroids.
        persons=report.persons[::-1],
        observations=replace(report.observations, tally=tally),
        identities=replace(
            report.identities, centroids=1.4 * np.eye(8, dtype=np.float32)[list(axes)]
        ),
    )
