"""The source video with faces boxed and labelled, or blurred; its sound and timing kept.

The pictures are decoded by this project, as for the analysis, and written to ffmpeg's standard
input with their times; the sound comes from the medium itself.
"""

import itertools
import logging
import math
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, ClassVar

import ffmpeg
import numpy as np

from analyzer import registry
from analyzer.errors import AnalyzerError, InputError, ResourceError, UsageError
from analyzer.export import (
    _addresses,
    _anonymity,
    _cover,
    _encoder,
    _raw_video,
    _sound,
    _subtitles,
    _tags,
)
from analyzer.export._rows import require_video
from analyzer.files import source
from analyzer.files.ffmpeg import find_ffmpeg
from analyzer.files.text import open_text
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, Progress, ProgressHook

_LOG = logging.getLogger(__name__)
_SUBTITLE = "faces.ass"
_CELLS_PER_FACE = 3
"""Cells across a blurred face: too few to recognise a person, or even a face."""
_RUN_ON = (
    "st(1,T+ld(0));st(2,if(isnan(PREV_OUTT),0,ld(1)-PREV_OUTT));"
    "st(1,if(between(ld(2),0,{ahead}),ld(1),PREV_OUTT+ld(3)));"
    "st(0,if(isnan(T)+between(ld(2),-0.1,{ahead}),ld(0),ld(1)-T));st(3,S/SR);ld(1)/TB"
)
"""Times of sound as `_clock.Clock` makes those of pictures: what goes back by more than 0.1 s, or
ahead by more than `ahead`, follows the sound before it, and all that comes later is as much later.
Registers of ffmpeg: 0 the shift, 1 the time, 2 the step, 3 the length of the sound before."""
_BREAK_S = 0.15
"""Seconds between a picture's stamp and its time from which on the clock was mended."""
_REPORT_EVERY_S = 0.3
_DEFAULT_RATE = 25


def create(
    *, crf: int = 20, preset: str = "veryfast", check: bool = True, runtime: Runtime
) -> "Mp4Exporter":
    """Video with boxes and labels burnt in; crf: 0 (best) to 51, preset: libx264's speed.

    Args:
        crf: Quality, from 0 (best) to 51.
        preset: Preset of libx264.
        check: Whether to look for faces in what was to be hidden (`--anonymise`).
        runtime: Runtime with the number of threads, and of the detector for the check.
    """
    if not 0 <= crf <= 51:
        raise UsageError(f"mp4: crf={crf} must be from 0 to 51")
    return Mp4Exporter(crf, preset, check, runtime)


