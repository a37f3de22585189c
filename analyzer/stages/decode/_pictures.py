"""Packets become pictures, each with the damage that was met on the way to it."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av.error
from av.packet import Packet
from av.video.frame import VideoFrame

from analyzer.files.containers import is_of_storage, is_out_of_memory
from analyzer.stages.decode._fit import ShapeFit
from analyzer.stages.decode._stamps import timestamp


@dataclass(frozen=True)
class DecodedPicture:
    """A picture out of the decoder."""

    picture: VideoFrame
    damage: int
    """Number of damaged packets and pictures that come after the picture before."""


def packets(container: Any, stream: Any) -> Iterator[Any]:
    """Yield all packets of a stream in the order of the file, and an empty one at the end.

    `None` stands for a packet that cannot be read.
    """
    try:
        yield from container.demux(stream)
    except av.error.EOFError:
        return
    except IndexError:
        # PyAV's demuxer ends at packets of streams that were not there when it began: damage has
        # feigned them, or another film was joined on.
        yield None
    except av.error.FFmpegError as error:
        if _is_of_machine(error):
            raise
        yield None


def _is_of_machine(error: Exception) -> bool:
    """Return whether an error is no damage of a file; FFmpeg's errors are the system's as well."""
    return is_out_of_memory(error) or is_of_storage(error)


class PictureStream:
    """The pictures of a stream in presentation order; damaged packets are counted and skipped.

    Packets before the first picture are no damage: recordings begin in mid-stream. A damaged
    packet is counted with the picture shown at its time or after it, not with the one that the
    decoder gives back next: how far that lags behind depends on its threads.

    Args:
        container: Open container.
        stream: Stream of the pictures.
        fit: Size and shape of the first picture; `None`: it is the first that comes.

    Attributes:
        left_over: Damage behind the last picture; valid at the end.
        position: Position of the last packet in the file, in bytes; `None` where it is unknown.
        fit: See above.
    """

    def __init__(self, container: Any, stream: Any, fit: ShapeFit | None = None) -> None:
        self.left_over, self.fit = 0, fit or ShapeFit()
        self.position: int | None = None
        self._packets = packets(container, stream)
        self._stream, self._codec = stream, stream.codec_context
        self._skips: Sequence[str | None] = ()
        self._fresh: frozenset[int] = frozenset()
        self._taken = 0
        self._is_over = False
        self._reset()

    def _reset(self) -> None:
        """Return to the state before the first packet."""
        self._ready: deque[VideoFrame] = deque()
        self._begun = False
        self._failures = 0
        self._corrupt: list[Fraction] = []

    def __iter__(self) -> "PictureStream":
        return self

    def __next__(self) -> DecodedPicture:
        while not self._ready and not self._is_over:
            self._advance()
        if not self._ready:
            self.left_over += self._damage(None)
            raise StopIteration
        picture = self._ready.popleft()
        # Without a damaged packet, no time is needed.
        until = timestamp(picture) if self._corrupt else None
        damage = self._damage(until) + picture.is_corrupt
        if not self._begun:
            # What refers to pictures before the start is no damage; a key frame refers to none.
            self._begun, damage = True, int(picture.is_corrupt and picture.key_frame)
        return DecodedPicture(picture, damage)

    def peek(self, count: int) -> list[VideoFrame]:
        """Return the next pictures, at most so many, which still come out afterwards."""
        while len(self._ready) < count and not self._is_over:
            self._advance()
        return list(self._ready)[:count]

    def skip(self, number: int, alive: Callable[[], None]) -> bool:
        """Go on with a later packet, as if decoding began there.

        Args:
            number: Number of the packet, from 0.
            alive: Callback, called with each packet that is passed over.

        Returns:
            Whether that packet was still ahead; otherwise nothing happens.
        """
        if number <= self._taken:
            return False
        while self._taken < number and next(self._packets, None) is not None:
            self._taken += 1
            alive()
        self._codec.flush_buffers()
        self._reset()
        return True

    def choose(self, skips: Sequence[str | None], fresh: frozenset[int]) -> None:
        """Let the decoder leave pictures out, from the next packet on.

        Args:
            skips: For every packet of the stream, the pictures that are left out, as FFmpeg names
                them; `None`: the decoder is not given the packet.
            fresh: Numbers of the packets with which decoding starts again.
        """
        self._skips, self._fresh = skips, fresh

    def _decode(self, packet: Any) -> list[VideoFrame]:
        """Give a packet to the decoder, unless the packet is to be left out."""
        number = self._taken - 1
        if number < len(self._skips):
            skip = self._skips[number]
            if skip is None:
                return []
            before = self._drained() if number in self._fresh else []
            self._codec.skip_frame = skip
            return [*before, *packet.decode()]
        return packet.decode()

    def _drained(self) -> list[VideoFrame]:
        """Return the pictures that the decoder still holds, and make it forget all pictures."""
        # The next pictures would be taken to refer to what it remembers.
        end: Any = Packet()
        end.stream, end.time_base = self._stream, self._stream.time_base
        held: list[VideoFrame] = end.decode()
        self._codec.flush_buffers()
        return held

    def _advance(self) -> None:
        """Take the next packet."""
        try:
            packet = next(self._packets)
            self._taken += 1
            if packet is None:
                self._failures += self._begun
                return
            if packet.size:
                self.position = packet.pos
            decoded = self._decode(packet)
            aspect = self._codec.sample_aspect_ratio if decoded else None
            self._ready += [self.fit.fitted(picture, aspect) for picture in decoded]
        except (StopIteration, av.error.EOFError):
            self._is_over = True
        except av.error.FFmpegError as error:
            if _is_of_machine(error):
                raise
            self._failures += self._begun
        else:
            if packet.is_corrupt:
                self._note_damage(packet)

    def _note_damage(self, packet: Any) -> None:
        """Remember a damaged packet until a picture comes that is shown with it or later."""
        if packet.pts is None:
            self._failures += self._begun
        else:
            self._corrupt.append(packet.pts * packet.time_base)

    def _damage(self, until: Fraction | None) -> int:
        """Return the damage up to a time and forget it; without a time, all that is left."""
        passed = [s for s in self._corrupt if until is None or s <= until]
        self._corrupt = [s for s in self._corrupt if until is not None and s > until]
        failures, self._failures = self._failures, 0
        return failures + len(passed)
