"""The video that the demo runs on, its joblist, and the truth about it.

Two public-domain portraits that installed packages carry (scikit-image's astronaut,
matplotlib's Grace Hopper) are filmed with slow zooms and pans; nothing is downloaded.

Four files:

- `sample.mp4`: 1280x720 at 30000/1001 pictures per second, H.264, a tone as AAC
- `sample.truth.json`: shots, who is on screen when, and every face's box in every picture
- `sample.labels.csv`: person and box of each face, ten times a second, for `evaluate
  clustering`
- `jobs.csv`: the joblist; its paths are relative to the folder above, so run it from there
"""

import csv
import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import ffmpeg
import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image as PillowImage

from analyzer.errors import MissingDependency, ResourceError
from analyzer.files.atomic import writing
from analyzer.files.ffmpeg import find_ffmpeg

WIDTH, HEIGHT = 1280, 720
RATE = Fraction(30000, 1001)
# Measured by eye in the portraits: brow to chin, temple to temple.
FACES = {"astronaut": (176, 70, 272, 184), "hopper": (176, 126, 362, 336)}

Image = NDArray[np.uint8]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class SampleView:
    """What the camera sees of a picture: the centre and the height, in the picture's pixels."""

    x: float
    y: float
    height: float

    def towards(self, other: "SampleView", share: float) -> "SampleView":
        """Return the view on the way to another one; `share` runs from 0 to 1."""
        return SampleView(
            self.x + share * (other.x - self.x),
            self.y + share * (other.y - self.y),
            self.height + share * (other.height - self.height),
        )


@dataclass(frozen=True)
class Panel:
    """A part of the screen, from column `left` to `right`, and the camera's way in it."""

    picture: str
    start: SampleView
    end: SampleView
    left: int = 0
    right: int = WIDTH

    def matrix(self, share: float) -> NDArray[np.float64]:
        """(2, 3) affine map from the picture to the panel, `share` of the shot being over."""
        eased = share * share * (3 - 2 * share)
        view = self.start.towards(self.end, eased)
        scale = HEIGHT / view.height
        across, down = (self.right - self.left) / 2, HEIGHT / 2
        return np.array(
            [[scale, 0, across - scale * view.x], [0, scale, down - scale * view.y]], np.float64
        )

    def draw(self, screen: Image, picture: Image, share: float) -> None:
        """Paint the panel onto the screen."""
        size = (self.right - self.left, HEIGHT)
        screen[:, self.left : self.right] = cv2.warpAffine(
            picture,
            self.matrix(share),
            size,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )

    def face(self, share: float) -> Box | None:
        """Return the face's box on the screen in pixels; `None` for a picture without a face."""
        if self.picture not in FACES:
            return None
        matrix = self.matrix(share)
        corners = np.array(FACES[self.picture], np.float64).reshape(2, 2)
        (x1, y1), (x2, y2) = corners @ matrix[:, :2].T + matrix[:, 2] + (self.left, 0)
        return float(x1), float(y1), float(x2), float(y2)


@dataclass(frozen=True)
class SampleShot:
    """Some pictures between two cuts."""

    frames: int
    panels: tuple[Panel, ...]

    @property
    def people(self) -> list[str]:
        """Who is on screen."""
        return [panel.picture for panel in self.panels if panel.picture in FACES]


HALF = WIDTH // 2
SHOTS = (
    SampleShot(120, (Panel("astronaut", SampleView(256, 190, 360), SampleView(236, 150, 270)),)),
    SampleShot(105, (Panel("hopper", SampleView(235, 240, 410), SampleView(280, 235, 380)),)),
    SampleShot(
        120,
        (
            Panel("astronaut", SampleView(230, 170, 320), SampleView(224, 150, 270), right=HALF),
            Panel("hopper", SampleView(256, 270, 500), SampleView(266, 290, 560), left=HALF),
        ),
    ),
    SampleShot(75, (Panel("rocket", SampleView(300, 260, 300), SampleView(340, 180, 320)),)),
    SampleShot(90, (Panel("astronaut", SampleView(190, 150, 250), SampleView(260, 150, 250)),)),
)


def portraits() -> dict[str, Image]:
    """Return the source pictures, RGB, by name."""
    with PillowImage.open(_hopper()) as picture:
        hopper = np.asarray(picture)
    return {
        "astronaut": skimage.data.astronaut(),
        "hopper": hopper,
        "rocket": skimage.data.rocket(),
    }


def _hopper() -> Path:
    """Return the portrait in matplotlib; its import would leave a list of fonts in the cache."""
    library = importlib.util.find_spec("matplotlib")
    if library is None or library.origin is None:
        raise MissingDependency("matplotlib", needed_by="the sample", install="matplotlib")
    return Path(library.origin).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg"


