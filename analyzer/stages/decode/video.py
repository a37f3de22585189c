"""Video through PyAV (the FFmpeg libraries), with exact presentation times."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from analyzer.errors import InputError
from analyzer.files import source
from analyzer.files.containers import explained
from analyzer.inference.runtime import Runtime
from analyzer.stages.decode import Watcher, _files
from analyzer.stages.decode._frames import AllFrames, KeyFrames
from analyzer.stages.decode._index import PacketIndex
from analyzer.stages.decode._line import TimedPicture
from analyzer.stages.decode._medium import OpenMedium
from analyzer.stages.decode._moments import PictureScan, PictureSeek
from analyzer.stages.decode._readers import Reader, Sequential, sparse_reader, trusted
from analyzer.stages.decode._sampling import Sampling
from analyzer.stages.decode._share import WHOLE, Share, around_segment, share_of
from analyzer.stages.decode._stream import OpenStream, open_stream
from analyzer.stages.decode._timeline import STEADY
from analyzer.types import U8, Frame
from joblist.shard import Shard


def create(
    *,
    fps: float | None = None,
    frame_step: int | None = None,
    start: float | None = None,
    stop: float | None = None,
    segment: bool = False,
    key_frames: bool = False,
    runtime: Runtime,
) -> "VideoDecoder":
    """Return a decoder of video files, sampled by time (`fps`), by count (`frame_step`) or whole.

    Args:
        fps: Samples a second.
        frame_step: Every how many frames a sample is taken.
        start: Time of the first sample at the earliest, in seconds.
        stop: Time before which samples are taken, in seconds.
        segment: Whether these samples are those that the whole medium has there; then some around
            them come, too.
        key_frames: Whether to decode key frames only; each is a shot.
        runtime: Runtime with the number of threads.
    """
    sampling = Sampling.of(fps=fps, step=frame_step, start=start, stop=stop, segment=segment)
    return VideoDecoder(sampling, runtime.threads, key_frames=key_frames)


class VideoDecoder:
    """Opens video files with one sampling rule.

    Args:
        sampling: Rule that selects the pictures.
        threads: Number of threads for decoding; 0: one for each core.
        key_frames: Whether to decode key frames only.
    """

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
        with explained(path):
            return self._open(path, shard, careful, alive)

    def _open(
        self, path: str, shard: Shard | None, careful: bool, alive: Callable[[], None]
    ) -> "VideoMedium":
        descriptor = source.open_file(path)
        try:
            size_bytes = os.fstat(descriptor).st_size
            index = None
            is_sought = self._sampling.can_seek and not careful
            if shard is not None or self._key_frames or is_sought:
                index = _files.index_of_descriptor(path, descriptor, alive)
            container = _files.open_container(path, descriptor)
        finally:
            os.close(descriptor)
        try:
            if self._key_frames and index is not None and not index.is_clear:
                index = None  # key frames alone do not show whether its stamps are right
            opened = open_stream(
                path,
                container,
                size_bytes,
                sampling=self._sampling,
                threads=1 if careful else self._threads,
                key_frames=self._key_frames and index is not None,
            )
            return self._medium(opened, trusted(index, opened), shard, careful, alive)
        except BaseException:
            container.close()
            raise

    def _medium(
        self,
        opened: OpenStream,
        index: PacketIndex | None,
        shard: Shard | None,
        careful: bool,
        alive: Callable[[], None],
    ) -> "VideoMedium":
        """Return a medium with the readers that suit it; the arguments are those of `open`."""
        timeline, share = opened.facts.timeline, WHOLE
        sampling = self._sampling.at_rate(timeline.rate)
        if shard is not None:
            share = share_of(shard, index, sampling=sampling, timeline=timeline, careful=careful)
        elif index is not None and not self._key_frames:
            share = around_segment(index, sampling=sampling, timeline=timeline)
        frames = AllFrames(opened, share, alive)
        if self._key_frames:
            frames = KeyFrames(opened, index)
        sequential = Sequential(
            opened,
            frames,
            sampling=sampling,
            share=share,
            # Who begins in mid-stream: then one thread alone makes no decoding exact.
            is_exact=careful or (share is WHOLE and self._threads == 1),
            takes_cuts=not self._key_frames,
            alive=alive,
        )

        def sparse() -> Reader | None:
            is_plain = shard is None and not self._key_frames and not careful
            return sparse_reader(opened, sampling, alive) if is_plain else None

        # The counts of shards are added up: only the first one counts the end of the file.
        is_first = shard is None or shard.number == 0
        damaged = int(opened.facts.is_truncated and is_first)
        return VideoMedium(opened, share, sequential, sparse=sparse, damaged=damaged)

    def pictures(self, path: str, times_s: Sequence[float]) -> Iterator[U8 | None]:
        """Find some pictures again; see `analyzer.stages.decode.Decoder`."""
        with explained(path), self.open(path) as medium, ExitStack() as others:
            seek, scan = medium.seeker(), None
            for time_s in times_s:
                picture = None if seek is None else seek.at(time_s)
                if picture is None:
                    # Some containers cannot be sought in, or not everywhere.
                    scan = scan or others.enter_context(self.open(path)).scanner()
                    picture = scan.at(time_s)
                yield None if picture is None else medium.image(picture)


class VideoMedium(OpenMedium):
    """One open video; see `analyzer.stages.decode.Medium`.

    Args:
        opened: Stream of which only the first picture was decoded.
        share: The part that is read.
        sequential: Reader of all pictures.
        sparse: Function that returns a reader which decodes little; `None` where there is none.
        damaged: Number of damages that are known before the first picture is read.
    """

    def __init__(
        self,
        opened: OpenStream,
        share: Share,
        sequential: Reader,
        *,
        sparse: Callable[[], Reader | None],
        damaged: int,
    ) -> None:
        super().__init__(opened.facts.info, damaged=damaged)
        self._opened, self._share = opened, share
        self._sequential, self._sparse = sequential, sparse
        self._reformatter = VideoReformatter()

    def close(self) -> None:
        """Release the file."""
        self._opened.container.close()

    @property
    def range_s(self) -> tuple[float, float]:
        """See `analyzer.stages.decode.Medium`."""
        begin, end = self._share.begin, self._share.end
        return float(begin or 0), self.info.duration_s if end is None else float(end)

    def frames(self, watcher: Watcher | None = None) -> Iterator[Frame]:
        """Yield the sampled frames; see `analyzer.stages.decode.Medium`.

        A sample is held back until its duration is known from the next one, or from the end.
        """
        with explained(self.info.uri):
            yield from self._frames(watcher)

    def _frames(self, watcher: Watcher | None) -> Iterator[Frame]:
        reader = (None if watcher else self._sparse()) or self._sequential
        held: Frame | None = None
        damaged = self.damaged
        for shown in reader.samples(self, watcher):
            image = self.image(shown.picture)
            if image is None:
                self.damaged += 1
                continue
            frame = _frame(shown, image)
            if held is not None:
                yield replace(held, duration_s=frame.time_s - held.time_s)
            held = frame
        if held is not None:
            yield replace(held, duration_s=float(reader.end) - held.time_s)
        elif self._share is WHOLE and self.reached_end and self.damaged == damaged:
            raise InputError(self._nothing_chosen())

    def _nothing_chosen(self) -> str:
        """Return why no picture was chosen."""
        first = float(self._opened.facts.timeline.first)
        return (
            f"{self.info.uri}: no frame to analyse; its first picture comes at {first:.3f} s, and "
            f"it ends at {max(first, self.info.duration_s):.3f} s: check --start and --stop"
        )

    @property
    def stream(self) -> OpenStream:
        """The stream, for readers of `stored_pictures`."""
        return self._opened

    def stored_pictures(self) -> Iterator[TimedPicture]:
        """Yield all pictures as they are stored, with the numbers and times of `frames`.

        They come instead of `frames`, not beside it.
        """
        return AllFrames(self._opened).pictures(None)

    def seeker(self) -> PictureSeek | None:
        """Return what finds single pictures by seeking; `None` where stamps do not lead there."""
        opened, facts = self._opened, self._opened.facts
        if not opened.has_order or opened.stamps().of(opened.first.picture) is None:
            return None
        if not opened.container.format.name.startswith(STEADY):
            index = _files.index_of_path(facts.info.uri, lambda: None)
            if index is None:
                return None
        return PictureSeek(opened)

    def scanner(self) -> PictureScan:
        """Return what finds single pictures among all of a medium that was not yet read."""
        return PictureScan(AllFrames(self._opened).pictures(None))

    def image(self, picture: VideoFrame) -> U8 | None:
        """Convert to RGB with square pixels, upright, in the size of the first picture.

        Returns:
            Picture (H, W, 3) uint8; `None` where damage leaves it without valid colours.
        """
        facts = self._opened.facts
        try:
            scaled = self._reformatter.reformat(picture, *facts.square_size, "rgb24")
        except av.error.FFmpegError:
            return None
        return facts.orientation.upright(np.asarray(scaled.to_ndarray(), np.uint8))


def _frame(shown: TimedPicture, image: U8) -> Frame:
    """Return a sample, which has no duration yet."""
    return Frame(
        index=shown.index,
        time_s=float(shown.time),
        duration_s=0.0,
        image=image,
        cut=shown.cut,
    )
