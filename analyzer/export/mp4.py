"""The source video with faces boxed and labelled, or blurred; its sound and timing kept."""

import math
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

import av
import ffmpeg
import numpy as np

from analyzer.errors import AnalyzerError, InputError, ResourceError, UsageError
from analyzer.export import _addresses, _cover, _subtitles
from analyzer.export._rows import require_video
from analyzer.files import source
from analyzer.files.containers import explained, picture_stream
from analyzer.files.ffmpeg import find_ffmpeg
from analyzer.files.text import open_text
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, Progress, ProgressHook

_MP4_AUDIO = ("aac", "ac3", "alac", "eac3", "mp3", "opus")
_SUBTITLE = "faces.ass"
_CELLS_PER_FACE = 3
"""Cells across a blurred face: too few to recognise a person, or even a face."""
# Replaces times that go back or jump by more than 10 s, as the decoder's clock does.
_REPAIRED_TIMES = "if(isnan(PREV_OUTT),T,if(between(T-PREV_OUTT,0,10),T,PREV_OUTT+0.04))/TB"
_RESOURCE_SIGNS = ("No space left on device", "Cannot allocate memory", "Disk quota exceeded")
_INPUT_SIGNS = ("Invalid data found", "moov atom not found", "Error opening input")


def create(*, crf: int = 20, preset: str = "veryfast", runtime: Runtime) -> "Mp4Exporter":
    """Video with boxes and labels burnt in; crf: 0 (best) to 51, preset: libx264's speed."""
    if not 0 <= crf <= 51:
        raise UsageError(f"mp4: crf={crf} must be from 0 to 51")
    return Mp4Exporter(crf, preset, runtime.threads)