class Mp4Exporter:
    """Burns in the subtitle of `analyzer.export.ass`; see `analyzer.export.Exporter`.

    Faces that the option `anonymise` names are blurred and have neither box nor label; the
    metadata of the source is left out then, because it may name them.
    """

    suffix: ClassVar[str] = ".mp4"

    def __init__(self, crf: int, preset: str, check: bool, runtime: Runtime) -> None:
        self._options = {"crf": crf, "preset": preset, "threads": runtime.threads}
        self._check, self._runtime = check, runtime

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Encode the video; without faces it is encoded as it is.

        Raises:
            UsageError: The report is of a still.
            InputError: The source cannot be read any more, or is to be anonymised but damaged or
                not what was analysed.
            AnalyzerError: A face is found where one was to be hidden.
            MissingDependency: There is no ffmpeg with the filters and codecs for it, or the
                detector of the check is missing.
            ResourceError: The file cannot be written.
        """
        require_video(report, "mp4")
        _anonymity.require_undamaged(report)
        # ffmpeg runs in the folder of the subtitle: its plain name needs no escape in a filter.
        with tempfile.TemporaryDirectory(prefix="ina-mp4-") as folder:
            with open_text(Path(folder, _SUBTITLE)) as stream:
                stream.writelines(_subtitles.lines(report, ~_cover.hidden_rows(report)))
            masks = _write_masks(report, folder) if _anonymity.is_wanted(report) else {}
            try:
                with source.held(report.info.uri) as medium:
                    url = _addresses.ffmpeg_url(medium)
                    task = _Task(report, url, path.absolute(), folder, masks, self._options)
                    times = _encode(task, self._runtime, progress)
                if self._check and _anonymity.is_wanted(report):
                    _anonymity.require_hidden(report, path, times, self._runtime, progress)
            except BaseException:
                if path.is_file():
                    path.unlink()
                raise


@dataclass(frozen=True)
class _Task:
    """One mp4 that is to be made."""

    report: MediaReport
    url: str
    """Address of the medium for ffmpeg."""
    path: Path
    folder: str
    """Folder of the subtitles, in which ffmpeg runs."""
    masks: Mapping[int, str]
    """Level of the blur -> file name of its mask."""
    options: Mapping[str, Any]
    """Options of ffmpeg for the encoder of the pictures."""


class _ClockMended(Exception):
    """The clock of the pictures was mended, so that of the sound has to be as well."""


def _encode(task: _Task, runtime: Runtime, progress: ProgressHook | None) -> list[float]:
    """Encode; where ffmpeg fails, with another sound. Return the times of the pictures."""
    report, command = task.report, find_ffmpeg()
    encoded = report.tally.damaged > 0
    name = report.info.uri
    sounds, notes = _sound.choose(task.url, name, command, task.folder, encoded=encoded)
    for note in notes:
        _LOG.warning("%s: %s", report.info.uri, note)
    failure: AnalyzerError | None = None
    for attempt in _attempts(sounds, report):
        if failure is not None and not attempt.sounds:
            _LOG.warning("%s: mp4: its sound is left out: %s", report.info.uri, failure)
        try:
            times, failure = _encode_once(task, attempt, command, runtime, progress)
        except _ClockMended:
            continue
        if failure is None:
            return times
        if isinstance(failure, ResourceError):
            break
    assert failure is not None
    raise failure


@dataclass(frozen=True)
class _Attempt:
    """The sound that one run of ffmpeg takes."""

    sounds: tuple[_sound.Sound, ...]
    mends: bool
    """Whether times of the sound that go back or jump are replaced."""


def _attempts(sounds: tuple[_sound.Sound, ...], report: MediaReport) -> Iterator[_Attempt]:
    """Yield what to try, one after the other: as it is, with a mended clock, without sound."""
    if sounds and not report.tally.damaged:
        yield _Attempt(sounds, mends=False)
    if sounds:
        yield _Attempt(tuple(map(_sound.as_aac, sounds)), mends=True)
    yield _Attempt((), mends=False)


def _encode_once(
    task: _Task, attempt: _Attempt, command: str, runtime: Runtime, progress: ProgressHook | None
) -> tuple[list[float], AnalyzerError | None]:
    """Run ffmpeg once; return the times of the pictures, and why it failed, if it did."""
    report, times = task.report, list[float]()
    decoder = registry.load("decode", "video", runtime=runtime)
    with decoder.open(report.info.uri, careful=report.tally.damaged > 0) as medium:
        _require_same_size(report, medium.info)
        _anonymity.require_same_file(report, medium.info)
        opened = medium.stream
        first, base = opened.first.picture, _raw_video.time_base(opened.stream)
        graph = _graph(task, attempt, opened, base)

        def feed(stream: IO[bytes]) -> None:
            writer = _raw_video.RawVideo(stream, first, base)
            watched = _anonymity.watched(medium, report)
            for shown in _reported(watched, report.info.duration_s, progress):
                if attempt.sounds and not attempt.mends and not opened.facts.by_decoding:
                    _require_steady(shown, opened.facts.timeline.origin)
                if writer.write(shown.picture, shown.time):
                    times.append(float(shown.time))
            writer.close()
            _anonymity.require_times(report, times)

        argv = _with_metadata(ffmpeg.compile(graph, cmd=command), task, attempt, opened)
        return times, _encoder.run(argv, task.folder, report.info.uri, feed)


def _require_same_size(report: MediaReport, info: Any) -> None:
    """Refuse a medium with pictures of another size than those that were analysed."""
    now, then = ((i.width_px, i.height_px) for i in (info, report.info))
    if now != then:
        raise InputError(
            "{}: pictures of {} x {}, but of {} x {} when it was analysed; analyse it again".format(
                report.info.uri, *now, *then
            )
        )


def _require_steady(shown: Any, origin: Fraction) -> None:
    """Require that a picture's time is what its container states."""
    picture = shown.picture
    if picture.pts is None or not picture.time_base:
        return
    if abs(picture.pts * picture.time_base - origin - shown.time) > _BREAK_S:
        raise _ClockMended


def _reported(
    pictures: Iterator[Any], total: float, progress: ProgressHook | None
) -> Iterator[Any]:
    """Pass pictures on, and report their times as progress."""
    reported = -math.inf
    for shown in pictures:
        yield shown
        if progress and time.monotonic() - reported > _REPORT_EVERY_S:
            reported = time.monotonic()
            progress(Progress(stage="mp4", done=min(float(shown.time), total), total=total))
    if progress:
        progress(Progress(stage="mp4", done=total, total=total))


def _write_masks(report: MediaReport, folder: str) -> dict[int, str]:
    """Write a subtitle of the patches of each level; return level -> file name."""
    hidden, names = _cover.patches(report), {}
    for level in np.unique(hidden.level).tolist():
        names[level] = f"mask{level}.ass"
        mask = _cover.mask(
            hidden[hidden.level == level], report.info.width_px, report.info.height_px
        )
        with open_text(Path(folder, names[level])) as stream:
            stream.writelines(mask)
    return names


