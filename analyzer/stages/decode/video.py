"""Video through PyAV (the FFmpeg libraries), with exact presentation times."""

import os
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from analyzer.errors import InputError
from analyzer.files import source
from analyzer.inference.runtime import Runtime
from analyzer.stages.decode import Watcher, _files
from analyzer.stages.decode import _sparse as sparse
from analyzer.stages.decode._clock import Clock
from analyzer.stages.decode._index import Index
from analyzer.stages.decode._line import Shown, watched
from analyzer.stages.decode._moments import sought, walked
from analyzer.stages.decode._pictures import DecodedPicture, PictureStream, stamp
from analyzer.stages.decode._sampling import Sampling
from analyzer.types import U8, Frame, MediaInfo
from joblist.shard import Shard

_PACKET_BYTES = (188, 192, 204)
"""Of MPEG transport streams: plain, with timestamps, with error correction."""
_SLACK_S = 1
"""Sound may go on for so long after the last picture."""


def create(
    *,
    fps: float | None = None,
    frame_step: int | None = None,
    start: float | None = None,
    stop: float | None = None,
    key_frames: bool = False,
    runtime: Runtime,
) -> "VideoDecoder":
    """Video files, sampled by time (fps), by count (frame_step) or whole."""
    sampling = Sampling.of(fps=fps, step=frame_step, start=start, stop=stop)
    return VideoDecoder(sampling, runtime.threads, key_frames=key_frames)


class VideoDecoder:
    """Opens video files with one sampling rule."""

    def __init__(self, sampling: Sampling, threads: int, *, key_frames: bool) -> None:
        self._sampling = sampling
        self._threads = threads
        self._key_frames = key_frames

    def open(
        self,
        path: str,
        *,
        shard: Shard | None = None,
        careful: bool = False,
        alive: Callable[[], None] = lambda: None,
    ) -> "VideoMedium":
        """Open one file; see `analyzer.stages.decode.Decoder`."""
        descriptor = source.open_file(path)
        try:
            size = os.fstat(descriptor).st_size
            stamps = _files.stamps(path, descriptor) if self._key_frames else None
            index = None if shard is None else _files.packets_of(path, descriptor, alive)
            container = _files.open_container(path, descriptor)
        finally:
            os.close(descriptor)
        try:
            medium = VideoMedium(
                path,
                container,
                size,
                self._sampling,
                threads=1 if careful else self._threads,
                stamps=stamps,
                read_index=None if careful or shard else lambda: _files.index_of(path, alive),
            )
            if shard is not None:
                medium.restrict(shard, index, careful=careful, alive=alive)
            return medium
        except BaseException:
            container.close()
            raise

    def pictures(self, path: str, times_s: Sequence[float]) -> Iterator[U8 | None]:
        """Find some pictures again; see `analyzer.stages.decode.Decoder`."""
        with self.open(path) as medium:
            # The clock of a file may run through, though that of its container need not.
            steady = not medium.clock_jumps or _files.index_of(path, lambda: None) is not None
            yield from medium.pictures(times_s, seek=steady)


