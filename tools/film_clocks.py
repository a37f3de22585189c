"""Print what PyAV, OpenCV, ffprobe and this project say of the times of films with odd clocks.

::

    python tools/film_clocks.py [--write PAGE]

Each film is made of a stream of constant rate, so that its times are known. `docs/decoding.md`
holds the table; tests make the same films.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import cv2

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from analyzer.files.ffmpeg import find_ffmpeg  # noqa: E402
from analyzer.inference.runtime import Runtime  # noqa: E402
from analyzer.stages.decode import video  # noqa: E402

BEGIN, END = "<!-- film clocks: begin -->", "<!-- film clocks: end -->"
_FLV_HEADER, _FLV_TAG, _FLV_PICTURE = 13, 11, 9
_CLUSTER, _CLUSTER_TIME = bytes.fromhex("1f43b675"), 0xE7
_REORDERED = ("-c:v", "libx264", "-bf", "3", "-g", "12", "-sc_threshold", "0")
_PLAIN = ("-c:v", "libx264", "-bf", "0", "-g", "12")


def pattern(size: str | None, rate: str) -> tuple[str, ...]:
    """Return the input of ffmpeg that shows a moving pattern, without sound.

    Args:
        size: Width and height in pixels, as `64x48`, which is the default.
        rate: Pictures a second, as a number or a fraction.
    """
    return "-f", "lavfi", "-i", f"testsrc2=size={size or '64x48'}:rate={rate}"


Source = Callable[[str | None, str], tuple[str, ...]]
"""Function of size and rate; the inputs of ffmpeg that a film is made of."""


class Maker(Protocol):
    """Function that makes a film at a path; of the moving pattern, if nothing else is given."""

    def __call__(self, path: Path, source: Source = pattern) -> None:
        """Make a film."""


@dataclass(frozen=True)
class Film:
    """A film with an odd clock."""

    name: str
    """Name of the file."""
    oddity: str
    """What is odd about its clock."""
    make: Maker
    """Function that makes it at a path, of some source."""
    first: Fraction
    """Time of its first picture in seconds."""
    follows: str
    """What this project follows, and why."""
    notes: str = ""
    """Beginning of the note about it; empty where nothing had to be mended."""
    rate: Fraction = Fraction(25)
    """Pictures a second of its stream."""
    count: int = 50
    """Number of its pictures."""

    @property
    def times(self) -> list[float]:
        """True time of each picture in seconds."""
        return [float(self.first + number / self.rate) for number in range(self.count)]


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg quietly; fail loudly."""
    command = [find_ffmpeg(), "-v", "error", "-y", "-nostdin", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def encoded(*options: str, rate: str = "25", size: str | None = None, count: int = 50) -> Maker:
    """Return a function that makes a film of some pictures."""

    def make(path: Path, source: Source = pattern) -> None:
        # The number of pictures would end the sound too early, as it is encoded later.
        seconds = f"{float((count - Fraction(1, 2)) / Fraction(rate)):.6f}"
        ffmpeg(*source(size, rate), "-t", seconds, "-pix_fmt", "yuv420p", *options, path)

    return make


def remuxed(*options: str, rate: str = "25") -> Maker:
    """Return a function that makes a film by copying the stream of another."""

    def make(path: Path, source: Source = pattern) -> None:
        plain = path.with_name("stream.mkv")
        encoded(*_REORDERED, rate=rate)(plain, source)
        ffmpeg("-i", plain, "-c", "copy", *options, path)

    return make


def joined(*options: str, lead: Sequence[str] = ()) -> Maker:
    """Return a function that joins two films of 25 pictures, byte by byte.

    Args:
        options: Options of the encoder.
        lead: Options of the first film alone.
    """

    def make(path: Path, source: Source = pattern) -> None:
        parts = [path.with_name(f"part{number}{path.suffix}") for number in (1, 2)]
        for part, more in zip(parts, (lead, ()), strict=True):
            encoded(*options, *more, count=25)(part, source)
        begin = _FLV_HEADER if path.suffix == ".flv" else 0
        path.write_bytes(parts[0].read_bytes() + parts[1].read_bytes()[begin:])

    return make


def live(after: int, shift_ms: int, *options: str) -> Maker:
    """Return a function that makes an FLV with a clock that breaks off.

    Args:
        after: Number of pictures, as they are decoded, before the break.
        shift_ms: What is added to the stamps behind it, in milliseconds; those of sound, too.
        options: Options of the encoder.
    """

    def make(path: Path, source: Source = pattern) -> None:
        encoded(*options)(path, source)
        data, at, pictures = bytearray(path.read_bytes()), _FLV_HEADER, 0
        while at < len(data):
            length = int.from_bytes(data[at + 1 : at + 4], "big")
            if data[at] == _FLV_PICTURE and data[at + 12] == 1:  # a picture, and no header
                pictures += 1
            if pictures > after:
                stamp = int.from_bytes(data[at + 4 : at + 7], "big") | data[at + 7] << 24
                stamp += shift_ms
                data[at + 4 : at + 7] = (stamp & 0xFFFFFF).to_bytes(3, "big")
                data[at + 7] = stamp >> 24
            at += _FLV_TAG + length + 4
        path.write_bytes(data)

    return make


def rewound(path: Path, source: Source = pattern) -> None:
    """Make a Matroska file; from the middle on, its clusters begin at zero again."""
    encoded(*_PLAIN, "-cluster_time_limit", "100", "-write_crc32", "0")(path, source)
    data = bytearray(path.read_bytes())
    places, at = [], data.find(_CLUSTER)
    while at >= 0:
        place = at + 4 + 9 - data[at + 4].bit_length()  # behind the number of its bytes
        if data[place] == _CLUSTER_TIME:
            places.append((place + 2, data[place + 1] & 0x7F))
        at = data.find(_CLUSTER, at + 4)
    stamps = [int.from_bytes(data[place : place + size], "big") for place, size in places]
    middle = len(places) // 2
    for (place, size), stamp in list(zip(places, stamps, strict=True))[middle:]:
        data[place : place + size] = (stamp - stamps[middle]).to_bytes(size, "big")
    path.write_bytes(data)


_RUNS_ON = "the rate: times run on over the break"
_BY_ORDER = "the stamps of decoding, as ffprobe, to the last picture"
_BACK, _AHEAD, _UNTIMED = "its clock goes back 1 time", "its clock jumps ahead 1 time", "50 of its"
FILMS = (
    Film("joined.flv", "two recordings, one behind the other", joined(*_PLAIN), Fraction(0),
         _RUNS_ON, _BACK),
    Film("joined, reordered.flv", "the same with B-frames", joined(*_REORDERED), Fraction(0),
         _RUNS_ON, _BACK),
    Film("joined.ts", "the same as a broadcast", joined(*_REORDERED), Fraction(0), _RUNS_ON, _BACK),
    Film("wrapped.ts", "33 bits are full between two recordings",
         joined(*_PLAIN, lead=("-output_ts_offset", "95400")), Fraction(0), _RUNS_ON, _AHEAD),
    Film("full.ts", "33 bits are full within one recording",
         encoded(*_REORDERED, "-output_ts_offset", "95441.8"), Fraction(0), "the stamps"),
    Film("rewound.mkv", "its clusters begin anew", rewound, Fraction(0), _RUNS_ON, _BACK),
    Film("live.flv", "its clock jumps ahead by 5.6 h", live(10, 20_000_000, *_PLAIN), Fraction(0),
         _RUNS_ON, _AHEAD),
    Film("live, days.flv", "its clock jumps ahead by 23 days",
         live(10, 2_000_000_000, *_REORDERED), Fraction(0), _RUNS_ON, _AHEAD),
    Film("back in a group.flv", "its clock goes back by 0.6 s among B-frames",
         live(18, -600, *_REORDERED), Fraction(0), _RUNS_ON, _BACK),
    Film("earlier.ts", "two recordings, the second begins an hour earlier",
         joined(*_REORDERED, lead=("-output_ts_offset", "3600")), Fraction(0), _RUNS_ON, _AHEAD),
    Film("h264.avi", "no stamps of presentation", encoded(*_REORDERED), Fraction(2, 25), _BY_ORDER,
         _UNTIMED),
    Film("mpeg4.avi", "no stamps of presentation", encoded("-c:v", "mpeg4", "-bf", "2"),
         Fraction(1, 25), _BY_ORDER, _UNTIMED),
    Film("h264.asf", "no stamps of presentation", encoded(*_REORDERED), Fraction(2, 25), _BY_ORDER,
         _UNTIMED),
    Film("mpeg2.asf", "stamps of presentation that are guessed",
         encoded("-c:v", "mpeg2video", "-bf", "2"), Fraction(1, 25), _BY_ORDER, _UNTIMED),
    Film("h264.mxf", "no stamps of presentation",
         encoded(*_REORDERED, size="320x240"), Fraction(2, 25), _BY_ORDER, _UNTIMED),
    Film("stripped.mkv", "stamps of decoding as those of presentation",
         remuxed("-bsf:v", "setts=pts=DTS", "-avoid_negative_ts", "make_zero"), Fraction(0),
         _BY_ORDER, _UNTIMED),
    Film("pal.dv", "an average rate of 60,000", encoded("-c:v", "dvvideo", size="720x576"),
         Fraction(0), "the stamps; the guessed rate"),
    Film("ntsc.dv", "an average rate of 60,000",
         encoded("-c:v", "dvvideo", "-pix_fmt", "yuv411p", size="720x480", rate="30000/1001"),
         Fraction(0), "the stamps; the guessed rate", rate=Fraction(30000, 1001)),
    Film("raw.h264", "no stamps", encoded(*_REORDERED), Fraction(0), "the rate of the stream",
         _UNTIMED),
    Film("raw.hevc", "no stamps",
         encoded("-c:v", "libx265", "-x265-params", "log-level=none", rate="50"), Fraction(0),
         "the rate of the stream", _UNTIMED, rate=Fraction(50)),
    Film("raw.m2v", "stamps from the rate", encoded("-c:v", "mpeg2video", "-bf", "2"),
         Fraction(1, 25), "the stamps, to the last picture"),
    Film("slow.gif", "a unit of 10 ms", encoded(rate="10"), Fraction(0), "the stamps",
         rate=Fraction(10)),
    Film("odd start.ts", "a start that is no whole microsecond",
         encoded(*_PLAIN, "-muxdelay", "0", "-muxpreload", "0", "-output_ts_offset", "1.00006"),
         Fraction(0), "the stamps, from the start in their own unit"),
    Film("odd start.mp4", "a start that is no whole microsecond",
         encoded(*_REORDERED, "-use_editlist", "0", rate="30"), Fraction(0),
         "the stamps, from the start in their own unit", rate=Fraction(30)),
    Film("rounded.mkv", "a unit of 1 ms at 59.94 pictures a second",
         encoded(*_REORDERED, rate="60000/1001"), Fraction(0), "the rate, which the stamps round",
         rate=Fraction(60000, 1001)),
    Film("rounded.flv", "a unit of 1 ms at 23.976 pictures a second",
         encoded(*_PLAIN, rate="24000/1001"), Fraction(0), "the rate, which the stamps round",
         rate=Fraction(24000, 1001)),
)  # fmt: skip


def ours(path: Path) -> list[float | None]:
    """Return the times of this project's decoder in seconds."""
    with video.create(runtime=Runtime(threads=1)).open(str(path)) as medium:
        return [frame.time_s for frame in medium.frames()]


def of_pyav(path: Path) -> list[float | None]:
    """Return PyAV's times, less the container's start, in seconds."""
    with av.open(str(path)) as container:
        start = Fraction(container.start_time or 0, av.time_base)
        return [
            None if frame.time is None else frame.time - float(start)
            for frame in container.decode(video=0)
        ]


def of_opencv(path: Path) -> list[float | None]:
    """Return OpenCV's times in seconds."""
    capture, times = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG), []
    while capture.grab():
        times.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    return [*times]


