"""Stamps of a container as times on the player's clock, the same in every container.

Many containers round: Matroska, WebM and FLV to milliseconds, MPEG to 1/90000 s. Where the
pictures follow each other at a constant rate that the unit of the stamps cannot express, a time
within that rounding of the rate's own is the rate's. So one stream has the same times, and the
same samples, in all containers. Other times are taken as they are.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import av

STEADY = "mov"
"""Beginning of the names of containers that state how long each picture is shown."""
_NOTHING_S = Fraction(1, 10**6)
"""Times that differ by less are equal: containers state their start in microseconds."""
_SAME_RATE = Fraction(1, 10**5)
"""Relative difference of rates below which they are one rate, written or measured differently."""
_SAME_AVERAGE = Fraction(1, 10**4)
"""That of an average which was measured in milliseconds."""
_NTSC = Fraction(1001, 1000)
_MAX_RATIO = Fraction(201, 200)
"""Greatest ratio of the average rate to the one that the stamps can express."""


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """The zero, the unit and the steps of the stamps of one stream."""

    origin: Fraction
    """Start of the container in seconds: the zero of the player's clock."""
    unit: Fraction
    """Seconds for each unit of the stamps."""
    first: Fraction
    """Time of the first picture, in seconds, as it is stated."""
    rate: Fraction | None
    """Nominal pictures a second; `None` where there is none."""
    is_exact: bool
    """Whether the container states lengths, not times: they add up, and are taken as they are."""
    mean_rate: Fraction | None
    """Pictures a second on average, as far as they are known; `None` where they are not."""

    def time(self, stamp: Fraction) -> Fraction:
        """Return the time at which a picture is shown, in seconds.

        Args:
            stamp: Stamp of the picture in seconds.
        """
        stated = stamp - self.origin
        time = stated
        if self._is_rounded and self.rate is not None:
            nominal = self.first + round((stated - self.first) * self.rate) / self.rate
            is_near = -self.unit < 2 * (stated - nominal) <= self.unit
            time = nominal if is_near else stated
        return Fraction(0) if abs(time) < _NOTHING_S else time

    def due(self, time: Fraction) -> Fraction:
        """Return up to which moment a picture is early enough, in seconds.

        A picture at a whole step of the rate, from zero, has an exact time; elsewhere it may be
        rounded down by half a unit.

        Args:
            time: Time of the picture in seconds.
        """
        is_exact = self.rate is not None and (time * self.rate).denominator == 1
        return time + (_NOTHING_S if is_exact else max(_NOTHING_S, self.unit / 2))

    def length(self, stated: Fraction | None) -> Fraction:
        """Return how long a picture is shown, in seconds.

        Args:
            stated: What the container says, in seconds; `None` where it says nothing.
        """
        if stated is None:
            return 1 / self.rate if self.rate else Fraction(0)
        if self.rate is None or self.is_exact:
            return stated
        nominal = max(1, round(stated * self.rate)) / self.rate
        return nominal if abs(stated - nominal) <= self.unit else stated

    @cached_property
    def _is_rounded(self) -> bool:
        """Whether stamps at the nominal rate are rounded."""
        is_whole = self.rate is None or (self.rate * self.unit).numerator == 1
        return not (self.is_exact or is_whole)


def timeline_of(container: Any, stream: Any, first_stamp: Fraction | None) -> Timeline:
    """Return the timeline of an open stream.

    Args:
        container: Open container.
        stream: Stream of the pictures.
        first_stamp: Stamp of its first picture in seconds; `None` where it has none.
    """
    origin, is_exact = _origin(container, stream), container.format.name.startswith(STEADY)
    guessed = stream.guessed_rate or stream.average_rate
    # PyAV 19 has a class of its own; results have Python's.
    rate = Fraction(guessed) if guessed else None
    if rate is not None and not is_exact:
        rate = _nominal(rate)
    return Timeline(
        origin=origin,
        unit=Fraction(stream.time_base or 0),
        first=Fraction(0) if first_stamp is None else _snapped(first_stamp - origin),
        rate=rate,
        is_exact=is_exact,
        # Without stamps the average is what the demuxer assumes before it reads the stream.
        mean_rate=rate if first_stamp is None else _mean_rate(stream, rate, is_exact),
    )


def same_rate(rate: Fraction, other: Fraction) -> bool:
    """Return whether two rates differ by no more than how they are written."""
    return abs(rate - other) <= _SAME_RATE * other


def _mean_rate(stream: Any, nominal: Fraction | None, is_exact: bool) -> Fraction | None:
    """Return the average rate; the nominal one in place of one that stamps cannot express.

    Of some containers the average is that of their units: of raw DV, 60000.
    """
    if not stream.average_rate or nominal is None:
        return nominal
    average = Fraction(stream.average_rate)
    is_near = not is_exact and abs(average - nominal) <= _SAME_AVERAGE * nominal
    return nominal if is_near or average > _MAX_RATIO * nominal else average


def _origin(container: Any, stream: Any) -> Fraction:
    """Return the start of a container in seconds; if pictures come first, as they state it."""
    start = Fraction(container.start_time or 0, av.time_base)
    if stream.start_time is None or not stream.time_base:
        return start
    exact = stream.start_time * Fraction(stream.time_base)
    return exact if abs(exact - start) < _NOTHING_S else start


def _snapped(time: Fraction) -> Fraction:
    return Fraction(0) if abs(time) < _NOTHING_S else time


def _nominal(rate: Fraction) -> Fraction:
    """Return the whole number, or 1000/1001 of one, that a rate is near to; else the rate."""
    candidates = (Fraction(round(rate)), round(rate * _NTSC) / _NTSC)
    return next((each for each in candidates if each and same_rate(rate, each)), rate)
