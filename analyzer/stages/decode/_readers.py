"""Ways to read the samples of a video: picture after picture, or the needed pictures only."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Protocol

from analyzer.files import source
from analyzer.stages.decode import Watcher, _files, _sparse
from analyzer.stages.decode._frames import AllFrames
from analyzer.stages.decode._index import PacketIndex
from analyzer.stages.decode._line import TimedPicture, mark_cuts
from analyzer.stages.decode._medium import OpenMedium
from analyzer.stages.decode._sampling import Sampling
from analyzer.stages.decode._second_film import is_followed
from analyzer.stages.decode._segment import SegmentSamples
from analyzer.stages.decode._share import Share
from analyzer.stages.decode._stream import OpenStream

_SLACK_S = 1
"""Seconds for which sound may go on after the last picture."""


class Reader(Protocol):
    """A way to read the samples of an open video; used once."""

    end: Fraction
    """End of the last picture that was read, in seconds; final when the samples are at an end."""

    def samples(self, medium: OpenMedium, watcher: Watcher | None) -> Iterator[TimedPicture]:
        """Yield the sampled pictures in order of time, numbered from the first picture read.

        Args:
            medium: Medium; its counters are kept up to date.
            watcher: Observer that is shown every picture, sampled or not.
        """
        ...


class Sequential:
    """Reads picture after picture, as they come out of the decoder.

    Args:
        opened: Stream of which only the first picture was decoded.
        frames: Pictures of this stream.
        sampling: Rule that selects the pictures.
        share: The part that is read.
        is_exact: Whether damaged pictures come out the same in every run; if not, reading breaks
            off at the first damage.
        takes_cuts: Whether the first picture of each shot is a sample, whatever the rate.
        alive: Callback, called with each picture before the share.
    """

    def __init__(
        self,
        opened: OpenStream,
        frames: AllFrames,
        *,
        sampling: Sampling,
        share: Share,
        is_exact: bool,
        takes_cuts: bool,
        alive: Callable[[], None],
    ) -> None:
        self.end = Fraction(0)
        self._opened, self._frames, self._sampling = opened, frames, sampling
        self._share, self._is_exact, self._alive = share, is_exact, alive
        self._takes_cuts = takes_cuts
        self._first_number = 0

    def samples(self, medium: OpenMedium, watcher: Watcher | None) -> Iterator[TimedPicture]:
        """Yield the sampled pictures; see `Reader`."""
        chosen = self._chosen(medium, watcher)
        if self._sampling.margin is None:
            yield from chosen
            return
        segment = SegmentSamples(self._sampling)
        for shown in chosen:
            yield from segment.add(shown)
            if segment.is_over and not self._share.is_shard:
                self.end, medium.reached_end = segment.end, True
                return

    def _chosen(self, medium: OpenMedium, watcher: Watcher | None) -> Iterator[TimedPicture]:
        """Yield the pictures that the sampling selects."""
        for shown, before in self._pictures_of_share(medium, watcher):
            is_first = shown.cut and self._takes_cuts
            if self._sampling.wants(shown.index, shown.due, before, cut=is_first):
                shown.index -= self._first_number
                yield shown

    def _pictures_of_share(
        self, medium: OpenMedium, watcher: Watcher | None
    ) -> Iterator[tuple[TimedPicture, Fraction | None]]:
        """Yield each picture of the share, with what is due before it in the medium."""
        share = self._share
        if share.is_empty:
            return
        has_begun, before = share.begin is None, None
        for shown in self._marked(watcher):
            if shown.damage and not self._is_exact:
                medium.needs_care = True
                return
            if self._sampling.ends(shown.due):
                self.end = self._sampling.limit or self.end
                break
            source.require_duration(medium.info.uri, float(shown.time))
            if share.is_over(shown, has_begun=has_begun):
                self.end = shown.time
                return
            if not has_begun and share.begins_with(shown):
                has_begun, self._first_number = True, shown.index
            if has_begun:
                self._count(shown, medium, watcher)
                yield shown, before
            else:
                self._alive()
            before = shown.due
        self.end = _cut_off(self.end, self._sampling)
        medium.needs_care = self._opened.following.left_over > 0 and not self._is_exact
        if has_begun:
            _compare_with_container(medium, self._opened, self._sampling, self.end)

    def _marked(self, watcher: Watcher | None) -> Iterator[TimedPicture]:
        """Return the pictures, each marked if a cut lies before it."""
        pictures = self._frames.pictures(None if watcher is None else watcher.lookback)
        return mark_cuts(pictures, watcher, self._opened.facts.stored_size)

    def _count(self, shown: TimedPicture, medium: OpenMedium, watcher: Watcher | None) -> None:
        """Count a picture of the share, sampled or not, and show it to the watcher."""
        self.end = shown.end
        clock = self._frames.clock
        medium.clock_back, medium.clock_ahead = clock.back, clock.ahead
        medium.untimed = self._frames.untimed
        medium.frames_decoded += 1
        medium.damaged += shown.damage
        if watcher is not None and shown.small is not None:
            watcher.take(shown.small)


class Sparse:
    """Reads the sampled pictures and decodes little else; see `analyzer.stages.decode._sparse`.

    Args:
        opened: Stream of which only the first picture was decoded.
        sampling: Rule that selects the pictures.
        plan: Instructions for each packet.
    """

    def __init__(self, opened: OpenStream, sampling: Sampling, plan: _sparse.SparsePlan) -> None:
        self.end = Fraction(0)
        self._opened, self._sampling, self._plan = opened, sampling, plan

    def samples(self, medium: OpenMedium, watcher: Watcher | None) -> Iterator[TimedPicture]:
        """Yield the sampled pictures; see `Reader`. There must be no watcher."""
        opened, plan = self._opened, self._plan
        try:
            for number, shown_at, picture in _sparse.decode_planned(
                opened.first, opened.following, plan
            ):
                time = opened.facts.timeline.time(shown_at)
                self.end = time + opened.length(picture)
                medium.frames_decoded = number + 1
                source.require_duration(medium.info.uri, float(time))
                if number in plan.samples:
                    due = opened.facts.timeline.due(time)
                    yield TimedPicture(number, picture, time, self.end, due)
        except _sparse.UnexpectedPicture:
            medium.needs_care = True
            return
        self.end = self._sampling.limit or self.end if plan.stops else self.end
        self.end = _cut_off(self.end, self._sampling)
        _compare_with_container(medium, opened, self._sampling, self.end)


def sparse_reader(
    opened: OpenStream, sampling: Sampling, alive: Callable[[], None]
) -> Sparse | None:
    """Return a reader that decodes little; `None` where all pictures must be decoded.

    Args:
        opened: Stream of which only the first picture was decoded.
        sampling: Rule that selects the pictures.
        alive: Callback, called with each packet of the file while its index is read.
    """
    facts = opened.facts
    if sampling.is_dense or facts.clock_jumps or facts.by_decoding or facts.codec != _sparse.CODEC:
        return None
    index = trusted(_files.index_of_path(facts.info.uri, alive), opened)
    plan = None if index is None else _sparse.plan(index, sampling, facts.timeline)
    return None if plan is None else Sparse(opened, sampling, plan)


def trusted(index: PacketIndex | None, opened: OpenStream) -> PacketIndex | None:
    """Return an index if its stamps say when pictures are shown; else `None`."""
    return index if opened.has_order else None


def _cut_off(end: Fraction, sampling: Sampling) -> Fraction:
    """Return the end of what is read: the last picture may be shown for longer."""
    return end if sampling.limit is None else min(end, sampling.limit)


def _compare_with_container(
    medium: OpenMedium, opened: OpenStream, sampling: Sampling, end: Fraction
) -> None:
    """Compare what was decoded with what the container states; what was decoded counts.

    Args:
        medium: Medium; its counters and its duration are completed.
        opened: Its stream, read to the end.
        sampling: Rule that selected the pictures.
        end: End of the last picture in seconds.
    """
    facts, stop = opened.facts, sampling.limit
    medium.reached_end = True
    medium.damaged += opened.following.left_over
    medium.damaged += is_followed(facts.info.uri, opened.container, opened.following.position)
    expected_s = facts.stated_end_s if stop is None else min(facts.stated_end_s, float(stop))
    # The length of an MPEG stream is an estimate: one damaged timestamp makes hours of it.
    is_estimate = facts.clock_jumps or medium.clock_back or medium.clock_ahead
    if not is_estimate and expected_s - float(end) > _SLACK_S:
        medium.missing_s = expected_s - float(end)
    is_other = medium.missing_s or is_estimate or end > medium.info.duration_s
    if stop is None and is_other:
        medium.info = replace(medium.info, duration_s=float(end))
