"""The picture stream of an open container, checked, with its first picture decoded."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import av
from av.video.frame import VideoFrame

from analyzer.errors import InputError
from analyzer.files import source
from analyzer.files.containers import created_of, picture_stream, timecode_of
from analyzer.stages.decode import _files
from analyzer.stages.decode._clock import longest_pause_s
from analyzer.stages.decode._orientation import Orientation, orientation
from analyzer.stages.decode._pictures import DecodedPicture, PictureStream
from analyzer.stages.decode._sampling import Sampling
from analyzer.stages.decode._second_film import has_second_film
from analyzer.stages.decode._stamps import PEEKED, Stamps, lacks_presentation, may_reorder, run_back
from analyzer.stages.decode._timeline import Timeline, timeline_of
from analyzer.types import MediaInfo

_PACKET_BYTES = (188, 192, 204)
"""Of MPEG transport streams: plain, with timestamps, with error correction."""


@dataclass(frozen=True, kw_only=True)
class StreamFacts:
    """Facts about a video, from its container and its first picture."""

    info: MediaInfo
    """Description of the medium; the size is that of upright pictures with square pixels."""
    codec: str
    """Name of the codec, as FFmpeg has it."""
    timeline: Timeline
    """What the stamps mean on the player's clock."""
    by_decoding: bool
    """Whether the pictures have stamps of decoding only."""
    reorders: bool
    """Whether the decoder is known to reorder pictures."""
    stated_end_s: float
    """End of the pictures according to the container, in seconds of the player's clock."""
    clock_jumps: bool
    """Whether the container's clock may break off, and its length is an estimate."""
    is_live: bool
    """Whether stamps may be those of a live stream, and the length with them."""
    is_truncated: bool
    """Whether the file ends in the middle of a packet, or with another film that is not read."""
    stored_size: tuple[int, int]
    """Width and height of the first picture as it is stored."""
    square_size: tuple[int, int]
    """Width and height of that picture once its pixels are square."""
    orientation: Orientation
    """How the pictures become upright. It is that of the first one: a codec that states it does so
    with some pictures only."""

    @property
    def longest_pause_s(self) -> int:
        """Longest step ahead of the container's clock, in seconds, that is no break of it."""
        return longest_pause_s(jumps=self.clock_jumps, is_live=self.is_live)


@dataclass(frozen=True)
class OpenStream:
    """A picture stream with what is needed to read it."""

    container: Any
    """Open container, of PyAV."""
    stream: Any
    """Its stream of pictures, of PyAV."""
    facts: StreamFacts
    first: DecodedPicture
    """The first picture."""
    following: PictureStream
    """The pictures after the first."""

    def stamps(self) -> Stamps:
        """Return what says which stamp of the pictures counts, from the first or any other on."""
        return Stamps(by_decoding=self.facts.by_decoding, reorders=self.facts.reorders)

    @property
    def has_order(self) -> bool:
        """Whether packets tell the order in which pictures are shown."""
        return not (self.facts.by_decoding and may_reorder(self.stream))

    def length(self, picture: VideoFrame) -> Fraction:
        """Return how long a picture is shown, in seconds."""
        unit = picture.time_base
        if not picture.duration or not unit:
            return self.facts.timeline.length(None)
        stated = Fraction(picture.duration * unit.numerator, unit.denominator)
        return self.facts.timeline.length(stated)


