"""Video through PyAV (the FFmpeg libraries), with exact presentation times."""

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

from analyzer.decode._sampling import Sampling
from analyzer.decode._source import OPEN_OPTIONS, local_file
from analyzer.errors import InputError
from analyzer.runtime import Runtime
from analyzer.types import U8, Frame, MediaInfo


def create(
    *,
    fps: float | None = None,
    frame_step: int | None = None,
    start: float | None = None,
    stop: float | None = None,
    runtime: Runtime,
) -> "VideoDecoder":
    """Video files, sampled by time (fps), by count (frame_step) or whole."""
    sampling = Sampling.of(fps=fps, step=frame_step, start=start, stop=stop)
    return VideoDecoder(sampling, runtime.threads)


class VideoDecoder:
    """Opens video files with one sampling rule."""

    def __init__(self, sampling: Sampling, threads: int) -> None:
        self._sampling = sampling
        self._threads = threads

    def open(self, path: str) -> "VideoMedium":
        """Open one file; see `analyzer.decode.Decoder`."""
        url = local_file(path)
        try:
            container = av.open(url, options=OPEN_OPTIONS)
        except (av.error.FFmpegError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(
                f"{path}: not a video that can be read ({reason}); does it play in VLC?"
            ) from error
        try:
            return VideoMedium(path, container, self._sampling, self._threads)
        except BaseException:
            container.close()
            raise


class VideoMedium:
    """One open video; see `analyzer.decode.Medium`."""

    def __init__(self, path: str, container: Any, sampling: Sampling, threads: int) -> None:
        stream = container.streams.best("video")
        if stream is None:
            raise InputError(f"{path}: no picture in it, only sound or data")
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = threads
        self._container, self._stream, self._sampling = container, stream, sampling
        self._origin = Fraction(container.start_time or 0, av.time_base)
        self._reformatter = VideoReformatter()
        self.frames_decoded = 0
        self.packets_damaged = 0
        self._pictures = self._decode()
        first = next(self._pictures, None)
        if first is None:
            raise InputError(f"{path}: no picture can be decoded; the file is damaged")
        self._pictures = chain([first], self._pictures)
        self._quarter_turns = round(first.rotation / 90) % 4
        self.info = self._describe(path, first)

    def __enter__(self) -> "VideoMedium":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        self._container.close()

    def frames(self) -> Iterator[Frame]:
        """Yield the sampled frames; see `analyzer.decode.Medium`.

        A sample is held back until the next one (or the end) tells how long it stands for.
        """
        held: Frame | None = None
        before: Fraction | None = None
        end = Fraction(0)
        for index, picture in enumerate(self._pictures):
            time = self._time(picture, end)
            if self._sampling.ends(time):
                end = self._sampling.stop or end
                break
            end = time + self._length(picture)
            if self._sampling.wants(index, time, before):
                if held is not None:
                    yield replace(held, duration_s=float(time) - held.time_s)
                image = self._image(picture)
                held = Frame(index=index, time_s=float(time), duration_s=0.0, image=image)
            before = time
        if held is not None:
            yield replace(held, duration_s=float(end) - held.time_s)

    def _decode(self) -> Iterator[VideoFrame]:
        """Yield every picture in presentation order; a damaged packet is counted and skipped."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
                pictures = packet.decode()
            except StopIteration:
                return
            except av.error.EOFError:
                return
            except av.error.InvalidDataError:
                self.packets_damaged += 1
                continue
            for picture in pictures:
                self.frames_decoded += 1
                yield picture

    def _time(self, picture: VideoFrame, expected: Fraction) -> Fraction:
        """Seconds on the player's clock; a picture without a timestamp follows the one before."""
        if picture.pts is None or picture.time_base is None:
            return expected
        return picture.pts * picture.time_base - self._origin

    def _length(self, picture: VideoFrame) -> Fraction:
        """How long a picture is shown, in seconds."""
        if picture.duration and picture.time_base is not None:
            return picture.duration * picture.time_base
        rate = self._stream.average_rate or self._stream.guessed_rate
        return 1 / Fraction(rate) if rate else Fraction(0)

    def _image(self, picture: VideoFrame) -> U8:
        """Convert to RGB with square pixels, upright."""
        width, height = self._square_pixels(picture)
        picture = self._reformatter.reformat(picture, width, height, "rgb24")
        image = picture.to_ndarray()
        return np.ascontiguousarray(np.rot90(image, self._quarter_turns))

    def _square_pixels(self, picture: VideoFrame) -> tuple[int, int]:
        """Width and height of the stored picture once its pixels are square."""
        aspect = self._stream.sample_aspect_ratio or Fraction(1)
        return round(picture.width * aspect), picture.height

    def _describe(self, path: str, first: VideoFrame) -> MediaInfo:
        width, height = self._square_pixels(first)
        if self._quarter_turns % 2:
            width, height = height, width
        length = self._container.duration or 0
        return MediaInfo(
            uri=path,
            kind="video",
            width_px=width,
            height_px=height,
            frame_rate=self._stream.average_rate,
            duration_s=length / av.time_base,
        )