class VideoMedium:
    """One open video; see `analyzer.stages.decode.Medium`.

    With the timestamps of all pictures, only key frames are decoded, and each is a shot.

    Attributes:
        clock_jumps: whether the container's clock may break off, and its length is an estimate.
    """

    def __init__(
        self,
        path: str,
        container: Any,
        size: int,
        sampling: Sampling,
        *,
        threads: int,
        stamps: list[Fraction] | None,
        read_index: Callable[[], Index | None] | None,
    ) -> None:
        stream = container.streams.best("video")
        if stream is None:
            raise InputError(f"{path}: no picture in it, only sound or data")
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = threads
        stream.codec_context.options = {"max_pixels": str(source.MAX_PIXELS)}
        if stamps is not None:
            stream.codec_context.skip_frame = "NONKEY"
        self._container, self._stream, self._sampling = container, stream, sampling
        self._stamps, self._read_index = stamps, read_index
        kind = container.format.name
        self._origin = Fraction(container.start_time or 0, av.time_base)
        self.clock_jumps = _files.clock_jumps(container)
        self._clock = Clock(self._origin, jumps=self.clock_jumps)
        self._reformatter = VideoReformatter()
        self.frames_decoded = 0
        self.damaged = int(kind == "mpegts" and all(size % n for n in _PACKET_BYTES))
        self.missing_s = 0.0
        self.reached_end = False
        self.needs_care = False
        self._is_exact = threads == 1
        self._share: tuple[Fraction | None, Fraction | None] | None = (None, None)
        self._index: Index | None = None
        self._alive: Callable[[], None] = lambda: None
        self._begins_at = 0
        self._end = Fraction(0)
        self.info = self._describe(path, size)
        self._pictures = PictureStream(container, stream)
        self._first = next(self._pictures, None)
        if self._first is None:
            raise InputError(
                f"{path}: no picture can be decoded; the file is damaged, or its pictures are "
                f"larger than {source.MAX_SIDE_PX} x {source.MAX_SIDE_PX}"
            )
        first = self._first.picture
        self._quarter_turns = round(first.rotation / 90) % 4
        self._stored_size = first.width, first.height
        self._size = self._square_pixels(*self._stored_size)
        width, height = self._size if self._quarter_turns % 2 == 0 else self._size[::-1]
        self.info = replace(self.info, width_px=width, height_px=height)

    def __enter__(self) -> "VideoMedium":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        self._container.close()

    def restrict(
        self, shard: Shard, index: Index | None, *, careful: bool, alive: Callable[[], None]
    ) -> None:
        """Look at one shard only.

        Args:
            shard: which.
            index: of all packets; without one, the first shard has it all.
            careful: decode from the start, whatever the shard.
            alive: called often during work that yields no frames yet.
        """
        self._alive, self._is_exact = alive, careful
        # A frame step counts pictures from the start, and how many damage has cost nobody knows
        # who has not decoded them.
        self._index = None if careful or self._sampling.step else index
        if index is not None:
            self._share = index.share(shard, self._sampling, self._origin)
        elif shard.number > 0:
            self._share = None
        if shard.number > 0:
            self.damaged = 0

    @property
    def range_s(self) -> tuple[float, float]:
        """See `analyzer.stages.decode.Medium`."""
        begin, end = self._share or (None, None)
        return float(begin or 0), self.info.duration_s if end is None else float(end)

    def frames(self, watcher: Watcher | None = None) -> Iterator[Frame]:
        """Yield the sampled frames; see `analyzer.stages.decode.Medium`.

        A sample is held back until the next one (or the end) tells how long it stands for.
        """
        held: Frame | None = None
        planned = None if watcher else self._plan()
        for shown in self._planned(planned) if planned else self._sampled(watcher):
            if held is not None:
                yield replace(held, duration_s=float(shown.time) - held.time_s)
            held = self._frame(shown)
        if held is not None:
            yield replace(held, duration_s=float(self._end) - held.time_s)

    def pictures(self, times_s: Sequence[float], *, seek: bool) -> Iterator[U8 | None]:
        """Find some pictures again; see `analyzer.stages.decode.Decoder`.

        Args:
            times_s: ascending.
            seek: whether timestamps say where a picture is; otherwise all are decoded.
        """
        if seek and self._first is not None and stamp(self._first.picture) is not None:
            found = sought(self._container, self._stream, self._origin, times_s)
        else:
            found = walked(self._shown(None), times_s)
        yield from (None if picture is None else self._image(picture) for picture in found)

    def _plan(self) -> sparse.SparsePlan | None:
        """What to decode, where not all pictures need be."""
        tells = self._stream.codec_context.name == sparse.CODEC and not self.clock_jumps
        whole = self._stamps is not None or self._sampling.is_dense
        if self._read_index is None or whole or not tells:
            return None
        index = self._read_index()
        return None if index is None else sparse.plan(index, self._sampling, self._origin)

    def _planned(self, plan: sparse.SparsePlan) -> Iterator[Shown]:
        """The sampled pictures, and little else decoded."""
        assert self._first is not None
        try:
            for number, when, picture in sparse.chosen(self._first, self._pictures, plan):
                time = when - self._origin
                self._end = time + self._length(picture)
                self.frames_decoded = number + 1
                source.require_duration(self.info.uri, float(time))
                if number in plan.samples:
                    yield Shown(number, picture, time, self._end)
        except sparse.Doubt:
            self.needs_care = True
            return
        if plan.stops:
            self._end = self._sampling.stop or self._end
        self._compare()

    def _sampled(self, watcher: Watcher | None) -> Iterator[Shown]:
        """The sampled pictures, and all pictures decoded."""
        for shown, before in self._own(watcher):
            if self._sampling.wants(shown.index, shown.time, before, cut=shown.cut):
                yield shown

    def _own(self, watcher: Watcher | None) -> Iterator[tuple[Shown, Fraction | None]]:
        """The pictures of the shots that begin in the share, to the end of the last of them.

        Yields:
            A picture, and when the one before it was shown, whoever owns that.
        """
        if self._share is None:
            return
        begin, end = self._share
        owns, before = begin is None, None
        for shown in watched(self._shown(watcher), watcher, self._stored_size):
            if shown.damage and not self._is_exact:
                self.needs_care = True
                return
            if self._sampling.ends(shown.time):
                self._end = self._sampling.stop or self._end
                break
            source.require_duration(self.info.uri, float(shown.time))
            if end is not None and shown.time >= end and (shown.cut or not owns):
                self._end = shown.time
                return
            if not owns and begin is not None and shown.cut and shown.time >= begin:
                owns, self._begins_at = True, shown.index
            if owns:
                self._count(shown, watcher)
                yield shown, before
            else:
                self._alive()
            before = shown.time
        self.needs_care = self._pictures.left_over > 0 and not self._is_exact
        if owns:
            self._compare()

    def _count(self, shown: Shown, watcher: Watcher | None) -> None:
        """Take note of a picture that is looked at, sampled or not."""
        self._end = shown.end
        self.frames_decoded += 1
        self.damaged += shown.damage
        if watcher is not None and shown.small is not None:
            watcher.take(shown.small)

    def _shown(self, watcher: Watcher | None) -> Iterator[Shown]:
        """Every picture with its number and its times, from where decoding begins."""
        end = Fraction(0)
        for index, decoded in enumerate(self._decoded(watcher)):
            picture = decoded.picture
            time = self._clock.time(stamp(picture), end)
            end = time + self._length(picture)
            if self._stamps is None:
                yield Shown(index, picture, time, end, decoded.damage)
            else:
                yield self._key_frame(decoded, time, self._stamps)

    def _decoded(self, watcher: Watcher | None) -> Iterator[DecodedPicture]:
        """The pictures from the start, or from shortly before the share."""
        begin = self._share and self._share[0]
        if self._index and begin is not None and watcher:
            entry = self._index.entry(begin + self._origin, before=watcher.lookback + 1)
            if self._pictures.skip(entry, self._alive):
                return self._pictures
        assert self._first is not None
        return chain([self._first], self._pictures)

    def _key_frame(self, decoded: DecodedPicture, time: Fraction, stamps: list[Fraction]) -> Shown:
        """A key frame; its number is that of the pictures before it, decoded or not."""
        picture = decoded.picture
        index = bisect_left(stamps, stamp(picture) or time + self._origin)
        end = stamps[-1] - self._origin + self._length(picture)
        return Shown(index, picture, time, max(time, end), decoded.damage, cut=True)

    def _frame(self, shown: Shown) -> Frame:
        return Frame(
            index=shown.index - self._begins_at,
            time_s=float(shown.time),
            duration_s=0.0,
            image=self._image(shown.picture),
            cut=shown.cut,
        )

    def _compare(self) -> None:
        """Hold what was decoded against what the container states; what was decoded counts."""
        self.reached_end = True
        self.damaged += self._pictures.left_over
        stop, end = self._sampling.stop, self._end
        wanted = self._stated_s if stop is None else min(self._stated_s, float(stop))
        # The length of an MPEG stream is an estimate: one damaged timestamp makes hours of it.
        if not self.clock_jumps and wanted - float(end) > _SLACK_S:
            self.missing_s = wanted - float(end)
        if stop is None and (self.missing_s or self.clock_jumps or end > self.info.duration_s):
            self.info = replace(self.info, duration_s=float(end))

    def _length(self, picture: VideoFrame) -> Fraction:
        """How long a picture is shown, in seconds."""
        if picture.duration and picture.time_base is not None:
            return picture.duration * picture.time_base
        rate = self._stream.average_rate or self._stream.guessed_rate
        return 1 / Fraction(rate) if rate else Fraction(0)

    def _image(self, picture: VideoFrame) -> U8:
        """Convert to RGB with square pixels, upright, in the size of the first picture."""
        picture = self._reformatter.reformat(picture, *self._size, "rgb24")
        image = picture.to_ndarray()
        return np.ascontiguousarray(np.rot90(image, self._quarter_turns))

    def _square_pixels(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of a stored picture once its pixels are square."""
        aspect = self._stream.sample_aspect_ratio or Fraction(1)
        size = max(1, round(width * aspect)), height
        source.require_size(self.info.uri, *size)
        return size

    def _describe(self, path: str, size_bytes: int) -> MediaInfo:
        """What the container states, checked before a picture is decoded."""
        stream, length = self._stream, (self._container.duration or 0) / av.time_base
        self._stated_s = length
        if stream.duration and stream.time_base is not None:
            end = float((stream.start_time or 0) + stream.duration) * float(stream.time_base)
            self._stated_s = min(length or end, end - float(self._origin))
        if self._sampling.stop is None and not self.clock_jumps:
            source.require_duration(path, self._stated_s)
        source.require_size(path, stream.width, stream.height)
        return MediaInfo(
            uri=path,
            kind="video",
            width_px=stream.width,
            height_px=stream.height,
            frame_rate=stream.average_rate,
            duration_s=length,
            size_bytes=size_bytes,
        )
