"""The boxes of a report with their labels: places, texts, and where both move."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.export import _rows
from analyzer.export._candidates import PLACES, leaders
from analyzer.export._labels import TEXTS, LabelledFaces, place_labels
from analyzer.export._layout import SUBTITLE_FONT, Layout
from analyzer.export._spans import shot_numbers, spans
from analyzer.types import F32, F64, I64, MediaReport

_MAX_WORD = 8
"""Letters of the first word of a name in the shortest text, at most."""


@dataclass(frozen=True)
class Drawing:
    """Boxes and labels of n rows of a report, in the order of its table."""

    layout: Layout
    rows: I64
    """(n,) rows of the table."""
    start_s: F64
    """(n,) when each is drawn first."""
    end_s: F64
    """(n,) when it is drawn no more."""
    after: I64
    """(n,) index, from 0 to n - 1, of what box, label and line have become at the end."""
    persons: I64
    """(n,) -1 = nobody."""
    boxes: I64
    """(n, 4) pixels."""
    labels: I64
    """(n, 4) pixels; inside the picture."""
    leaders: I64
    """(n, 4) line from the label to the box, pixels; of no size where there is none."""
    above: NDArray[np.bool_]
    """(n,) whether letters that are higher than the label grow upwards."""
    shortened: I64
    """(n,) 0 = the whole text, 1 = the name alone, 2 = the shortest."""
    texts: Sequence[Sequence[str]]
    """Of each track: the texts from the longest to the shortest."""
    tracks: I64
    """(n,) index of each row's track in `texts`."""


def drawing(report: MediaReport, selected: NDArray[np.bool_] | None = None) -> Drawing:
    """Return what is drawn over a video.

    Args:
        report: Report of a video.
        selected: (N,) whether a face is shown; by default, all are.
    """
    layout = Layout(report.info.width_px, report.info.height_px, SUBTITLE_FONT)
    rows = np.arange(len(report.observations)) if selected is None else np.nonzero(selected)[0]
    times, tracks = spans(report), report.row_tracks()
    index = np.full(len(report.observations), -1)
    index[rows] = np.arange(len(rows))
    after = index[times.after[rows]]
    after = np.where(after < 0, np.arange(len(rows)), after)
    boxes, texts = _rows.boxes(report)[rows], label_texts(report, layout)
    persons = report.row_persons()[rows]
    faces = LabelledFaces(
        boxes=boxes.astype(np.float32),
        picture=report.observations.frame[rows],
        label=_label_numbers(report, rows),
        widths=_widths(texts, report.identities.person_ids, layout)[tracks[rows]],
        heights=np.where(persons < 0, layout.quiet_font, layout.font).astype(np.float32),
    )
    placed = place_labels(faces, layout)
    labels = np.rint(placed.boxes).astype(np.int64)
    away = np.array([place.stands_away for place in PLACES])[placed.place]
    lines = np.floor(leaders(boxes, labels, layout.quiet_line)).astype(np.int64)
    return Drawing(
        layout=layout,
        rows=rows,
        start_s=times.start_s[rows],
        end_s=times.end_s[rows],
        after=after,
        persons=persons,
        boxes=boxes,
        labels=labels,
        leaders=np.where(away[:, None], lines, 0),
        above=np.array([place.is_above for place in PLACES])[placed.place],
        shortened=placed.text,
        texts=texts,
        tracks=tracks[rows],
    )


def label_texts(report: MediaReport, layout: Layout) -> list[tuple[str, ...]]:
    """Return the texts of each of the T tracks, from the longest to the shortest.

    Of a person: `name  f 34` with the person's sex and age, the name, and its first word or the
    number. Of nobody: sex and age of the track, or nothing where it is crowded.
    """
    names = _rows.names(report)
    owners = report.identities.person_ids.tolist()
    texts = []
    for person, shown in zip(owners, _rows.shown_labels(report), strict=True):
        figures = _rows.sex_and_age(shown)
        if person in names:
            name = names[person]
            whole = "  ".join(filter(None, (name, figures)))
            texts.append(tuple(map(layout.fit, (whole, name, _shortest(name)))))
        else:
            texts.append((figures, figures, ""))
    return texts


def _shortest(name: str) -> str:
    """Return the number of `person N`, or the first word of a name, cut where it is long."""
    words = name.split()
    if len(words) == 2 and words[0] == "person" and words[1].isdecimal():
        return words[1]
    word = words[0] if words else ""
    return word if len(word) <= _MAX_WORD else word[: _MAX_WORD - 1] + "…"


def _label_numbers(report: MediaReport, rows: I64) -> I64:
    """Return the number (n,) of the label of each row: one a person and shot.

    So it stays where it is when a person's track ends and another begins; nobody has one a track.
    """
    owner, track = report.row_persons()[rows], report.row_tracks()[rows]
    track = np.where(owner < 0, track, len(report.identities.track_ids) + owner)
    keys = shot_numbers(report)[rows] * (int(track.max(initial=0)) + 1) + track
    return np.unique(keys, return_inverse=True)[1].reshape(-1)


def _widths(texts: Sequence[Sequence[str]], owners: I64, layout: Layout) -> F32:
    """Return the widths (T, 3) of texts of tracks, pixels; 0 of an empty one."""
    widths = np.zeros((len(texts), TEXTS), np.float32)
    for track, (some, owner) in enumerate(zip(texts, owners.tolist(), strict=True)):
        font = layout.quiet_font if owner < 0 else layout.font
        widths[track] = [layout.text_width(text, font) if text else 0 for text in some]
    return widths
