"""Which sound of a medium an mp4 can hold, and as what; found by trying."""

import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error

from analyzer.export import _addresses, _encoder
from analyzer.files.containers import explained

_COPIED = ("aac", "ac3", "alac", "eac3", "mp3", "opus")
"""Codecs that players expect in an mp4."""
_AAC_CHANNELS = (1, 2, 3, 4, 5, 6, 8)
"""Numbers of channels that AAC has a code for; others are mixed to two."""
_SURROUND, _STEREO = 6, 2
_MAX_RATE, _USUAL_RATE = 96_000, 48_000
_TRIED_FRAMES = 10
_TRIAL_S = 60


@dataclass(frozen=True)
class Sound:
    """A stream of sound that the mp4 gets."""

    index: int
    """Number of the stream in the medium."""
    codec: Mapping[str, Any]
    """Options of ffmpeg for its encoder, without their stream: `c`, `ac`, `ar`."""


def choose(
    url: str, name: str, command: str, folder: str, *, encoded: bool
) -> tuple[tuple[Sound, ...], tuple[str, ...]]:
    """Return the streams of sound that an mp4 can hold, and a note for each of the others.

    Each is copied; else it becomes AAC, else AAC in stereo at 48 kHz.

    Args:
        url: Address of the medium, for ffmpeg.
        name: Name of the medium, for messages.
        command: Path of ffmpeg.
        folder: Folder for the trials.
        encoded: Whether to copy none.

    Raises:
        InputError: The medium cannot be read any more.
    """
    sounds, notes = [], []
    opening = explained(name, "cannot be read any more", cure="was it moved?")
    options = _addresses.OPEN_OPTIONS
    with opening, av.open(url, options=options, metadata_errors="replace") as container:
        streams = [(stream.index, *_parameters(stream)) for stream in container.streams.audio]
    for number, (index, codec, channels, rate) in enumerate(streams, 1):
        name = f"mp4: sound {number} ({codec or 'unknown codec'}) is left out: "
        if not channels or not rate:
            notes.append(name + "it is announced, but there is none")
            continue
        for options in _candidates(codec, channels, rate, encoded=encoded):
            if _is_taken(url, index, options, command, folder):
                sounds.append(Sound(index, options))
                break
        else:
            notes.append(name + "it can be neither copied nor encoded anew")
    return tuple(sounds), tuple(notes)


def as_aac(sound: Sound) -> Sound:
    """Return a stream of sound that is encoded anew, and not copied."""
    return Sound(sound.index, {**sound.codec, "c": "aac"})


def _parameters(stream: Any) -> tuple[str, int, int]:
    """Return codec, number of channels and sampling rate; empty or 0 where they are unknown."""
    context = stream.codec_context
    if context is None:
        return "", 0, 0
    return context.name.removesuffix("float"), context.channels or 0, context.sample_rate or 0


def _candidates(codec: str, channels: int, rate: int, *, encoded: bool) -> list[dict[str, Any]]:
    """Return options for an encoder, the best first."""
    plain: dict[str, Any] = {"c": "aac"}
    if channels not in _AAC_CHANNELS:
        plain["ac"] = _STEREO
    elif channels == _SURROUND:
        plain["ac"] = _SURROUND  # 5.1 as it is usual, whatever the loudspeakers' names
    if rate > _MAX_RATE:
        plain["ar"] = _USUAL_RATE
    stereo = {"c": "aac", "ac": min(channels, _STEREO), "ar": _USUAL_RATE}
    copied = [{"c": "copy"}] if codec in _COPIED and not encoded else []
    return [*copied, plain, stereo]


def _is_taken(url: str, index: int, options: Mapping[str, Any], command: str, folder: str) -> bool:
    """Return whether ffmpeg makes an mp4 with the beginning of a stream of sound."""
    trial = Path(folder, "trial.mp4")
    argv = [
        *(command, "-v", "error", "-y"),
        *(text for key, value in _addresses.OPEN_OPTIONS.items() for text in (f"-{key}", value)),
        *("-i", url, "-map", f"0:{index}", "-frames:a", str(_TRIED_FRAMES)),
        *(text for key, value in options.items() for text in (f"-{key}:a", str(value))),
        *("-f", "mp4", f"file:{trial}"),
    ]
    try:
        ended = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_TRIAL_S,
            env=_encoder.environment(folder),
        )
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0 and _has_sound(trial)


def _has_sound(path: Path) -> bool:
    """Return whether a file has a packet of sound."""
    with (
        suppress(av.error.FFmpegError, OSError),
        av.open(str(path), metadata_errors="replace") as container,
    ):
        return any(packet.size for packet in container.demux(audio=0))
    return False
