"""Video through PyAV (the FFmpeg libraries), with exact presentation times."""

import os
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from typing import Any

import av
import av.error
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from analyzer import source
from analyzer.decode import Watcher
from analyzer.decode._clock import Clock
from analyzer.decode._line import Shown, watched
from analyzer.decode._sampling import Sampling
from analyzer.errors import InputError
from analyzer.runtime import Runtime
from analyzer.types import U8, Frame, MediaInfo

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

    def open(self, path: str) -> "VideoMedium":
        """Open one file; see `analyzer.decode.Decoder`."""
        descriptor = source.open_file(path)
        try:
            size = os.fstat(descriptor).st_size
            stamps = _stamps(path, descriptor) if self._key_frames else None
            container = _open(path, descriptor)
        finally:
            os.close(descriptor)
        try:
            return VideoMedium(
                path, container, size, self._sampling, threads=self._threads, stamps=stamps
            )
        except BaseException:
            container.close()
            raise


def _stamps(path: str, descriptor: int) -> list[Fraction]:
    """The timestamps of all pictures in order, in seconds, without decoding any."""
    with _open(path, descriptor) as container:
        stream = container.streams.best("video")
        packets = () if stream is None else container.demux(stream)
        stamps = [p.pts * p.time_base for p in packets if p.pts is not None and not p.is_discard]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return sorted(stamps)


def _open(path: str, descriptor: int) -> Any:
    """Open a container that can read from this descriptor, and from nothing else."""
    options = {
        "fd": str(descriptor),
        "protocol_whitelist": "fd",
        "format_whitelist": source.CONTAINERS,
        "max_pixels": str(source.MAX_PIXELS),
    }
    try:
        return av.open("fd:", options=options)
    except (av.error.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"{path}: not a video that can be read ({reason}); does it play in VLC?"
        ) from error


class VideoMedium:
    """One open video; see `analyzer.decode.Medium`.

    With the timestamps of all pictures, only key frames are decoded, and each is a shot.
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
        self._stamps = stamps
        kind = container.format.name
        self._origin = Fraction(container.start_time or 0, av.time_base)
        self._estimated = kind.startswith("mpeg")
        self._clock = Clock(self._origin, jumps=self._estimated)
        self._reformatter = VideoReformatter()
        self.frames_decoded = 0
        self.damaged = int(kind == "mpegts" and all(size % n for n in _PACKET_BYTES))
        self.missing_s = 0.0
        self.info = self._describe(path)
        self._pictures = self._decode()
        first = next(self._pictures, None)
        if first is None:
            raise InputError(
                f"{path}: no picture can be decoded; the file is damaged, or its pictures are "
                f"larger than {source.MAX_SIDE_PX} x {source.MAX_SIDE_PX}"
            )
        self._pictures = chain([first], self._pictures)
        self._quarter_turns = round(first.rotation / 90) % 4
        self._size = self._square_pixels(first.width, first.height)
        width, height = self._size if self._quarter_turns % 2 == 0 else self._size[::-1]
        self.info = replace(self.info, width_px=width, height_px=height)

    def __enter__(self) -> "VideoMedium":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        self._container.close()

    def frames(self, watcher: Watcher | None = None) -> Iterator[Frame]:
        """Yield the sampled frames; see `analyzer.decode.Medium`.

        A sample is held back until the next one (or the end) tells how long it stands for.
        """
        held: Frame | None = None
        before: Fraction | None = None
        end = Fraction(0)
        for shown in watched(self._shown(), watcher):
            if self._sampling.ends(shown.time):
                end = self._sampling.stop or end
                break
            source.require_duration(self.info.uri, float(shown.time))
            end = shown.end
            if self._sampling.wants(shown.index, shown.time, before, cut=shown.cut):
                if held is not None:
                    yield replace(held, duration_s=float(shown.time) - held.time_s)
                held = self._frame(shown)
            before = shown.time
        self._compare(end)
        if held is not None:
            yield replace(held, duration_s=float(end) - held.time_s)

    def _shown(self) -> Iterator[Shown]:
        """Every picture with its number and its times."""
        end = Fraction(0)
        for index, picture in enumerate(self._pictures):
            time = self._clock.time(_stamp(picture), end)
            end = time + self._length(picture)
            if self._stamps is None:
                yield Shown(index, picture, time, end)
            else:
                yield self._key_frame(picture, time, self._stamps)

    def _key_frame(self, picture: VideoFrame, time: Fraction, stamps: list[Fraction]) -> Shown:
        """A key frame; its number is that of the pictures before it, decoded or not."""
        index = bisect_left(stamps, _stamp(picture) or time + self._origin)
        end = stamps[-1] - self._origin + self._length(picture)
        return Shown(index, picture, time, max(time, end), cut=True)

    def _frame(self, shown: Shown) -> Frame:
        return Frame(
            index=shown.index,
            time_s=float(shown.time),
            duration_s=0.0,
            image=self._image(shown.picture),
            cut=shown.cut,
        )

    def _compare(self, end: Fraction) -> None:
        """Hold what was decoded against what the container states; what was decoded counts."""
        stop = self._sampling.stop
        wanted = self._stated_s if stop is None else min(self._stated_s, float(stop))
        # The length of an MPEG stream is an estimate: one damaged timestamp makes hours of it.
        if not self._estimated and wanted - float(end) > _SLACK_S:
            self.missing_s = wanted - float(end)
        if stop is None and (self.missing_s or self._estimated or end > self.info.duration_s):
            self.info = replace(self.info, duration_s=float(end))

    def _decode(self) -> Iterator[VideoFrame]:
        """Yield every picture in presentation order; a damaged packet is counted and skipped.

        What stands before the first picture is no damage: recordings begin in mid-stream.
        """
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
                pictures = packet.decode()
            except (StopIteration, IndexError, av.error.EOFError):
                # IndexError: the end of PyAV's demuxer, where damage has feigned more streams.
                return
            except (OSError, MemoryError):
                raise
            except av.error.FFmpegError:
                self.damaged += self.frames_decoded > 0
                continue
            self.damaged += packet.is_corrupt and self.frames_decoded > 0
            for picture in pictures:
                self.damaged += picture.is_corrupt and self.frames_decoded > 0
                self.frames_decoded += 1
                yield picture

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

    def _describe(self, path: str) -> MediaInfo:
        """What the container states, checked before a picture is decoded."""
        stream, length = self._stream, (self._container.duration or 0) / av.time_base
        self._stated_s = length
        if stream.duration and stream.time_base is not None:
            end = float((stream.start_time or 0) + stream.duration) * float(stream.time_base)
            self._stated_s = min(length or end, end - float(self._origin))
        if self._sampling.stop is None and not self._estimated:
            source.require_duration(path, self._stated_s)
        source.require_size(path, stream.width, stream.height)
        return MediaInfo(
            uri=path,
            kind="video",
            width_px=stream.width,
            height_px=stream.height,
            frame_rate=stream.average_rate,
            duration_s=length,
        )


def _stamp(picture: VideoFrame) -> Fraction | None:
    if picture.pts is None or picture.time_base is None:
        return None
    return picture.pts * picture.time_base