def _blurred(picture: Any, mask: str, level: int, size: tuple[int, int], pixels: str) -> Any:
    """Replace the white parts of a mask by a few cells, so that the picture there is lost.

    The mask is drawn on the blackened luma of the picture itself, so that it has its timestamps;
    slow ones, only while it is drawn: ffmpeg 7.0 does not slow down the end of a stream.
    """
    (width, height), cell = size, 4**level / _CELLS_PER_FACE
    copies = picture.filter_multi_output("split", 3)
    bare, coarse, dark = (copies[i] for i in range(3))
    coarse = coarse.filter(
        "scale", math.ceil(width / cell), math.ceil(height / cell), flags="area"
    ).filter("scale", width, height, flags="bilinear")
    mask = (
        dark.filter("extractplanes", "y")
        .filter("lut", c0=0)
        .filter("setpts", f"PTS*{_cover.SLOWDOWN}")
        .filter("ass", mask)
        .filter("setpts", f"PTS/{_cover.SLOWDOWN}")
        .filter("lut", c0="if(gt(val,64),255,0)")
    )
    covered = ffmpeg.filter([coarse, mask], "alphamerge")
    return ffmpeg.filter([bare, covered], "overlay", format=pixels)


def _graph(task: _Task, attempt: _Attempt, opened: Any, base: Fraction) -> Any:
    """Return ffmpeg's graph: turn upright, scale to square pixels, draw, encode; add the sound."""
    info, facts = task.report.info, opened.facts
    width, height = info.width_px, info.height_px
    picture = ffmpeg.input("pipe:", **_raw_video.input_options(opened.first.picture))["v"]
    for name, *arguments in facts.orientation.filters:
        picture = picture.filter(name, *arguments)
    # In 4:2:0, pictures with odd sides would lose their last row or column.
    pixels = "yuv444" if width % 2 or height % 2 else "yuv420"
    picture = (
        picture.filter("scale", width, height, out_range="tv")
        .filter("setsar", 1)
        .filter("format", f"{pixels}p")
    )
    for level, mask in task.masks.items():
        picture = _blurred(picture, mask, level, (width, height), pixels)
    picture = picture.filter("ass", _SUBTITLE)
    if width % 2 or height % 2:  # 4:2:0 has even sides
        picture = picture.filter("pad", width + width % 2, height + height % 2)
    encoding = {
        "format": "mp4",
        "vcodec": "libx264",
        "pix_fmt": "yuv420p",
        "fps_mode": "passthrough",
        "enc_time_base:v": str(base),  # the default rounds times to the frame rate
        "x264-params": f"fps={info.frame_rate or _DEFAULT_RATE}",
        "movflags": "+faststart",
        "movie_timescale": 48_000,  # the default of ffmpeg 5 rounds the beginning to milliseconds
        "loglevel": "error",
        **task.options,
    }
    medium = ffmpeg.input(task.url, **_addresses.OPEN_OPTIONS, **_clock(facts.timeline.origin))
    sounds = []
    for number, sound in enumerate(attempt.sounds):
        stream = medium[str(sound.index)]
        if attempt.mends:
            stream = stream.filter("asetpts", _RUN_ON.format(ahead=facts.longest_pause_s))
        sounds.append(stream)
        encoding |= {f"{key}:a:{number}": value for key, value in sound.codec.items()}
    return ffmpeg.output(picture, *sounds, f"file:{task.path}", **encoding).overwrite_output()


def _clock(origin: Fraction) -> dict[str, Any]:
    """Return the options that tell ffmpeg where the player's clock begins.

    Its versions disagree: up to 8.0 the priming of sound in Matroska comes before the beginning.
    """
    return {"itsoffset": f"{-float(origin):.6f}"}


def _with_metadata(argv: list[str], task: _Task, attempt: _Attempt, opened: Any) -> list[str]:
    """Add what the medium says of itself to a command line; of an anonymised one, nothing.

    Without sound the medium is no input yet.
    """
    if _anonymity.is_wanted(task.report):
        options = [*_tags.NONE]
    else:
        if task.url not in argv:
            at = argv.index("pipe:") + 1
            opening = {**_addresses.OPEN_OPTIONS, **_clock(opened.facts.timeline.origin)}
            given = [text for key, value in opening.items() for text in (f"-{key}", value)]
            argv = [*argv[:at], *given, "-i", task.url, *argv[at:]]
        inputs = [after for before, after in itertools.pairwise(argv) if before == "-i"]
        number = inputs.index(task.url)
        streams = {"v:0": opened.stream.index}
        streams |= {f"a:{n}": sound.index for n, sound in enumerate(attempt.sounds)}
        options = [*_tags.options(opened.container, number, streams)]
    at = argv.index(f"file:{task.path}")
    return [*argv[:at], *options, *argv[at:]]