def of_ffprobe(path: Path) -> list[float | None]:
    """Return ffprobe's best-effort times, less the container's start, in seconds."""
    entries = "frame=best_effort_timestamp_time:format=start_time"
    command = ["ffprobe", "-v", "error", "-of", "json", "-select_streams", "v:0"]
    command += ["-show_entries", entries, str(path)]
    run = subprocess.run(command, check=True, capture_output=True, timeout=120)
    probed = json.loads(run.stdout)
    start = float(probed["format"].get("start_time", 0))
    stamps = [frame.get("best_effort_timestamp_time") for frame in probed["frames"]]
    return [None if stamp is None else float(stamp) - start for stamp in stamps]


def difference(times: Sequence[float | None], truth: Sequence[float]) -> str:
    """Return in words how times differ from the truth."""
    if len(times) != len(truth):
        return f"{len(times)} of {len(truth)} pictures"
    missing = sum(time is None for time in times)
    errors = [abs(t - true) for t, true in zip(times, truth, strict=True) if t is not None]
    wrong = sum(error > 1e-3 for error in errors)
    if missing == len(times):
        return "no times"
    parts = [f"{wrong} wrong, by {max(errors):,.2f} s"] if wrong else []
    parts += [f"{missing} without"] if missing else []
    return ", ".join(parts) or "right"