def open_stream(
    path: str,
    container: Any,
    size_bytes: int,
    *,
    sampling: Sampling,
    threads: int,
    key_frames: bool,
) -> OpenStream:
    """Open the picture stream of a container.

    Args:
        path: Path of the file, for messages and for the description of the medium.
        container: Open container; the caller closes it, also after an error.
        size_bytes: Size of the file.
        sampling: Rule that selects the pictures; with a stop, long media are accepted.
        threads: Number of threads that the decoder may use; 0: one for each core.
        key_frames: Whether to decode key frames only.

    Raises:
        InputError: No picture, or over the limits of `analyzer.files.source`.
    """
    stream = _picture_stream(path, container, threads, key_frames)
    clock_jumps, is_live = _files.clock_jumps(container), _files.is_live(container)
    stated_end_s = _stated_end_s(container, stream)
    if sampling.stop is None and not (clock_jumps or is_live):
        source.require_duration(path, stated_end_s)
    info = _media_info(path, container, stream, size_bytes)
    following = PictureStream(container, stream)
    first = next(following, None)
    if first is None:
        raise InputError(
            f"{path}: no picture can be decoded; the file is damaged, or its pictures are "
            f"larger than {source.MAX_SIDE_PX} x {source.MAX_SIDE_PX}"
        )
    picture = first.picture
    by_decoding = _has_stamps_of_decoding(
        container, stream, first, following, key_frames=key_frames
    )
    reorders = bool(stream.codec_context.has_b_frames)
    stamps = Stamps(by_decoding=by_decoding, reorders=reorders)
    timeline = timeline_of(container, stream, stamps.of(picture))
    square_size, stored_size = _square_size(path, stream, picture), (picture.width, picture.height)
    towards, note = orientation(picture)
    facts = StreamFacts(
        info=_sized(info, square_size, stored_size, towards, timeline, note),
        codec=stream.codec_context.name,
        timeline=timeline,
        by_decoding=by_decoding,
        reorders=reorders,
        stated_end_s=stated_end_s,
        clock_jumps=clock_jumps,
        is_live=is_live,
        is_truncated=_is_truncated(container, size_bytes) or has_second_film(path, container),
        stored_size=stored_size,
        square_size=square_size,
        orientation=towards,
    )
    return OpenStream(container, stream, facts, first, following)


def _sized(
    info: MediaInfo,
    square_size: tuple[int, int],
    stored_size: tuple[int, int],
    towards: Orientation,
    timeline: Timeline,
    note: str,
) -> MediaInfo:
    """Return the facts of a medium with those that its first picture tells."""
    width, height = towards.size(square_size)
    return replace(
        info,
        width_px=width,
        height_px=height,
        frame_rate=timeline.mean_rate,
        start_s=round(float(timeline.origin), 6),
        stored_px=towards.size(stored_size),
        notes=(note,) if note else (),
    )


def _picture_stream(path: str, container: Any, threads: int, key_frames: bool) -> Any:
    """Return the stream of the pictures, with a decoder set up; see `open_stream`."""
    stream = picture_stream(container)
    if stream is None:
        raise InputError(f"{path}: {_files.NO_PICTURE}")
    if stream.codec_context is None:
        raise InputError(f"{path}: no decoder knows the format of its pictures; convert it")
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = threads
    stream.codec_context.options = {"max_pixels": str(source.MAX_PIXELS)}
    if key_frames:
        stream.codec_context.skip_frame = "NONKEY"
    return stream


def _has_stamps_of_decoding(
    container: Any,
    stream: Any,
    first: DecodedPicture,
    following: PictureStream,
    *,
    key_frames: bool,
) -> bool:
    """Return whether the pictures have stamps of decoding only; the first ones show it."""
    if lacks_presentation(container):
        return True
    if key_frames or not stream.codec_context.has_b_frames:
        return False
    return run_back([first.picture, *following.peek(PEEKED - 1)])


def _stated_end_s(container: Any, stream: Any) -> float:
    """Return the end of the pictures according to the container, on the player's clock."""
    length = (container.duration or 0) / av.time_base
    if not stream.duration or not stream.time_base:
        return length
    end = float((stream.start_time or 0) + stream.duration) * float(stream.time_base)
    return min(length or end, end - (container.start_time or 0) / av.time_base)


def _media_info(path: str, container: Any, stream: Any, size_bytes: int) -> MediaInfo:
    """Return the container's description of a medium, checked before a picture is decoded."""
    source.require_size(path, stream.width, stream.height)
    return MediaInfo(
        uri=path,
        kind="video",
        width_px=stream.width,
        height_px=stream.height,
        frame_rate=None,
        duration_s=(container.duration or 0) / av.time_base,
        size_bytes=size_bytes,
        timecode=timecode_of(container, stream),
        created=created_of(container, stream),
    )


def _square_size(path: str, stream: Any, picture: VideoFrame) -> tuple[int, int]:
    """Return width and height of a stored picture once its pixels are square."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    size = max(1, round(picture.width * aspect)), picture.height
    source.require_size(path, *size)
    return size


def _is_truncated(container: Any, size_bytes: int) -> bool:
    """Return whether a transport stream ends in the middle of a packet."""
    return container.format.name == "mpegts" and all(size_bytes % n for n in _PACKET_BYTES)
