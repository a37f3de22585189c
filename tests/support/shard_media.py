"""Media of many kinds, which shards must see as the whole sees them."""

import random
from collections.abc import Callable
from pathlib import Path

from tests.support import media

SCENES = ("testsrc=s=160x90", "mandelbrot=s=160x90", "smptebars=s=160x90", "testsrc2=s=160x90",
          "gradients=s=160x90:seed=1:c0=white:c1=black", "rgbtestsrc=s=160x90")  # fmt: skip


def scenes(path: Path, *options: str, lengths: tuple[float, ...] = (1.2, 0.4, 2, 0.8, 1.5)) -> Path:
    """Shots of these lengths in seconds, at 25 pictures a second, with sound."""
    inputs = [f"{SCENES[i % len(SCENES)]}:r=25" for i in range(len(lengths))]
    cut = ";".join(
        f"[{i}]trim=duration={length},setsar=1,format=yuv420p[v{i}]"
        for i, length in enumerate(lengths)
    )
    joined = "".join(f"[v{i}]" for i in range(len(lengths)))
    media.ffmpeg(
        *(word for source in inputs for word in ("-f", "lavfi", "-i", source)),
        "-f", "lavfi", "-i", f"sine=duration={sum(lengths)}",
        "-filter_complex", f"{cut};{joined}concat=n={len(lengths)}[v]",
        "-map", "[v]", "-map", f"{len(lengths)}:a", "-g", "12", *options, path,
    )  # fmt: skip
    return path


def variable_rate(path: Path) -> Path:
    whole = scenes(path.with_name("whole.mp4"))
    media.ffmpeg("-i", whole, "-vf", "select='not(mod(n,3))+lt(n,30)'", "-fps_mode", "vfr",
                 "-g", "9", path)  # fmt: skip
    return path


def black_bars(path: Path) -> Path:
    """Bars that only the second half is without."""
    whole = scenes(path.with_name("whole.mp4"))
    bars = "drawbox=h=20:c=black:t=fill:enable='lt(t,3)'"
    media.ffmpeg("-i", whole, "-vf", bars, "-g", "12", path)
    return path


def sound_goes_on(path: Path) -> Path:
    whole = scenes(path.with_name("whole.mp4"))
    media.ffmpeg("-i", whole, "-f", "lavfi", "-i", "sine=duration=12", "-map", "0:v", "-map", "1:a",
                 "-c:v", "copy", path)  # fmt: skip
    return path


def noisy(path: Path, *, share: int = 400) -> Path:
    """A few of the bytes are others."""
    data, chance = bytearray(scenes(path).read_bytes()), random.Random(1)
    for _ in range(len(data) // share):
        data[chance.randrange(len(data) // 5, len(data) * 4 // 5)] = chance.randrange(256)
    path.write_bytes(data)
    return path


def broken_clock(path: Path) -> Path:
    """The second half begins at zero again."""
    halves = [scenes(path.with_suffix(f".{n}.ts")) for n in (1, 2)]
    path.write_bytes(b"".join(half.read_bytes() for half in halves))
    return path


def two_sizes(path: Path) -> Path:
    small = scenes(path.with_suffix(".1.ts"))
    large = path.with_suffix(".2.ts")
    media.ffmpeg("-i", small, "-vf", "scale=320:180", "-output_ts_offset", "5.9", large)
    path.write_bytes(small.read_bytes() + large.read_bytes())
    return path


def coded(*options: str) -> Callable[[Path], Path]:
    return lambda path: scenes(path, *options)


H264 = "-x264-params"
MAKERS: dict[str, Callable[[Path], Path]] = {
    "plain.mp4": scenes,
    "plain.mkv": scenes,
    "plain.ts": scenes,
    "open groups.mp4": coded(H264, "open-gop=1:bframes=3:keyint=12:scenecut=0:b-adapt=0"),
    "open groups.ts": coded(H264, "open-gop=1:bframes=3:keyint=12:scenecut=0:b-adapt=0"),
    "no key frames.mp4": coded(H264, "intra-refresh=1:keyint=12"),
    "mpeg2.mpg": coded("-c:v", "mpeg2video", "-bf", "2", "-q:v", "4"),
    "mpeg2.ts": coded("-c:v", "mpeg2video", "-bf", "2", "-q:v", "4"),
    "mpeg4.avi": coded("-c:v", "mpeg4", "-q:v", "4"),
    "vp9.webm": coded("-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus"),
    "one key frame.mp4": coded("-g", "999", "-sc_threshold", "0"),
    "no cut.mp4": lambda path: media.video(path, size="160x90", seconds=4),
    "one picture.mp4": lambda path: media.video(path, rate="25", seconds=0.04),
    "variable rate.mp4": variable_rate,
    "black bars.mp4": black_bars,
    "sound goes on.mp4": sound_goes_on,
    "noisy.mp4": noisy,
    "a little noisy.mp4": lambda path: noisy(path, share=40_000),
    "a little noisy.ts": lambda path: noisy(path, share=40_000),
    "noisy.ts": noisy,
    "noisy.mkv": noisy,
    "broken clock.ts": broken_clock,
    "two sizes.ts": two_sizes,
}
