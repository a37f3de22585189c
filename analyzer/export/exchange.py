"""Zip for labelling tools of films: trajectories, features, scenes, clusters, predictions.

The files are those of the MoMaF project's `facerec` (https://github.com/MoMaF/facerec); its
`video-labeler` reads them; docs/names.md lists every key. It is a zip, because a result is one
file that appears whole or not at all.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from analyzer.export import _rows
from analyzer.files import zips
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook


def create(*, runtime: Runtime) -> "ExchangeExporter":
    """Zip of trajectories, features, scene changes, clusters and predictions."""
    return ExchangeExporter()


class ExchangeExporter:
    """Writes the zip; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".exchange.zip"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the zip; a medium without faces gives empty files."""
        movie_id = _movie_id(report)
        clusters = _clusters(report)
        files: dict[str, Iterable[dict[str, Any]]] = {
            "trajectories.jsonl": _trajectories(report, movie_id),
            "features.jsonl": _features(report, movie_id),
            "scene_changes.json": [
                {"frame_indices": report.observations.cut_frames.tolist(), "movie_id": movie_id}
            ],
            "clusters.json": [{"clusters": clusters, "movie_id": movie_id}],
            "predictions.json": [
                {"movie_id": movie_id, "predictions": _predictions(report, clusters)}
            ],
        }
        with zips.create(path) as file:
            for name, entries in files.items():
                file.add(name, map(_json_line, entries))


def _json_line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def _movie_id(report: MediaReport) -> int | str:
    """Return the number at the start of a file name, as in `12345-film.mp4`; else the stem."""
    stem = Path(report.info.uri).stem
    number = re.match(r"\d+(?=-|$)", stem)
    return int(number[0]) if number else stem


def _trajectories(report: MediaReport, movie_id: int | str) -> Iterator[dict[str, Any]]:
    """Yield the T tracks in the order of their ids, with a box for each frame of the medium."""
    table, boxes = report.observations, _rows.boxes(report)
    for index, track in enumerate(report.identities.track_ids.tolist()):
        rows = np.nonzero(table.track_id == track)[0]
        frames = table.frame[rows]
        all_frames = np.arange(frames[0], frames[-1] + 1)
        sides = [np.interp(all_frames, frames, boxes[rows, side]) for side in range(4)]
        detected = np.zeros(len(all_frames), bool)
        detected[frames - frames[0]] = ~np.isnan(table.detect_conf[rows])
        yield {
            "index": index,
            "start": int(frames[0]),
            "len": len(all_frames),
            "bbs": np.rint(np.stack(sides, axis=1)).astype(int).tolist(),
            "detected": detected.tolist(),
            "w": report.info.width_px,
            "h": report.info.height_px,
            "object_type": "face",
            "movie_id": movie_id,
        }


def _features(report: MediaReport, movie_id: int | str) -> Iterator[dict[str, Any]]:
    """Yield the M described faces; box and frame are those of their trajectory."""
    table, boxes = report.observations, _rows.boxes(report)
    for row, embedding in zip(table.embedding_rows.tolist(), table.embeddings, strict=True):
        box, frame = boxes[row].tolist(), int(table.frame[row])
        yield {
            "frame": frame,
            "tag": f"{movie_id}:{frame}:" + "_".join(map(str, box)),
            "embedding": [round(value, 6) for value in embedding.tolist()],
            "box": box,
            "w": report.info.width_px,
            "h": report.info.height_px,
        }


def _clusters(report: MediaReport) -> list[int]:
    """Return the cluster of each trajectory: its person, or a cluster of its own without one."""
    next_cluster = len(report.identities.centroids)
    clusters = []
    for person in report.identities.person_ids.tolist():
        clusters.append(person if person >= 0 else next_cluster)
        next_cluster += person < 0
    return clusters


def _predictions(report: MediaReport, clusters: list[int]) -> dict[str, dict[str, float]]:
    """Return the probability of each candidate of each cluster."""
    probabilities = {
        p.person_id: {c.name: round(c.probability, 5) for c in p.candidates} for p in report.persons
    }
    return {str(cluster): probabilities.get(cluster, {}) for cluster in sorted(set(clusters))}
