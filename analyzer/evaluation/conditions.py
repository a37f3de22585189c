"""Conditions under which a labelled video is analysed: its rate, brightness and compression."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from analyzer.errors import InputError
from analyzer.files.ffmpeg import find_ffmpeg

_FINE_CRF = 10
"""Compression of a variant that only its gamma sets apart."""
_MAX_S = 3600


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One way to analyse a video."""

    fps: float | None = None
    """Pictures a second; `None` for all."""
    gamma: float = 1.0
    """Exponent of the brightness: below 1 darker, above 1 brighter, as ffmpeg's filter `eq`."""
    crf: int | None = None
    """Quality at which libx264 encodes it anew, 0 (best) to 51; `None` for the file as it is."""

    def __str__(self) -> str:
        rate = "every frame" if self.fps is None else f"{self.fps:g} fps"
        gamma = "" if self.gamma == 1 else f"gamma {self.gamma:g}"
        crf = "" if self.crf is None else f"crf {self.crf}"
        return ", ".join(filter(None, (rate, gamma, crf)))

    @property
    def is_source(self) -> bool:
        """Whether the file is analysed as it is."""
        return self.gamma == 1 and self.crf is None


def every(
    rates: Iterable[float | None], gammas: Iterable[float], crfs: Iterable[int | None]
) -> tuple[Condition, ...]:
    """Return each combination of rates, gammas and compressions."""
    return tuple(Condition(fps=r, gamma=g, crf=c) for r, g, c in product(rates, gammas, crfs))


def variant(video: Path, condition: Condition, folder: Path) -> Path:
    """Return the video as the condition has it, encoded anew where it differs from the source.

    Times of pictures stay to 0.02 s: sound may begin earlier in the copy. A variant that is there
    already is not made again.

    Args:
        video: Path of the source.
        condition: Its gamma and compression; its rate does not matter.
        folder: Folder for variants.

    Raises:
        InputError: Ffmpeg cannot read or encode the video.
        MissingDependency: There is no ffmpeg with libx264.
    """
    if condition.is_source:
        return video
    crf = _FINE_CRF if condition.crf is None else condition.crf
    target = folder / f"{video.stem}.gamma{condition.gamma:g}.crf{crf}.mp4"
    if not target.exists():
        command = [find_ffmpeg(), "-v", "error", "-i", f"file:{video.absolute()}"]
        command += ["-map", "0:v:0", "-map", "0:a:0?", "-vf", f"eq=gamma={condition.gamma:g}"]
        command += ["-fps_mode", "passthrough", "-c:v", "libx264", "-preset", "veryfast"]
        # The number of threads changes x264's output.
        command += ["-threads", "2", "-crf", str(crf), "-c:a", "copy", str(target)]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_MAX_S, check=False
        )
        if done.returncode:
            target.unlink(missing_ok=True)
            said = done.stderr.decode(errors="replace").strip()
            raise InputError(f"{video}: no variant with {condition} can be made: {said}")
    return target