class Mp4Exporter:
    """Burns in the subtitle of `analyzer.export.ass`; see `analyzer.export.Exporter`.

    Faces that the option `anonymise` names are blurred and have neither box nor label; the
    metadata of the source is left out then, because it may name them.
    """

    suffix: ClassVar[str] = ".mp4"

    def __init__(self, crf: int, preset: str, threads: int) -> None:
        self._options = {"crf": crf, "preset": preset, "threads": threads}

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Encode the video; without faces it is encoded as it is.

        Raises:
            UsageError: The report is of a still.
            InputError: The source cannot be read any more, or is to be anonymised but damaged.
            MissingDependency: There is no ffmpeg with the filters and codecs for it.
            ResourceError: The file cannot be written.
        """
        require_video(report, "mp4")
        _require_anonymisable(report)
        # ffmpeg runs in the folder of the subtitle: its plain name needs no escape in a filter.
        with tempfile.TemporaryDirectory(prefix="ina-mp4-") as folder:
            with open_text(Path(folder, _SUBTITLE)) as stream:
                stream.writelines(_subtitles.lines(report, ~_cover.hidden_rows(report)))
            masks = _write_masks(report, folder) if _anonymised(report) else {}
            try:
                with source.held(report.info.uri) as medium:
                    url = _addresses.ffmpeg_url(medium)
                    self._encode(report, url, path.absolute(), folder, masks, progress)
            except BaseException:
                if path.is_file():
                    path.unlink()
                raise

    def _encode(
        self,
        report: MediaReport,
        url: str,
        path: Path,
        folder: str,
        masks: Mapping[int, str],
        progress: ProgressHook | None,
    ) -> None:
        """Run ffmpeg; if it fails on a damaged medium, once more without the sound."""
        command = find_ffmpeg()

        def encode(*, sound: bool) -> None:
            graph = _ffmpeg_graph(report, url, path, masks, self._options, sound=sound)
            _run_ffmpeg(ffmpeg.compile(graph, cmd=command), folder, report, progress)

        try:
            encode(sound=True)
        except ResourceError:
            raise
        except AnalyzerError:
            if not report.tally.damaged:
                raise
            encode(sound=False)


def _anonymised(report: MediaReport) -> bool:
    return report.provenance["options"].get("anonymise") is not None


def _require_anonymisable(report: MediaReport) -> None:
    """Refuse to hide faces in a medium with times that may be wrong."""
    if _anonymised(report) and report.tally.damaged:
        raise InputError(
            f"{report.info.uri}: damaged, so that some faces may be missed and stay bare; encode "
            "it anew (ffmpeg -i DAMAGED -c:v libx264 MENDED.mp4) and anonymise that"
        )


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

    The mask is drawn on the blackened luma of the picture itself, so that it has its timestamps.
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
        .filter("ass", mask)
        .filter("lut", c0="if(gt(val,64),255,0)")
    )
    covered = ffmpeg.filter([coarse, mask], "alphamerge")
    return ffmpeg.filter([bare, covered], "overlay", format=pixels)


def _ffmpeg_graph(
    report: MediaReport,
    url: str,
    path: Path,
    masks: Mapping[int, str],
    options: dict[str, Any],
    *,
    sound: bool,
) -> Any:
    """Return ffmpeg's graph: scale to square pixels, draw, encode; copy the sound where it fits.

    In a damaged medium, impossible times are replaced, and the sound is encoded again.
    """
    damaged = report.tally.damaged > 0
    streams = _choose_streams(report.info.uri, url, whole=not damaged)
    medium = ffmpeg.input(url, **_addresses.OPEN_OPTIONS, **streams.clock)
    width, height = report.info.width_px, report.info.height_px
    picture = medium[str(streams.video)]
    if damaged:
        picture = picture.filter("setpts", _REPAIRED_TIMES)
    # In 4:2:0, pictures with odd sides would lose their last row or column.
    pixels = "yuv444" if width % 2 or height % 2 else "yuv420"
    picture = (
        picture.filter("scale", width, height, out_range="tv")
        .filter("setsar", 1)
        .filter("format", f"{pixels}p")
    )
    for level, mask in masks.items():
        picture = _blurred(picture, mask, level, (width, height), pixels)
    picture = picture.filter("ass", _SUBTITLE).filter(
        "pad",
        width + width % 2,
        height + height % 2,  # 4:2:0 has even sides
    )
    metadata = (
        {"map_metadata": -1, "map_chapters": -1} if _anonymised(report) else {"map_metadata": 0}
    )
    encoding = {
        "format": "mp4",
        "vcodec": "libx264",
        "pix_fmt": "yuv420p",
        "fps_mode": "passthrough",
        "enc_time_base:v": streams.time_base,  # the default rounds times to the frame rate
        "movflags": "+faststart",
        "movie_timescale": 48_000,  # the default of ffmpeg 5 rounds the beginning to milliseconds
        **metadata,
        "loglevel": "error",
        "progress": "pipe:1",
        **{f"c:a:{i}": codec for i, codec in enumerate(streams.sounds.values())},
        **options,
    }
    sounds = [medium[str(index)] for index in streams.sounds if sound]
    if damaged:
        sounds = [sound_stream.filter("asetpts", _REPAIRED_TIMES) for sound_stream in sounds]
    return ffmpeg.output(picture, *sounds, f"file:{path}", **encoding).overwrite_output()


@dataclass(frozen=True)
class _Streams:
    """Streams of the source that are used, by their index."""

    video: int
    time_base: str
    clock: Mapping[str, Any]
    """Options of ffmpeg that make its times those of the analysis."""
    sounds: Mapping[int, str]
    """Stream of sound -> encoder, or `copy`."""


def _choose_streams(name: str, url: str, *, whole: bool) -> _Streams:
    """Return the video stream that the decoder takes, and all streams of sound."""
    with (
        explained(name, "cannot be read any more; was it moved?"),
        av.open(url, options=_addresses.OPEN_OPTIONS, metadata_errors="replace") as container,
    ):
        video = picture_stream(container)
        if video is None:
            raise InputError(f"{name}: no picture in it any more; was it replaced?")
        sounds = {sound.index: _sound_codec(sound, whole) for sound in container.streams.audio}
        return _Streams(video.index, str(video.time_base), _clock(container), sounds)


def _clock(container: Any) -> dict[str, Any]:
    """Return the options that tell ffmpeg where the player's clock begins.

    Its versions disagree: up to 8.0 the priming of sound in Matroska comes before the beginning.
    Where a container's clock may break off, ffmpeg must mend it, and does so on its own clock only.
    """
    if container.format.flags & av.format.Flags.ts_discont.value:
        return {}
    return {"copyts": None, "itsoffset": f"{-(container.start_time or 0) / av.time_base:.6f}"}


def _sound_codec(stream: Any, whole: bool) -> str:
    """Return the codec for a stream of sound; a damaged one is decoded, never copied."""
    fits = stream.codec_context.name.removesuffix("float") in _MP4_AUDIO
    return "copy" if fits and whole else "aac"


def _run_ffmpeg(
    argv: Sequence[str], folder: str, report: MediaReport, progress: ProgressHook | None
) -> None:
    """Run ffmpeg to its end and pass its progress on."""
    with (
        tempfile.TemporaryFile("w+", errors="replace") as errors,
        subprocess.Popen(
            argv,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            # Static builds (imageio-ffmpeg 0.6) may load the system's character sets, which are of
            # another C library, and then crash. With a path of its own they are left out.
            env={"GCONV_PATH": folder, **os.environ},
        ) as process,
    ):
        try:
            _report_progress(process, report.info.duration_s, progress)
        except BaseException:
            process.kill()
            raise
        if process.wait():
            raise _failure(report.info.uri, process.returncode, errors)


def _report_progress(
    process: "subprocess.Popen[str]", total: float, progress: ProgressHook | None
) -> None:
    """Report `out_time_us=123` of ffmpeg as progress, until it closes its output.

    With its option `copyts`, ffmpeg counts from its first report on.
    """
    assert process.stdout is not None
    for line in process.stdout:
        key, _, value = line.strip().partition("=")
        if progress and key == "out_time_us" and value.lstrip("-").isdigit():
            done = min(max(0.0, int(value) / 1e6), total)
            progress(Progress(stage="mp4", done=done, total=total))
    if progress:
        progress(Progress(stage="mp4", done=total, total=total))


def _failure(name: str, code: int, errors: IO[str]) -> AnalyzerError:
    """Return the error that explains best why ffmpeg failed."""
    errors.seek(0)
    tail = " | ".join(errors.read().strip().splitlines()[-4:]) or f"exit status {code}"
    message = f"{name}: ffmpeg could not make the mp4: {tail}"
    if code < 0 or any(sign in tail for sign in _RESOURCE_SIGNS):
        return ResourceError(f"{message}; see to free disk and memory")
    kind = InputError if any(sign in tail for sign in _INPUT_SIGNS) else AnalyzerError
    return kind(message)
