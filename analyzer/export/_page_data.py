"""Data of the review page, as JSON-able facts and packed columns.

The page computes its figures from the rows itself, because corrections change them. A column
is 64-bit floats, or 32-bit integers as differences from the value before; all follow each other,
little-endian, in one gzip stream written as base64.
"""

import base64
import gzip
import os
from collections import defaultdict
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.attributes.heads import AGE_BINS, AGE_EDGES
from analyzer.export import _addresses, _rows
from analyzer.export._shown import NOBODY_COLOUR, PALETTE, colours, drawing
from analyzer.observations.persons import NOBODY
from analyzer.options import AnalysisOptions
from analyzer.shares.amounts import sex_given_from
from analyzer.shares.measure import shares
from analyzer.shares.words import charts
from analyzer.types import Attribute, MediaReport, Person
from analyzer.types.corrections import apart

_Columns = Mapping[str, NDArray[Any]]
_ALIKE = 5
"""Others that are listed as alike for a person."""


def facts(report: MediaReport, folder: Path, start: tuple[float, float]) -> dict[str, Any]:
    """Return all data of the page but rows, pictures and notes.

    Args:
        report: Report of a video.
        folder: Folder of the page.
        start: Start of the container, and of its first picture after that, in seconds.
    """
    info, shades = report.info, colours(report)
    return {
        "medium": {
            "uri": info.uri,
            "name": Path(info.uri).name,
            "links": links(info.uri, folder),
            "width": info.width_px,
            "height": info.height_px,
            "duration": info.duration_s,
            "origin": start[0],
            "first": start[1],
            "rate": None if info.frame_rate is None else float(info.frame_rate),
        },
        "options": digest(report),
        "persons": [
            {
                "id": person.person_id,
                "name": person.name,
                "colour": shades[person.person_id],
                "attributes": _attributes_to_json(person, report),
            }
            for person in report.persons
        ],
        "tracks": _tracks_to_json(report),
        "alike": _alike(report),
        "apart": sorted(apart(report.corrections)),
        "shots": report.shots.tolist(),
        "shares": charts(shares(report)),
        "ages": [
            {"label": label, "end": end}
            for label, end in zip(AGE_BINS, AGE_EDGES[1:].tolist(), strict=True)
        ],
        "palette": PALETTE,
        "nobody": NOBODY_COLOUR,
        "partial": report.partial,
        "provenance": dict(report.provenance),
    }


def links(uri: str, folder: Path) -> list[str]:
    """Return addresses of the medium, relative to the page: where it is, and beside the page."""
    paths = (uri, os.path.join(folder, os.path.basename(uri)))
    return list(dict.fromkeys(_addresses.relative_url(path, folder) for path in paths))


def digest(report: MediaReport) -> str:
    """Return the hash of the options that the report was made with."""
    return AnalysisOptions.from_dict(report.provenance["options"]).digest()


def rows(report: MediaReport) -> dict[str, NDArray[Any]]:
    """Return the N rows as columns, in S samples.

    `next` is how many rows further on the one is that a box moves to, 0 where it stays. A label's
    corner counts from its box's; `text` is how much it is shortened, `away` whether a line leads to
    the box: see `analyzer.export._shown`.
    """
    table, drawn = report.observations, drawing(report)
    first = np.nonzero(np.diff(table.frame, prepend=-1))[0]  # (S,)
    boxes = _rows.boxes(report)
    return {
        "time": table.time_s[first],
        "duration": table.duration_s[first],
        "start": first,
        "track": report.row_tracks(),
        "detected": ~np.isnan(table.detect_conf),
        **{side: boxes[:, i] for i, side in enumerate(("x1", "y1", "x2", "y2"))},
        "next": drawn.after - np.arange(len(table)),
        "labelX": drawn.labels[:, 0] - boxes[:, 0],
        "labelY": drawn.labels[:, 1] - boxes[:, 1],
        "text": drawn.shortened,
        "away": np.all(drawn.leaders[:, 2:] > drawn.leaders[:, :2], axis=1).astype(np.int64),
    }


def pack(columns: _Columns) -> tuple[list[tuple[str, str, int]], str]:
    """Return columns as base64, and the name, type (`f8` or `i4`) and length of each."""
    encoded = {name: _encoded(values) for name, values in columns.items()}
    # Wide types first, so that each column is aligned to the size of its type.
    encoded = dict(sorted(encoded.items(), key=lambda item: -item[1].itemsize))
    layout = [(name, values.dtype.str[1:], len(values)) for name, values in encoded.items()]
    data = gzip.compress(b"".join(values.tobytes() for values in encoded.values()), 9, mtime=0)
    return layout, base64.b64encode(data).decode("ascii")


def _encoded(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind == "f":
        return values.astype("<f8")
    return np.diff(values.astype("<i4"), prepend=np.int32(0)).astype("<i4")


def _tracks_to_json(report: MediaReport) -> dict[str, Any]:
    """Return columns of the T tracks: numbers, persons, weights in averages, labels, texts.

    A text stands beside the boxes of a track of nobody, or of a person of unknown sex and age.
    """
    count = len(report.identities.track_ids)
    weights = np.bincount(report.row_tracks(), report.observations.quality, minlength=count)
    return {
        "id": report.identities.track_ids.tolist(),
        "person": report.identities.person_ids.tolist(),
        "weight": np.round(weights, 3).tolist(),
        "labels": {head: decoded.label for head, decoded in report.track_attributes.items()},
        "texts": [_rows.sex_and_age(shown) for shown in _rows.shown_labels(report)],
    }


def _alike(report: MediaReport) -> dict[int, list[tuple[int, float]]]:
    """Return the nearest others of each person, with the distance of their mean embeddings.

    Left out are those who are on screen at once, and those without an embedding.
    """
    centroids = report.identities.centroids
    ids = np.array([p.person_id for p in report.persons if centroids[p.person_id].any()], np.int64)
    together = _seen_together(report)
    found: dict[int, list[tuple[int, float]]] = {}
    for person in ids.tolist():
        distances = np.linalg.norm(centroids[ids] - centroids[person], axis=1)
        nearest = np.argsort(distances, kind="stable").tolist()
        pairs = ((int(ids[i]), round(float(distances[i]), 3)) for i in nearest)
        left_out = together[person] | {person}
        found[person] = list(islice((p for p in pairs if p[0] not in left_out), _ALIKE))
    return found


def _seen_together(report: MediaReport) -> dict[int, set[int]]:
    """Return the persons that each person shares a picture with, itself among them."""
    together: dict[int, set[int]] = defaultdict(set)
    owners, frames = report.row_persons(), report.observations.frame
    for group in np.split(owners, np.nonzero(np.diff(frames))[0] + 1):
        people = set(group.tolist()) - {NOBODY}
        for person in people if len(people) > 1 else ():
            together[person] |= people
    return together


def _attributes_to_json(person: Person, report: MediaReport) -> dict[str, Any]:
    """Return the attributes, and why there is no sex where the age decides that."""
    found = {head: _attribute_to_json(value) for head, value in person.attributes.items()}
    sex, age = (person.attributes.get(head) for head in ("sex", "age"))
    limit = sex_given_from(report)
    if sex and age and not sex.label and age.high is not None and age.high < limit:
        found["sex"]["why"] = f"not given: looks younger than {limit:g}"
    return found


def _attribute_to_json(attribute: Attribute) -> dict[str, Any]:
    return {"label": attribute.label, "low": attribute.low, "high": attribute.high}
