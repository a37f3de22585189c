"""Tables of observations: made from the faces of frames, joined, filtered."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from analyzer.imaging import letterbox
from analyzer.types import F32, I64, Chips, Descriptions, Faces, Frame, Observations
from analyzer.types.tally import Tally

_COLUMNS = (
    *("frame", "time_s", "duration_s", "track_id", "boxes", "picture_px"),
    *("detect_conf", "track_conf", "sharpness", "frontality", "face_px"),
    *("inside", "recognisability", "too_young"),
)


def table(
    frames: Sequence[Frame],
    faces: Sequence[Faces],
    chips: Sequence[Chips],
    described: Descriptions,
    rows: I64,
    recognisability: F32,
    tally: Tally,
) -> Observations:
    """Return the table of the N faces of successive frames.

    Args:
        frames: Frames in order of time, at least one.
        faces: Faces of each frame.
        chips: Chips of each frame's faces.
        described: Embeddings and heads of M of the faces; the heads of the others are NaN.
        rows: (M,) rows of the described faces, ascending.
        recognisability: (M,) float32, of the described faces; see `Observations`.
        tally: Counters of these frames.
    """
    counts = [len(f) for f in faces]

    def per_frame(values: Sequence[float], dtype: Any) -> Any:
        return np.repeat(np.array(values, dtype), counts)

    def per_face(parts: Sequence[Any]) -> Any:
        return np.concatenate(parts)

    def spread(values: F32) -> F32:
        wide = np.full((sum(counts), values.shape[1]), np.nan, np.float32)
        wide[rows] = values
        return wide

    return Observations(
        frame=per_frame([f.index for f in frames], np.int64),
        time_s=per_frame([f.time_s for f in frames], np.float64),
        duration_s=per_frame([f.duration_s for f in frames], np.float64),
        track_id=per_face([f.track_id for f in faces]),
        boxes=per_face([f.boxes for f in faces]),
        picture_px=per_frame([f.image.shape[0] * f.image.shape[1] for f in frames], np.float32),
        detect_conf=per_face([f.detect_conf for f in faces]),
        track_conf=per_face([f.track_conf for f in faces]),
        sharpness=per_face([c.sharpness for c in chips]),
        frontality=per_face([c.frontality for c in chips]),
        face_px=per_face([c.face_px for c in chips]),
        inside=per_face([_inside(c) for c in chips]),
        recognisability=spread(recognisability[:, None])[:, 0],
        heads={head: spread(values) for head, values in described.heads.items()},
        embeddings=described.embeddings,
        embedding_rows=rows,
        cuts=np.array([f.time_s for f in frames if f.cut], np.float64),
        cut_frames=np.array([f.index for f in frames if f.cut], np.int64),
        span_s=np.array([frames[0].time_s, frames[-1].time_s + frames[-1].duration_s]),
        tally=tally,
    )


def _inside(chips: Chips) -> F32:
    if chips.inside is None:
        return np.full(len(chips), np.nan, np.float32)
    return chips.inside


def concat(parts: Sequence[Observations]) -> Observations:
    """Join the observations of successive parts of one medium.

    Track ids are not changed: parts of one `observe` share them. A part without an analysed frame
    changes nothing.

    Args:
        parts: Tables in order of time, at least one.
    """
    starts = np.cumsum([0, *(len(p) for p in parts)])
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(p, name) for p in parts])
        for name in (*_COLUMNS, "embeddings", "cuts", "cut_frames")
    }
    rows = [p.embedding_rows + start for p, start in zip(parts, starts, strict=False)]
    box = parts[0].canvas
    for part in parts[1:]:
        box = letterbox.join(box, part.canvas)
    return Observations(
        **joined,
        heads={h: np.concatenate([p.heads[h] for p in parts]) for h in parts[0].heads},
        embedding_rows=np.concatenate(rows),
        span_s=np.array([min(p.span_s[0] for p in parts), max(p.span_s[1] for p in parts)]),
        canvas=box,
        tally=sum((p.tally for p in parts), Tally()),
    )


def take(observations: Observations, keep: "np.ndarray") -> Observations:
    """Return the table with some of its rows.

    Args:
        observations: All N rows.
        keep: (N,) bool, true for the rows to keep.
    """
    described = keep[observations.embedding_rows]
    number = np.cumsum(keep) - 1
    columns: dict[str, Any] = {name: getattr(observations, name)[keep] for name in _COLUMNS}
    return Observations(
        **columns,
        heads={head: values[keep] for head, values in observations.heads.items()},
        embeddings=observations.embeddings[described],
        embedding_rows=number[observations.embedding_rows[described]].astype(np.int64),
        cuts=observations.cuts,
        cut_frames=observations.cut_frames,
        span_s=observations.span_s,
        canvas=observations.canvas,
        tally=observations.tally,
    )


def interleave(observations: Observations, added: Observations) -> tuple[Observations, I64]:
    """Join two tables of one medium in order of time.

    Args:
        observations: All N rows.
        added: Rows of other tracks; only its rows are taken, no cuts, span or counters.

    Returns:
        The joined table, and the row (N',) in `observations` of each of its rows; -1 for those of
        `added`.
    """
    parts, count = (observations, added), len(observations)
    order = np.argsort(np.concatenate([p.time_s for p in parts]), kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(p, name) for p in parts])[order] for name in _COLUMNS
    }
    rows = place[np.concatenate([observations.embedding_rows, added.embedding_rows + count])]
    by_row = np.argsort(rows)
    joined = replace(
        observations,
        **columns,
        heads={
            head: np.concatenate([p.heads[head] for p in parts])[order]
            for head in observations.heads
        },
        embeddings=np.concatenate([p.embeddings for p in parts])[by_row],
        embedding_rows=rows[by_row],
    )
    return joined, np.where(order < count, order, -1)
