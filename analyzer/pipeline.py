"""The order of the stages, and nothing else: decode, detect, track, align, describe; summarize.

``observe`` streams over the pictures in constant memory; ``summarize`` sees the whole medium.
Merging shards is ``concat`` of their observations, then ``summarize``.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

import analyzer
from analyzer import aggregate, attributes, geometry, registry, tracks
from analyzer.align import Aligner
from analyzer.cluster import Clusterer
from analyzer.decode import Decoder, Medium
from analyzer.describe import Describer
from analyzer.detect import Detector
from analyzer.errors import InputError, ResourceError
from analyzer.options import AnalysisOptions
from analyzer.prefetch import prefetch
from analyzer.runtime import Runtime
from analyzer.track import Tracker
from analyzer.types import (
    Chips,
    Detections,
    Faces,
    Frame,
    MediaInfo,
    MediaReport,
    Observations,
    Progress,
    ProgressHook,
    Tally,
)

_FRAMES = 8
_AHEAD = 4


@dataclass(frozen=True)
class Models:
    """The components that the options name, loaded once and used for many media."""

    options: AnalysisOptions
    runtime: Runtime
    decoder: Decoder
    detector: Detector
    aligner: Aligner
    describer: Describer
    clusterer: Clusterer

    def tracker(self) -> Tracker:
        """A fresh tracker, for one medium."""
        spec = self.options.tracker
        if spec == "auto":
            spec = "iou" if self.options.detect_period == 1 else "correlation"
        tracker: Tracker = registry.load("track", spec, runtime=self.runtime)
        return tracker


def load_models(options: AnalysisOptions, *, threads: int = 0) -> Models:
    """Load every component that ``options`` name.

    Args:
        options: of the analysis.
        threads: that decoders and networks may use; 0 = every core.

    Raises:
        UsageError: an unknown component or option.
        MissingDependency: a library that a component needs is not installed.
        WeightsError: a model file is missing or altered.
    """
    runtime = Runtime(device=options.device, threads=threads, batch_size=options.batch_size)
    describer = registry.load(
        "describe", options.describer, runtime=runtime, attributes=options.attributes
    )
    sampling = {name: getattr(options, name) for name in ("fps", "frame_step", "start", "stop")}
    return Models(
        options=options,
        runtime=runtime,
        decoder=registry.load("decode", "video", runtime=runtime, **sampling),
        detector=registry.load("detect", options.detector, runtime=runtime),
        aligner=registry.load("align", describer.aligner, runtime=runtime),
        describer=describer,
        clusterer=registry.load("cluster", options.clusterer, runtime=runtime),
    )


def analyze(path: str, *, models: Models, progress: ProgressHook | None = None) -> MediaReport:
    """Find out who is on screen in one medium.

    Args:
        path: of a video.
        models: from `load_models`.
        progress: told of each step.

    Raises:
        InputError: the medium cannot be read.
        ResourceError: memory or device gave out.
    """
    try:
        with models.decoder.open(path) as medium:
            table = concat(list(observe(medium, models=models, progress=progress)))
        return summarize(medium.info, table, models=models, progress=progress)
    except MemoryError as error:
        raise ResourceError(f"{path}: out of memory; try a smaller --batch_size") from error


def observe(
    medium: Medium, *, models: Models, progress: ProgressHook | None = None
) -> Iterator[Observations]:
    """Look at one medium (or the range that the options name) in constant memory.

    Yields:
        The faces of a few frames at a time, in order; `concat` makes one table of them.

    Raises:
        InputError: the medium cannot be read, or has no frame in the range.
    """
    info, options = medium.info, models.options
    tracker, sampled, before = models.tracker(), 0, Tally()
    for frames in _batches(medium.frames(), _FRAMES):
        due = [(sampled + i) % options.detect_period == 0 for i in range(len(frames))]
        detected = _detect(frames, due, models)  # B x Detections | None
        wanted = [d if d is None else _select(d, info, options) for d in detected]
        faces = [tracker.update(f, d) for f, d in zip(frames, wanted, strict=True)]
        chips = [
            models.aligner.align(f.image, x.boxes, x.landmarks)
            for f, x in zip(frames, faces, strict=True)
        ]
        decoded = _decoded(medium)
        tally = replace(
            decoded - before,
            frames_analysed=len(frames),
            faces_detected=sum(len(d) for d in detected if d is not None),
            faces_described=sum(len(c) for c in chips),
        )
        sampled, before = sampled + len(frames), decoded
        yield _table(frames, faces, chips, models.describer, tally)
        _tell(progress, "observe", frames[-1].time_s + frames[-1].duration_s, info.duration_s)
    if not sampled:
        raise InputError(f"{info.uri}: no frame to analyse; check --start and --stop")


def _decoded(medium: Medium) -> Tally:
    """What the decoder has counted so far."""
    return Tally(
        frames_decoded=medium.frames_decoded,
        damaged=medium.damaged,
        missing_s=medium.missing_s,
    )


def _batches(frames: Iterator[Frame], size: int) -> Iterator[list[Frame]]:
    """Groups of frames, decoded ahead in a thread."""
    with closing(prefetch(frames, depth=_AHEAD)) as ahead:
        while batch := list(islice(ahead, size)):
            yield batch


def _detect(
    frames: Sequence[Frame], due: Sequence[bool], models: Models
) -> list[Detections | None]:
    """Detect in the frames that are due; ``None`` for the others."""
    found = iter(
        models.detector.detect([f.image for f, now in zip(frames, due, strict=True) if now])
    )
    return [next(found) if now else None for now in due]


def _select(found: Detections, info: MediaInfo, options: AnalysisOptions) -> Detections:
    """Leave out the faces that the options do not want, and scale the boxes of the others."""
    size = np.sqrt(geometry.area(found.boxes))
    share = geometry.area(found.boxes) / (info.width_px * info.height_px)
    keep = (
        (found.scores >= options.min_conf)
        & (size >= options.min_face_px)
        & (share >= options.min_area)
        & (share <= options.max_area)
        & (size >= 1)
    )
    found = found[keep]
    if options.bbox_expand == 1:
        return found
    boxes = geometry.scale(found.boxes, options.bbox_expand)
    return replace(found, boxes=geometry.clip(boxes, info.width_px, info.height_px))


def _table(
    frames: Sequence[Frame],
    faces: Sequence[Faces],
    chips: Sequence[Chips],
    describer: Describer,
    tally: Tally,
) -> Observations:
    """Describe the faces of a batch and lay everything out in rows."""
    counts = [len(f) for f in faces]
    described = describer.describe(np.concatenate([c.images for c in chips]))

    def per_frame(values: Sequence[float], dtype: Any) -> Any:
        return np.repeat(np.array(values, dtype), counts)

    def per_face(parts: Sequence[Any]) -> Any:
        return np.concatenate(parts)

    return Observations(
        frame=per_frame([f.index for f in frames], np.int64),
        time_s=per_frame([f.time_s for f in frames], np.float64),
        duration_s=per_frame([f.duration_s for f in frames], np.float64),
        track_id=per_face([f.track_id for f in faces]),
        boxes=per_face([f.boxes for f in faces]),
        detect_conf=per_face([f.detect_conf for f in faces]),
        track_conf=per_face([f.track_conf for f in faces]),
        sharpness=per_face([c.sharpness for c in chips]),
        frontality=per_face([c.frontality for c in chips]),
        face_px=per_face([c.face_px for c in chips]),
        heads=described.heads,
        embeddings=described.embeddings,
        embedding_rows=np.arange(sum(counts), dtype=np.int64),
        tally=tally,
    )


def concat(parts: Sequence[Observations]) -> Observations:
    """Join the observations of successive stretches of one medium.

    Track ids of the parts are taken as they are: parts of one `observe` share them.
    """
    starts = np.cumsum([0, *(len(p) for p in parts)])
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(p, name) for p in parts])
        for name in (
            "frame", "time_s", "duration_s", "track_id", "boxes", "detect_conf", "track_conf",
            "sharpness", "frontality", "face_px", "embeddings",
        )
    }  # fmt: skip
    rows = [p.embedding_rows + start for p, start in zip(parts, starts, strict=False)]
    return Observations(
        **joined,
        heads={h: np.concatenate([p.heads[h] for p in parts]) for h in parts[0].heads},
        embedding_rows=np.concatenate(rows),
        tally=sum((p.tally for p in parts), Tally()),
    )


def summarize(
    info: MediaInfo,
    observations: Observations,
    *,
    models: Models,
    progress: ProgressHook | None = None,
) -> MediaReport:
    """Turn the rows of a whole medium into persons."""
    _tell(progress, "summarize", 0, 1)
    limit = models.options.cluster_threshold or models.describer.threshold
    ids = tracks.split_by_appearance(observations, limit)
    observations = replace(observations, track_id=ids)
    found = tracks.embed(observations)  # T tracks
    labels = models.clusterer.cluster(
        found.embeddings, found.weights, tracks.apart(observations, found.ids), limit
    )
    who = aggregate.identities(labels, found, np.unique(ids))
    report = MediaReport(
        info=info,
        observations=observations,
        identities=who,
        row_attributes={h: attributes.decode(h, v) for h, v in observations.heads.items()},
        track_attributes=aggregate.average_tracks(observations, who.track_ids),
        persons=(),
        shots=np.empty((0, 2), np.float64),
        provenance=_provenance(models),
    )
    rows = report.row_persons()
    tally = replace(observations.tally, faces_kept=int((rows >= 0).sum()))
    kept = replace(observations, tally=tally)
    _tell(progress, "summarize", 1, 1)
    return replace(
        report, observations=kept, persons=aggregate.persons(info, observations, rows, who)
    )


def _provenance(models: Models) -> Mapping[str, Any]:
    return {
        "analyzer": analyzer.__version__,
        "options": models.options.to_dict(),
        "models": dict(models.describer.provenance),
    }


def _tell(progress: ProgressHook | None, stage: str, done: float, total: float | None) -> None:
    if progress is not None:
        progress(Progress(stage=stage, done=done, total=total))
