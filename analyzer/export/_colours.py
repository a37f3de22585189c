"""Colours of persons: those who are on screen together never have the same."""

from collections.abc import Iterator, Sequence

import numpy as np

from analyzer.export._pairs import distinct
from analyzer.export._spans import spans
from analyzer.types import I64, MediaReport
from analyzer.types.media import SAME_TIME_S

PALETTE = (
    *("4BB4FF", "E1FF0F", "5A9669", "B4D2D2", "69E196", "3C9696", "00C300"),
    *("3C87FF", "87B496", "96A5C3", "FFF0D2", "E1FF96", "69962D", "78B469"),
    *("A578C3", "78E15A", "96D2FF", "D2D2C3", "D26996", "B4F0FF"),
)
"""Colours as six hexadecimal digits, each far from those before it. They were sought so that the
least CIEDE2000 distance of two is greatest: 9.5, and 9.4 and 8.4 as seen with deuteranopia and
protanopia (Machado, Oliveira and Fernandes 2009); of the first twelve 11.1, 10.3 and 9.5. All are
bright enough to be read on black; on white, their edge is black."""
NOBODY_COLOUR = "B4B4B4"
"""Colour of faces without a person."""
_TAKEN = 1e9
"""Cost of a colour that somebody has who is on screen at the same time."""
_NEAR, _NEAR_S = 1e3, 10.0
"""Cost of a colour that somebody has who is on screen within about so many seconds."""


def colours(report: MediaReport) -> dict[int, int]:
    """Return the number in `PALETTE` of each person's colour.

    The persons are coloured as the nodes of a graph by DSATUR (Brelaz 1979): always next the one
    with the fewest colours left. Of these, one is taken that nobody has who is on screen about
    that time, and that the fewest persons have in all. Where more persons are on screen at once
    than there are colours, those share one who are together for the shortest time.
    """
    people = [person.person_id for person in report.persons]
    number = {person: i for i, person in enumerate(people)}
    owners = np.array([number.get(p, -1) for p in report.identities.person_ids.tolist()], np.int64)
    rows = owners[report.row_tracks()]
    together = _neighbours(_samples(report, rows), len(people), reach=0)
    near = _neighbours(_moments(report, rows), len(people), reach=1)
    return dict(zip(people, _coloured(together, near), strict=True))


def _coloured(together: Sequence[dict[int, int]], near: Sequence[dict[int, int]]) -> Iterator[int]:
    """Yield the colour of each of P persons; neighbours come with the time that they share."""
    count, size = len(together), len(PALETTE)
    cost = np.tile(np.arange(size) / size, (count, 1))  # (P, colours)
    taken, saturation = np.zeros((count, size), bool), np.zeros(count)
    chosen = np.full(count, -1)
    rank = np.array([len(others) for others in together]) / max(1, count)
    for _ in range(count):
        person = int(np.argmax(np.where(chosen < 0, saturation + rank, -1)))
        colour = chosen[person] = int(np.argmin(cost[person]))
        cost[:, colour] += 1
        for other, time in together[person].items():
            cost[other, colour] += _TAKEN * time
            saturation[other] += not taken[other, colour]
            taken[other, colour] = True
        for other in near[person]:
            cost[other, colour] += _NEAR
    yield from chosen.tolist()


def _samples(report: MediaReport, rows: I64) -> I64:
    """Return the samples in which persons are drawn, as pairs (n, 2) of sample and person."""
    drawn = spans(report)
    starts = np.unique(drawn.start_s)
    first = np.searchsorted(starts, drawn.start_s)
    end = np.maximum(np.searchsorted(starts, drawn.end_s - SAME_TIME_S), first + 1)
    lasting = np.where(rows >= 0, end - first, 0)
    row = np.repeat(np.arange(len(rows)), lasting)
    passed = np.arange(len(row)) - np.repeat(np.cumsum(lasting) - lasting, lasting)
    return np.stack([first[row] + passed, rows[row]], axis=1)


def _moments(report: MediaReport, rows: I64) -> I64:
    """Return the stretches of `_NEAR_S` in which persons are, as pairs (n, 2) with the person."""
    stretch = (report.observations.time_s // _NEAR_S).astype(np.int64)
    return np.stack([stretch, rows], axis=1)[rows >= 0]


def _neighbours(pairs: I64, count: int, *, reach: int) -> list[dict[int, int]]:
    """Return for each person who else is in the same places, and in how many.

    Args:
        pairs: (n, 2) place and person.
        count: Number of persons.
        reach: How many places further on count as the same.
    """
    (place, person), _ = distinct(pairs[:, 0], pairs[:, 1])
    found: list[dict[int, int]] = [{} for _ in range(count)]
    met = [np.empty(0, np.int64)]
    for step in range(1, len(place)):
        near = np.nonzero(place[step:] - place[:-step] <= reach)[0]
        if not len(near):
            break
        one, other = person[near], person[near + step]
        met.append(np.minimum(one, other) * count + np.maximum(one, other))
    keys, times = np.unique(np.concatenate(met), return_counts=True)
    for key, time in zip(keys.tolist(), times.tolist(), strict=True):
        one, other = divmod(key, count)
        if one != other:
            found[one][other] = found[other][one] = time
    return found
