"""Labels: one place for each face of a shot, off the boxes and labels of others.

A label keeps its place beside its box through a shot, so that it follows the face and never jumps.
The places of all labels of a film are sought together: each takes the cheapest that is left, in the
order of a colouring in which labels of one step are never on screen together; those that still lie
on others try again, at last with a shorter text.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.export._candidates import PLACES, label_boxes, reach
from analyzer.export._layout import Layout
from analyzer.export._pairs import in_one_picture, steps
from analyzer.types import F32, F64, I64

TEXTS = 3
"""Number of texts of a label, from the longest to the shortest."""
_SWEEPS = 3
_MAX_SAMPLES = 32
"""Number of pictures of a shot in which a label is tried, at most."""
_COVERED = 0.004
"""Share of a label that may lie on others before it is sought a better place."""
_PLACE_WEIGHT, _OWN_WEIGHT = 0.003, 0.003
"""Weights of a place's cost and of the share of the own face that is hidden, beside the share of a
label that lies on others."""
_CHUNK = 1 << 16
"""Pairs of faces that are looked at together: their numbers stay in the processor's cache."""


@dataclass(frozen=True)
class LabelledFaces:
    """N faces that get labels."""

    boxes: F32
    """(N, 4) pixels."""
    picture: I64
    """(N,) number of the picture."""
    label: I64
    """(N,) number of the label, from 0: faces of one label share its place."""
    widths: F32
    """(N, 3) width of each of the texts, pixels; 0 where there is none."""
    heights: F32
    """(N,) height of the text, pixels."""


@dataclass(frozen=True)
class PlacedLabels:
    """Places of the labels of N faces."""

    boxes: F32
    """(N, 4) pixels; inside the picture."""
    text: I64
    """(N,) number of the text, 0 the longest."""
    place: I64
    """(N,) number of the place in `PLACES`."""


def place_labels(faces: LabelledFaces, layout: Layout) -> PlacedLabels:
    """Return where the labels of faces stand.

    Args:
        faces: LabelledFaces of all pictures.
        layout: Layout of the picture.
    """
    search = _Search(faces, layout)
    search.run()
    return PlacedLabels(search.current, search.text[faces.label], search.place[faces.label])


