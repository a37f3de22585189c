"""Make a small archive for the recipes in docs/recipes: five films, two titles, two portraits.

Everything is filmed from the two public-domain portraits of the sample; nothing is downloaded.

Writes into the folder ``archive`` beside this file, or ``--folder``:

- ``films/*.mp4``: five films of 4 to 7 seconds
- ``titles/*/``: two titles, each a folder with ``trailer.mp4`` and ``poster.jpg``
- ``people/*.jpg``: a portrait each of who is in them, named after whom it shows

Films that are there already are left as they are.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

# A checkout need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from analyzer.demo.sample import (
    HALF,
    HEIGHT,
    WIDTH,
    Image,
    Panel,
    SampleShot,
    SampleView,
    encoder,
    portraits,
)

PEOPLE = {"astronaut": "Eileen Collins", "hopper": "Grace Hopper"}
"""Whom the portraits show."""

ASTRONAUT = Panel("astronaut", SampleView(256, 190, 360), SampleView(236, 150, 270))
NEAR = Panel("astronaut", SampleView(190, 150, 250), SampleView(260, 150, 250))
HOPPER = Panel("hopper", SampleView(235, 240, 410), SampleView(280, 235, 380))
LEAVING = Panel("hopper", SampleView(280, 235, 380), SampleView(235, 240, 410))
ROCKET = Panel("rocket", SampleView(300, 260, 300), SampleView(340, 180, 320))
BOTH = (
    Panel("astronaut", SampleView(230, 170, 320), SampleView(224, 150, 270), right=HALF),
    Panel("hopper", SampleView(256, 270, 500), SampleView(266, 290, 560), left=HALF),
)

FILMS = {
    "1984-lecture": (SampleShot(90, (HOPPER,)), SampleShot(60, (ROCKET,))),
    "1985-parade": (SampleShot(60, (ROCKET,)), SampleShot(60, (LEAVING,))),
    "1991-meeting": (SampleShot(90, BOTH), SampleShot(60, (ASTRONAUT,))),
    "1995-launch": (
        SampleShot(90, (ASTRONAUT,)),
        SampleShot(60, (ROCKET,)),
        SampleShot(60, (NEAR,)),
    ),
    "1999-rocket": (SampleShot(120, (ROCKET,)),),
}
"""Name of a film -> its shots."""

TITLES = {
    "tt0000001": (SampleShot(90, (ASTRONAUT,)), SampleShot(60, BOTH)),
    "tt0000002": (SampleShot(60, (ROCKET,)), SampleShot(90, (HOPPER,))),
}
"""Number of a title -> the shots of its trailer."""


def write_film(target: Path, shots: Sequence[SampleShot], pictures: dict[str, Image]) -> None:
    """Render and encode some shots, unless the film is there.

    Raises:
        SystemExit: ffmpeg failed; its message stands on standard error.
    """
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    process = encoder(target, sum(shot.frames for shot in shots))
    screen = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for shot in shots:
        for frame in range(shot.frames):
            for panel in shot.panels:
                panel.draw(screen, pictures[panel.picture], frame / (shot.frames - 1))
            process.stdin.write(screen.tobytes())
    process.stdin.close()
    if process.wait():
        target.unlink(missing_ok=True)
        raise SystemExit(f"ffmpeg could not write {target}")
    print(target)


def write_picture(target: Path, picture: Image) -> None:
    """Write a JPEG."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes())
    print(target)


def poster(who: Sequence[str], pictures: dict[str, Image]) -> Image:
    """Portraits beside each other, all of one height."""
    return np.hstack([cv2.resize(pictures[name], (512, 600)) for name in who])


def main() -> None:
    """Read the command line and write everything."""
    parser = argparse.ArgumentParser(description="Make a small archive for the recipes.")
    place = Path(__file__).parent / "archive"
    parser.add_argument("--folder", type=Path, default=place, help="where to")
    folder: Path = parser.parse_args().folder
    pictures = portraits()
    for name, shots in FILMS.items():
        write_film(folder / "films" / f"{name}.mp4", shots, pictures)
    for name, shots in TITLES.items():
        write_film(folder / "titles" / name / "trailer.mp4", shots, pictures)
        write_picture(folder / "titles" / name / "poster.jpg", poster([*PEOPLE], pictures))
    for name, person in PEOPLE.items():
        write_picture(folder / "people" / f"{person}.jpg", pictures[name])


if __name__ == "__main__":
    main()
