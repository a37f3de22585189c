"""Packets become pictures, each with the damage that was met on the way to it."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av.error
from av.packet import Packet
from av.video.frame import VideoFrame


@dataclass(frozen=True)
class DecodedPicture:
    """A picture out of the decoder."""

    picture: VideoFrame
    damage: int
    """Damaged packets and pictures, of those that come after the picture before."""


def packets(container: Any, stream: Any) -> Iterator[Any]:
    """All packets of a stream in the order of the file, and at the end one without anything.

    ``None`` stands for what cannot be read.
    """
    try:
        yield from container.demux(stream)
    except (IndexError, av.error.EOFError):
        # IndexError: the end of PyAV's demuxer, where damage has feigned more streams.
        return
    except (OSError, MemoryError):
        raise
    except av.error.FFmpegError:
        yield None


class PictureStream:
    """The pictures of a stream in presentation order; damaged packets are counted and skipped.

    What stands before the first picture is no damage: recordings begin in mid-stream. A damaged
    packet is counted with the picture shown at its time or after it, not with the one that the
    decoder gives back next: how far that lags behind depends on its threads.

    Attributes:
        left_over: damage behind the last picture; known at the end.
    """

    def __init__(self, container: Any, stream: Any) -> None:
        self.left_over = 0
        self._packets = packets(container, stream)
        self._stream, self._codec = stream, stream.codec_context
        self._skips: Sequence[str | None] = ()
        self._fresh: frozenset[int] = frozenset()
        self._taken = 0
        self._is_over = False
        self._forget()

    def _forget(self) -> None:
        """Be as before the first packet."""
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
        damage = self._damage(stamp(picture)) + picture.is_corrupt
        if not self._begun:
            self._begun, damage = True, 0
        return DecodedPicture(picture, damage)

    def skip(self, number: int, alive: Callable[[], None]) -> bool:
        """Go on with a later packet, as if decoding began there.

        Args:
            number: of the packet, from 0.
            alive: called with each packet that is passed over.

        Returns:
            Whether that packet was not taken yet; otherwise nothing happens.
        """
        if number <= self._taken:
            return False
        while self._taken < number and next(self._packets, None) is not None:
            self._taken += 1
            alive()
        self._codec.flush_buffers()
        self._forget()
        return True

    def choose(self, skips: Sequence[str | None], fresh: frozenset[int]) -> None:
        """From the next packet on, let the decoder leave pictures out.

        Args:
            skips: of every packet of the stream, which pictures are left out, as FFmpeg names
                them; ``None``: the decoder is not given the packet.
            fresh: numbers of the packets with which decoding begins anew.
        """
        self._skips, self._fresh = skips, fresh

    def _decode(self, packet: Any) -> list[VideoFrame]:
        """Give a packet to the decoder, unless it is not to have it."""
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
        """What the decoder still holds; it then knows of no picture."""
        # What it knew would be taken for what the next pictures refer to.
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
            self._ready += self._decode(packet)
        except (StopIteration, av.error.EOFError):
            self._is_over = True
        except (OSError, MemoryError):
            raise
        except av.error.FFmpegError:
            self._failures += self._begun
        else:
            if packet.is_corrupt:
                self._note(packet)

    def _note(self, packet: Any) -> None:
        """Remember a damaged packet until a picture comes that is shown with it or later."""
        if packet.pts is None:
            self._failures += self._begun
        else:
            self._corrupt.append(packet.pts * packet.time_base)

    def _damage(self, until: Fraction | None) -> int:
        """Take out the damage up to a time; all that is left, without one."""
        met = [s for s in self._corrupt if until is None or s <= until]
        self._corrupt = [s for s in self._corrupt if until is not None and s > until]
        failures, self._failures = self._failures, 0
        return failures + len(met)


def stamp(picture: VideoFrame) -> Fraction | None:
    """When a picture is shown, in seconds of the container; ``None`` where nobody says."""
    if picture.pts is None or picture.time_base is None:
        return None
    return picture.pts * picture.time_base
