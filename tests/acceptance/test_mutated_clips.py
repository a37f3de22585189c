"""5,000 damaged clips in 12 containers: each is read, or refused with its name.

Run as a script, this file reads a batch of clips, and prints a line for each.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from analyzer.errors import InputError
from analyzer.inference.runtime import Runtime
from analyzer.stages.decode import video
from tests.support import media
from tests.support.processes import ROOT

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
CLIPS = int(os.environ.get("INA_TEST_CLIPS", "5000"))
BATCH = 250
LIMIT_S = 600


CONTAINERS = {
    ".mp4": ["-c:v", "libx264", "-bf", "2", "-c:a", "aac"],
    ".mov": ["-c:v", "mjpeg", "-c:a", "pcm_s16le"],
    ".mkv": ["-c:v", "libx264", "-c:a", "libmp3lame"],
    ".webm": ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libvorbis"],
    ".avi": ["-c:v", "mpeg4", "-c:a", "libmp3lame"],
    ".flv": ["-c:v", "flv1", "-c:a", "libmp3lame"],
    ".ts": ["-c:v", "libx264", "-c:a", "aac"],
    ".mpg": ["-c:v", "mpeg2video", "-c:a", "mp2"],
    ".ogv": ["-c:v", "libtheora", "-c:a", "libvorbis"],
    ".wmv": ["-c:v", "wmv2", "-c:a", "wmav2"],
    ".mxf": ["-c:v", "mpeg2video", "-c:a", "pcm_s16le", "-ar", "48000"],
    ".nut": ["-c:v", "ffv1", "-c:a", "pcm_s16le"],
}
"""Suffix -> codecs of a clip in that container."""
MAX_BYTES = 1 << 30
"""Memory that reading one clip may take."""
CLIP_LIMIT_S = 20
"""Time that reading one clip may take."""


def clips(folder: Path) -> list[Path]:
    """Make a whole clip in each container: a third of a second, 96 x 64 pixels."""
    paths = []
    for suffix, codecs in CONTAINERS.items():
        path = folder / f"whole{suffix}"
        size = ["-vf", "scale=720:576"] if suffix == ".mxf" else []
        media.ffmpeg(
            "-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=0.32", "-f", "lavfi", "-i",
            "sine=d=0.32:r=44100", *size, "-pix_fmt", "yuv420p" if suffix != ".mov" else "yuvj420p",
            *codecs, "-ac", "2", "-g", "4", path,
        )  # fmt: skip
        paths.append(path)
    return paths


def mutated(whole: bytes, other: bytes, chance: random.Random) -> bytes:
    """Return a damaged clip.

    Args:
        whole: Bytes of a clip.
        other: Bytes of another clip, which may be joined on.
        chance: Source of all that is random.
    """
    data = bytearray(whole)
    kind = chance.choice(("flip", "header", "flip", "cut", "join", "splice", "zero", "repeat"))
    if kind == "flip":
        for _ in range(chance.choice((1, 4, 16, 64, 256))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif kind == "header":
        for _ in range(chance.choice((1, 3, 9))):
            data[chance.randrange(min(2048, len(data)))] = chance.randrange(256)
    elif kind == "cut":
        del data[chance.randrange(1, len(data)) :]
    elif kind == "join":
        data += other[chance.randrange(len(other) // 2) :]
    elif kind == "splice":
        at = chance.randrange(len(data))
        data[at : at + chance.randrange(1, 4096)] = other[-chance.randrange(1, 4096) :]
    elif kind == "zero":
        at, length = chance.randrange(len(data)), chance.randrange(1, 2048)
        data[at : at + length] = bytes(min(length, len(data) - at))
    else:
        at = chance.randrange(len(data))
        data[at:at] = data[at : at + chance.randrange(1, 8192)]
    return bytes(data)


def batch(wholes: list[Path], seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of some damaged clips, the same for each seed."""
    chance = random.Random(seed)
    data = {path: path.read_bytes() for path in wholes}
    for number in range(count):
        path, other = chance.choice(wholes), chance.choice(wholes)
        yield f"{seed}-{number}{path.suffix}", mutated(data[path], data[other], chance)


def outcome(path: Path) -> str:
    """Read a clip to its end, and two pictures again; return how that ended, in a word."""
    decoder = video.create(fps=5, runtime=Runtime(threads=1))
    try:
        with decoder.open(str(path)) as medium:
            times = [frame.time_s for frame in medium.frames()]
        found = list(decoder.pictures(str(path), times[:2]))
        assert len(found) == len(times[:2])
    except InputError as error:
        return "input" if str(path) in str(error) else f"nameless: {error}"
    except MemoryError:
        return "memory"
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"
    return "done"


def peak_mib() -> int:
    """This process's own peak memory; `ru_maxrss` would include that of the process it left."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) >> 10


def _read_batch(folder: Path, seed: int, count: int) -> None:
    """Read a batch of clips; a clip that takes too long or too much ends the process."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    clip = folder / f"{seed}"
    for name, data in batch(sorted(folder.glob("whole.*")), seed, count):
        path = clip.with_suffix(Path(name).suffix)
        path.write_bytes(data)
        signal.alarm(CLIP_LIMIT_S)
        began = time.monotonic()
        print(json.dumps([name, "began", 0, 0]), flush=True)
        how = outcome(path)
        print(json.dumps([name, how, time.monotonic() - began, peak_mib()]), flush=True)
        path.unlink()


def read_batch(folder: Path, seed: int) -> list[tuple[str, str, float, int]]:
    """Read a batch in a process of its own: name, outcome, seconds and MiB of each clip."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.acceptance.test_mutated_clips",
            folder,
            str(seed),
            str(BATCH),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    lines = [tuple(json.loads(line)) for line in done.stdout.splitlines()]
    ended = [line for line in lines if line[1] != "began"]
    if done.returncode:
        ended.append((lines[-1][0], f"ended with {done.returncode}", 0.0, 0))
    return ended


def test_every_damaged_clip_is_done_or_refused_with_its_name(tmp_path: Path) -> None:
    """Decoding alone is tried: no exception but one, no hang, no more than 1 GiB."""
    clips(tmp_path)
    with ThreadPoolExecutor(2) as pool:
        seeds = range(-(-CLIPS // BATCH))
        results = [line for lines in pool.map(lambda s: read_batch(tmp_path, s), seeds)
                   for line in lines]  # fmt: skip
    bad = [(name, how) for name, how, *_ in results if how not in ("done", "input")]
    assert bad == []
    assert len(results) >= CLIPS
    suffixes = Counter(Path(name).suffix for name, *_ in results)
    assert len(suffixes) == 12
    assert min(suffixes.values()) > CLIPS / 24
    assert [line for line in results if line[3] >= MAX_BYTES >> 20] == []
    ends = Counter(how for _, how, *_ in results)
    assert ends["done"] > CLIPS / 10
    assert ends["input"] > CLIPS / 50


if __name__ == "__main__":
    _read_batch(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