class _Search:
    """Seeks places for L labels of N faces."""

    def __init__(self, faces: LabelledFaces, layout: Layout) -> None:
        self._faces, self._layout = faces, layout
        self._count = int(faces.label.max(initial=-1)) + 1
        self.text = np.zeros(self._count, np.int64)
        self.place = np.zeros(self._count, np.int64)
        self.current: F32 = np.zeros((len(faces.label), 4), np.float32)
        self._rows = _RowsOfLabels(np.arange(len(faces.label)), faces.label, self._count)
        tried = _tried(self._rows)
        sizes = np.column_stack([faces.widths[:, 0], faces.heights])
        one, other = in_one_picture(faces.picture, reach(faces.boxes, sizes, layout))
        strangers = faces.label[one] != faces.label[other]
        one, other = one[strangers], other[strangers]
        self._step = steps(faces.label[one], faces.label[other], self._count)
        pairs = np.stack([np.append(one, other), np.append(other, one)], axis=1)
        pairs = pairs[tried[pairs[:, 0]]]
        self._pairs = _RowsOfLabels(pairs, faces.label[pairs[:, 0]], self._count)
        self._tried = _RowsOfLabels(np.nonzero(tried)[0], faces.label[tried], self._count)

    def run(self) -> None:
        """Place all labels, then those again that lie on others."""
        self._sweep(np.arange(self._count))
        for text in range(TEXTS):
            for _ in range(_SWEEPS):
                crowded = np.nonzero(self._covered() > _COVERED)[0]
                if not len(crowded):
                    return
                before = self.place[crowded], self.text[crowded]
                self.text[crowded] = np.maximum(self.text[crowded], text)
                self._sweep(crowded)
                if np.array_equal(before, (self.place[crowded], self.text[crowded])):
                    break

    def _sweep(self, labels: I64) -> None:
        """Give labels the best places, one step after the other."""
        for step in np.unique(self._step[labels]).tolist():
            self._choose(labels[self._step[labels] == step])

    def _choose(self, labels: I64) -> None:
        """Give labels that are never together the best places."""
        tried, pairs = self._tried.of(labels), self._pairs.of(labels)
        number = np.full(self._count, -1)
        number[labels] = np.arange(len(labels))
        group = number[self._faces.label[tried]]
        boxes, sizes = self._faces.boxes[tried], self._sizes(tried)
        at_places = np.stack([label_boxes(boxes, sizes, p, self._layout) for p in PLACES])
        own = np.stack([_common(at, boxes) for at in at_places])
        lost = self._lost(at_places, tried, pairs, number)
        area = np.maximum(np.bincount(group, self._areas(tried), len(labels)), 1e-6)
        cost = np.array(
            [
                (lost[i] + _OWN_WEIGHT * np.bincount(group, own[i], len(labels))) / area
                + _PLACE_WEIGHT * place.cost
                for i, place in enumerate(PLACES)
            ]
        )
        self.place[labels] = np.argmin(cost, axis=0)
        rows = self._rows.of(labels)
        places = self.place[self._faces.label[rows]]
        for place in np.unique(places).tolist():
            some = rows[places == place]
            self.current[some] = self._at(some, place)

    def _lost(self, at_places: F32, tried: I64, pairs: I64, number: I64) -> F64:
        """Return the area (places, labels) that lies on boxes and labels of others.

        Args:
            at_places: (places, t, 4) labels of the faces that are tried, at each place, pixels.
            tried: (t,) their rows.
            pairs: (p, 2) rows of such a face and of another of its picture.
            number: (L,) index of each label in the result.
        """
        count = int(number.max(initial=-1)) + 1
        index = np.full(len(self._faces.label), -1)
        index[tried] = np.arange(len(tried))
        total = np.zeros((len(at_places), count))
        for start in range(0, len(pairs), _CHUNK):
            one, other = pairs[start : start + _CHUNK].T
            group, mine = number[self._faces.label[one]], index[one]
            box, label = self._faces.boxes[other], self.current[other]
            for place, at in enumerate(at_places):
                here = at[mine]
                total[place] += np.bincount(group, _common(here, box) + _common(here, label), count)
        return total

    def _covered(self) -> F64:
        """Return the share of each label that lies on others, where they stand now."""
        one, other = self._pairs.values.T
        here = self.current[one]
        lost = _common(here, self._faces.boxes[other]) + _common(here, self.current[other])
        label, tried = self._faces.label, self._tried.values
        area = np.bincount(label[tried], self._areas(tried), self._count)
        return np.bincount(label[one], lost, self._count) / np.maximum(area, 1e-6)

    def _sizes(self, rows: I64) -> F32:
        """Return width and height (n, 2) of the labels of rows."""
        faces = self._faces
        widths = faces.widths[rows, self.text[faces.label[rows]]]
        return np.column_stack([widths, faces.heights[rows]])

    def _areas(self, rows: I64) -> F32:
        return np.prod(self._sizes(rows), axis=1)

    def _at(self, rows: I64, place: int) -> F32:
        sizes = self._sizes(rows)
        return label_boxes(self._faces.boxes[rows], sizes, PLACES[place], self._layout)


class _RowsOfLabels:
    """Values by group, for a quick look-up of those of many groups."""

    def __init__(self, values: I64, group: I64, count: int) -> None:
        order = np.argsort(group, kind="stable")
        self.values = values[order]
        self.bounds = np.searchsorted(group[order], np.arange(count + 1))

    def of(self, groups: I64) -> I64:
        """Return the values of groups, one group after the other."""
        return self.values[ranges(self.bounds[groups], self.bounds[groups + 1])]


def ranges(starts: I64, ends: I64) -> I64:
    """Return the numbers from each start to its end, one after the other."""
    lengths = ends - starts
    return np.arange(lengths.sum()) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)


def _tried(rows: _RowsOfLabels) -> NDArray[np.bool_]:
    """Return a mask (N,) of the faces with which places are tried: a few of each label."""
    lengths = np.diff(rows.bounds)
    count = np.minimum(lengths, _MAX_SAMPLES)
    label = np.repeat(np.arange(len(lengths)), count)
    number = ranges(np.zeros(len(count), np.int64), count)
    chosen = rows.bounds[label] + number * lengths[label] // np.maximum(count[label], 1)
    mask = np.zeros(len(rows.values), bool)
    mask[rows.values[chosen]] = True
    return mask


def _common(boxes: F32, others: F32) -> F32:
    """Return the area (n,) that boxes (n, 4) share with others (n, 4)."""
    width = np.minimum(boxes[:, 2], others[:, 2]) - np.maximum(boxes[:, 0], others[:, 0])
    height = np.minimum(boxes[:, 3], others[:, 3]) - np.maximum(boxes[:, 1], others[:, 1])
    return np.maximum(width, 0) * np.maximum(height, 0)