def film() -> Iterator[tuple[SampleShot, float]]:
    """Return each picture's shot, and how much of the shot is over (0 to 1)."""
    for shot in SHOTS:
        for k in range(shot.frames):
            yield shot, k / (shot.frames - 1)


def seconds(frame: int) -> float:
    """Return the time of a frame, in seconds."""
    return float(frame / RATE)


def encoder(target: Path, frames: int, *, width: int = WIDTH, height: int = HEIGHT) -> Any:
    """Start ffmpeg; it reads raw pictures from its standard input."""
    size = f"{width}x{height}"
    video = ffmpeg.input("pipe:", format="rawvideo", pix_fmt="rgb24", s=size, framerate=str(RATE))
    tone = ffmpeg.input("sine=frequency=440:sample_rate=48000", format="lavfi", t=seconds(frames))
    options = {
        "vcodec": "libx264",
        "acodec": "aac",
        "pix_fmt": "yuv420p",
        "crf": 20,
        "preset": "veryfast",
        "threads": 2,  # the number of threads changes x264's output
        "fflags": "+bitexact",
        "flags": "+bitexact",
        "movflags": "+faststart",
        "loglevel": "error",
    }
    output = ffmpeg.output(video.video, tone.audio, f"file:{target}", format="mp4", **options)
    return output.overwrite_output().run_async(cmd=find_ffmpeg(), pipe_stdin=True)


def write_video(target: Path) -> None:
    """Render and encode all shots.

    Raises:
        ResourceError: Ffmpeg failed; its message stands on standard error.
    """
    pictures = portraits()
    process = encoder(target, sum(shot.frames for shot in SHOTS))
    screen = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for shot, share in film():
        for panel in shot.panels:
            panel.draw(screen, pictures[panel.picture], share)
        process.stdin.write(screen.tobytes())
    process.stdin.close()
    if process.wait():
        raise ResourceError(f"{target}: ffmpeg could not write it; check its folder and space")


def shot_list() -> list[dict[str, Any]]:
    """Return start, end (seconds) and people of each shot."""
    starts = np.cumsum([0, *(shot.frames for shot in SHOTS)]).tolist()
    return [
        {"start_s": seconds(start), "end_s": seconds(end), "people": shot.people}
        for shot, start, end in zip(SHOTS, starts, starts[1:], strict=False)
    ]


def person(name: str) -> dict[str, Any]:
    """Return one person's screen time in seconds and the boxes, keyed by frame number."""
    boxes = {
        frame: [round(value, 2) for value in box]
        for frame, (shot, share) in enumerate(film())
        for panel in shot.panels
        if panel.picture == name and (box := panel.face(share))
    }
    return {
        "screen_time_s": seconds(len(boxes)),
        "first_s": seconds(min(boxes)),
        "last_s": seconds(max(boxes) + 1),
        "boxes": boxes,
    }


def truth() -> dict[str, Any]:
    """Return the truth about the sample, as JSON-able values."""
    frames = sum(shot.frames for shot in SHOTS)
    return {
        "width_px": WIDTH,
        "height_px": HEIGHT,
        "frame_rate": str(RATE),
        "frames": frames,
        "duration_s": seconds(frames),
        "shots": shot_list(),
        "people": {name: person(name) for name in FACES},
    }


def write_labels(target: Path) -> None:
    """Write the centre of each face in every third picture as a label."""
    with target.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("time_s", "x", "y", "person"))
        for name, facts in truth()["people"].items():
            for frame, (x1, y1, x2, y2) in facts["boxes"].items():
                if frame % 3 == 0:
                    centre = (round((x1 + x2) / 2), round((y1 + y2) / 2))
                    writer.writerow((f"{seconds(frame):.3f}", *centre, name))


def write_joblist(target: Path, source: Path) -> None:
    """Write a joblist of one row; its paths are relative to the folder above `target`'s."""
    row = {
        "source_path": f"{target.parent.name}/{source.name}",
        "dest_csv": f"results/{source.stem}.csv",
        "dest_ass": f"results/{source.stem}.ass",
        "dest_mp4": f"results/{source.stem}.mp4",
        "dest_characters": f"results/{source.stem}.characters.csv",
    }
    with target.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, row, lineterminator="\n")
        writer.writeheader()
        writer.writerow(row)


def write(folder: Path) -> list[Path]:
    """Write the four files.

    Args:
        folder: Is made where it is missing.

    Raises:
        ResourceError: One cannot be written.
    """
    names = ("sample.mp4", "sample.truth.json", "sample.labels.csv", "jobs.csv")
    folder = folder.resolve()  # the paths in the joblist begin with its name
    video, facts, labels, jobs = written = [folder / name for name in names]
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_video(video)
        facts.write_text(json.dumps(truth()) + "\n", encoding="utf-8")
        write_labels(labels)
        write_joblist(jobs, video)
    return written
