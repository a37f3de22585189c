"""Shares in sentences, and as what a chart shows: for pages."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from analyzer.shares.amounts import FACE_TIME, PEOPLE_PER_MINUTE, PERSONS
from analyzer.shares.measure import NOT_GIVEN, GroupShare

_NAMES: Mapping[str, str] = {
    "f": "Women",
    "m": "Men",
    "under 10": "Under 10 years",
    "10 to 19": "10 to 19 years",
    "20 to 39": "20 to 39 years",
    "40 to 59": "40 to 59 years",
    "60 and over": "60 years and over",
}
"""Group -> its name at the beginning of a sentence; others are names already."""
_EXACT = 0.0995
"""Share below which a digit after the point is shown."""
_OF: Mapping[str, str] = {FACE_TIME: "of face time", PERSONS: "of the characters"}
_TITLES: Mapping[str, str] = {
    FACE_TIME: "Face time",
    PERSONS: "Characters",
    PEOPLE_PER_MINUTE: "Characters in a minute",
}


def sentence(share: GroupShare) -> str:
    """Return a share in words: `Women: 37 % of face time (95 % interval 31 to 43 %)`.

    Where some have no label, it says of which face time or characters.
    """
    name = _NAMES.get(share.group, share.group)
    if share.group == NOT_GIVEN:
        why = " (looks too young)" * _is_by_age(share)
        name = f"{share.head.capitalize()} not given{why}"
    of_which = _of_which(share)
    if share.measure == PEOPLE_PER_MINUTE and share.per_minute is not None:
        figure = f"{share.per_minute:.1f} in a minute{_between(share)}, {_percent(share.best)}"
        return f"{name}: {figure} of all{of_which} ({_interval(share)})"
    return f"{name}: {_percent(share.best)} {_OF[share.measure]}{of_which} ({_interval(share)})"


def _of_which(share: GroupShare) -> str:
    """Return what the share is of, where it is not of all; unsure faces count in face time."""
    if not share.is_of_given:
        return ""
    return " of those who look old enough" if _is_by_age(share) else f" with {share.head} given"


def _is_by_age(share: GroupShare) -> bool:
    """Return whether only who looks too young is left out."""
    return share.head == "sex" and share.measure == FACE_TIME


def charts(shares: Iterable[GroupShare]) -> list[dict[str, Any]]:
    """Return what a page shows: a chart for each head and measure, with a row for each group.

    The first one is the main one, that a page shows unfolded.

    Args:
        shares: Shares in the order of `analyzer.shares.measure`.

    Returns:
        JSON-able values: shares from 0 to 1, `None` where there is none.
    """
    grouped = groupby(shares, lambda share: (share.head, share.measure))
    return [
        {
            "title": f"{_TITLES[measure]} by perceived {head}",
            "main": number == 0,
            "corrected": any(row["corrected"] is not None for row in rows),
            "rows": rows,
        }
        for number, ((head, measure), group) in enumerate(grouped)
        for rows in [[_row(share) for share in group]]
    ]


def _row(share: GroupShare) -> dict[str, Any]:
    return {
        "text": sentence(share).replace(" %", "\u00a0%"),
        "observed": round(share.observed, 4),
        "corrected": None if share.corrected is None else round(share.corrected, 4),
        "low": _rounded(share.interval.low),
        "high": _rounded(share.interval.high),
    }


def _rounded(end: float | None) -> float | None:
    return None if end is None else round(end, 4)


def _interval(share: GroupShare) -> str:
    low, high = share.interval.low, share.interval.high
    if low is None or high is None:
        return share.note
    digits = _digits(share.best)
    return f"95 % interval {100 * low:.{digits}f} to {100 * high:.{digits}f} %"


def _between(share: GroupShare) -> str:
    low, high = share.per_minute_ends
    return "" if low is None or high is None else f" ({low:.1f} to {high:.1f})"


def _percent(share: float) -> str:
    return f"{100 * share:.{_digits(share)}f} %"


def _digits(share: float) -> int:
    return 1 if share < _EXACT else 0