def lines() -> Iterator[str]:
    """Yield the lines of the table."""
    readers = {"PyAV": of_pyav, "OpenCV": of_opencv, "ffprobe": of_ffprobe, "here": ours}
    versions = {"PyAV": av.__version__, "OpenCV": cv2.__version__, "ffprobe": _ffprobe_version()}
    heads = [f"{name} {versions.get(name, '')}".strip() for name in readers]
    yield f"| film | its clock | {' | '.join(heads)} | followed here |"
    yield "|---" * (len(heads) + 3) + "|"
    with tempfile.TemporaryDirectory() as folder:
        for film in FILMS:
            path = Path(folder, film.name)
            film.make(path)
            cells = [difference(read(path), film.times) for read in readers.values()]
            yield f"| {film.name} | {film.oddity} | {' | '.join(cells)} | {film.follows} |"


def _ffprobe_version() -> str:
    run = subprocess.run(["ffprobe", "-version"], check=True, capture_output=True, text=True)
    return run.stdout.split()[2].partition("-")[0]


def main() -> int:
    """Print the table, or write it into a page between two marks."""
    parser = argparse.ArgumentParser(description="print the times of films with odd clocks")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="page that holds the table")
    page: Path | None = parser.parse_args().write
    if shutil.which("ffprobe") is None:
        print("ffprobe is missing; it comes with the system's ffmpeg package", file=sys.stderr)
        return 2
    table = "\n".join(lines())
    if page is None:
        print(table)
        return 0
    text = page.read_text()
    before, after = text.index(BEGIN) + len(BEGIN), text.index(END)
    page.write_text(f"{text[:before]}\n{table}\n{text[after:]}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
