"""Make two scenes of known persons for `evaluate clustering`: portraits over backgrounds.

The portraits are those of a folder with a folder of pictures for each person, such as LFW, cut out
as ovals; pictures and names stay there. Persons are letters, in the order of the folders. Scene 2
has two persons more: the portraits of the sample.

Writes into the folder `scenes` beside this file, or `--folder`:

- `scene_N.mp4`: 640x360 at 30000/1001 pictures a second; shots of two persons each, some dark, some
  faces blurred by motion, some cut by the picture's edge
- `scene_N.truth.json`: shots, and each face's person, box, visible share, blur and darkness
- `scene_N.labels.csv`: the person at the middle of each visible face, five times a second

The same portraits and seed give the same files. Without the portraits nothing is made.
"""

import argparse
import csv
import json
import string
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# A checkout need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from analyzer.demo.sample import FACES, Box, Image, encoder, portraits, seconds

WIDTH, HEIGHT, SIDE = 640, 360, 250
SHOT_FRAMES, LABEL_EVERY = 45, 6
FACE: Box = (78.0, 78.0, 172.0, 185.0)
"""Brow to chin and temple to temple in LFW's pictures of 250 pixels: their faces lie alike."""
OVAL = ((125, 128), (72, 96))
"""Centre and half axes of what is cut out."""
PORTRAITS = Path(__file__).parent.parent.parent / "shared" / "media" / "images" / "lfw_subset"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a scene is made of."""

    name: str
    seed: int
    shots: int
    has_sample: bool
    """Whether the persons of the sample are in it."""
    cut_share: float
    """Share of the faces that the picture's edge cuts."""
    blurred_share: float
    dark_share: float
    """Share of the shots that are dark."""


SCENES = (
    Scene(name="scene_1", seed=1, shots=16, has_sample=False, cut_share=0.1, blurred_share=0.2,
          dark_share=0.25),
    Scene(name="scene_2", seed=2, shots=20, has_sample=True, cut_share=0.3, blurred_share=0.1,
          dark_share=0.1),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Appearance:
    """One person in one shot."""

    person: str
    picture: Image
    scale: float
    start: tuple[float, float]
    """Middle of the face at the start of the shot, in pixels."""
    end: tuple[float, float]
    is_cut: bool
    is_blurred: bool

    def matrix(self, share: float) -> NDArray[np.float64]:
        """(2, 3) affine map from the picture to the screen, `share` of the shot being over."""
        middle = np.array([(FACE[0] + FACE[2]) / 2, (FACE[1] + FACE[3]) / 2])
        at = np.array(self.start) * (1 - share) + np.array(self.end) * share
        return np.column_stack([np.eye(2) * self.scale, at - self.scale * middle])

    def face(self, share: float) -> Box:
        """Return the face's box on the screen in pixels, beyond its edges too."""
        matrix = self.matrix(share)
        corners = np.array(FACE).reshape(2, 2)
        (x1, y1), (x2, y2) = corners @ matrix[:, :2].T + matrix[:, 2]
        return float(x1), float(y1), float(x2), float(y2)

    def draw(self, screen: NDArray[np.float32], share: float) -> None:
        """Paint the oval onto the screen."""
        matrix, size = self.matrix(share), (WIDTH, HEIGHT)
        picture = self.picture.astype(np.float32)
        if self.is_blurred:
            picture = cv2.blur(picture, (9, 1))
        moved = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_AREA)
        mask = cv2.warpAffine(_oval(), matrix, size)[..., None]
        screen += (moved - screen) * mask


@dataclass(frozen=True, kw_only=True)
class SceneShot:
    """Some pictures between two cuts."""

    background: NDArray[np.float32]
    light: float
    appearances: tuple[Appearance, ...]


def _oval() -> NDArray[np.float32]:
    """(250, 250) opacity of a portrait: 1 inside, 0 outside, soft between."""
    mask = np.zeros((SIDE, SIDE), np.float32)
    cv2.ellipse(mask, *OVAL, 0, 0, 360, 1, -1)
    return cv2.GaussianBlur(mask, (0, 0), 4)


def people(folder: Path, *, has_sample: bool) -> dict[str, list[Image]]:
    """Return the pictures of each person, RGB, 250 pixels wide and high, by letter."""
    pictures = [
        [cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB) for path in sorted(one.iterdir())]
        for one in sorted(folder.iterdir())
        if one.is_dir()
    ]
    if has_sample:
        sample = portraits()
        pictures += [[_alike(sample[name], face)] for name, face in FACES.items()]
    return dict(zip(string.ascii_uppercase, pictures, strict=False))


def _alike(picture: Image, face: Sequence[float]) -> Image:
    """Return a picture moved and scaled so that its face lies where LFW's do."""
    scale = (FACE[3] - FACE[1]) / (face[3] - face[1])
    shift = [(FACE[k] + FACE[k + 2]) / 2 - scale * (face[k] + face[k + 2]) / 2 for k in (0, 1)]
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return cv2.warpAffine(
        picture, matrix, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT_101
    )


def plan(scene: Scene, cast: dict[str, list[Image]]) -> Iterator[SceneShot]:
    """Yield the shots of a scene: everybody appears about as often, in changing pairs."""
    random = np.random.default_rng(scene.seed)
    order: list[str] = []
    while len(order) < 2 * scene.shots:
        turn = random.permutation(sorted(cast)).tolist()
        # No pair may be one person twice.
        if len(order) % 2 == 0 or not order or order[-1] != turn[0]:
            order += turn
    cut = _some(2 * scene.shots, scene.cut_share, random)
    blurred = _some(2 * scene.shots, scene.blurred_share, random)
    dark = _some(scene.shots, scene.dark_share, random)
    turns = dict.fromkeys(cast, 0)
    for number in range(scene.shots):
        pair = []
        for side in (0, 1):
            at = 2 * number + side
            person = order[at]
            picture = cast[person][turns[person] % len(cast[person])]
            turns[person] += 1
            facts = {"is_cut": bool(cut[at]), "is_blurred": bool(blurred[at] and not cut[at])}
            pair.append(_appearance(person, picture, side, random, **facts))
        light = 0.3 if dark[number] else 1.0
        yield SceneShot(background=_background(random), light=light, appearances=tuple(pair))


def _some(count: int, share: float, random: np.random.Generator) -> NDArray[np.bool_]:
    """(count,) which are chosen: as many as the share says."""
    return np.isin(np.arange(count), random.permutation(count)[: round(share * count)])


def _appearance(
    person: str,
    picture: Image,
    side: int,
    random: np.random.Generator,
    *,
    is_cut: bool,
    is_blurred: bool,
) -> Appearance:
    """Return a person's way through one half of the picture, or along its outer edge."""
    scale = float(random.uniform(0.75, 1.25))
    half_width = scale * (FACE[2] - FACE[0]) / 2
    ys = random.uniform(150, 210, 2)
    if is_cut:  # a quarter to two fifths of the face is beyond the edge
        inside = half_width * (1 - 2 * random.uniform(0.25, 0.4, 2))
        xs = inside if side == 0 else WIDTH - inside
    else:
        xs = (130, 510)[side] + random.uniform(-35, 35, 2)
    (x1, x2), (y1, y2) = xs.tolist(), ys.tolist()
    return Appearance(
        person=person,
        picture=picture,
        scale=scale,
        start=(x1, y1),
        end=(x2, y2),
        is_cut=is_cut,
        is_blurred=is_blurred,
    )


def _background(random: np.random.Generator) -> NDArray[np.float32]:
    """(360, 640, 3) soft shapes of coarse and of finer grain."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    for cells, weight in ((4, 120), (16, 50), (64, 20)):
        noise = random.uniform(0, weight, (cells * 9 // 16 + 1, cells, 3)).astype(np.float32)
        picture += cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return picture


def draw(shot: SceneShot, share: float, random: np.random.Generator) -> Image:
    """Return one picture, with the light of the shot and the grain of a film."""
    screen = shot.background.copy()
    for appearance in shot.appearances:
        appearance.draw(screen, share)
    grain = random.normal(0, 2, (HEIGHT, WIDTH, 1)).astype(np.float32)
    return np.clip(screen * shot.light + grain, 0, 255).astype(np.uint8)


def visible(box: Box) -> Box:
    """Return the part of a box that is in the picture."""
    return max(box[0], 0.0), max(box[1], 0.0), min(box[2], WIDTH), min(box[3], HEIGHT)


def faces(shots: Sequence[SceneShot]) -> Iterator[dict[str, Any]]:
    """Yield the truth on each face of each picture."""
    for number, shot in enumerate(shots):
        for k in range(SHOT_FRAMES):
            for one in shot.appearances:
                box = one.face(k / (SHOT_FRAMES - 1))
                x1, y1, x2, y2 = visible(box)
                share = (x2 - x1) * (y2 - y1) / ((box[2] - box[0]) * (box[3] - box[1]))
                yield {
                    "frame": number * SHOT_FRAMES + k,
                    "person": one.person,
                    "box": [round(side, 2) for side in box],
                    "visible": round(share, 3),
                    "is_blurred": one.is_blurred,
                    "is_dark": shot.light < 1,
                }


def write(scene: Scene, pictures: Path, folder: Path) -> None:
    """Write the three files of a scene.

    Raises:
        SystemExit: ffmpeg failed; its message stands on standard error.
    """
    shots = list(plan(scene, people(pictures, has_sample=scene.has_sample)))
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{scene.name}.mp4"
    process = encoder(target, len(shots) * SHOT_FRAMES, width=WIDTH, height=HEIGHT)
    random = np.random.default_rng(scene.seed)
    for shot in shots:
        for k in range(SHOT_FRAMES):
            process.stdin.write(draw(shot, k / (SHOT_FRAMES - 1), random).tobytes())
    process.stdin.close()
    if process.wait():
        target.unlink(missing_ok=True)
        raise SystemExit(f"ffmpeg could not write {target}")
    truth = list(faces(shots))
    starts_s = [seconds(number * SHOT_FRAMES) for number in range(len(shots))]
    facts = {"width_px": WIDTH, "height_px": HEIGHT, "shots_s": starts_s, "faces": truth}
    target.with_suffix(".truth.json").write_text(json.dumps(facts) + "\n", encoding="utf-8")
    write_labels(target.with_suffix(".labels.csv"), truth)


def write_labels(target: Path, truth: Sequence[dict[str, Any]]) -> None:
    """Write the middle of each face's visible part in every sixth picture as a label."""
    with target.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("time_s", "x", "y", "person"))
        for face in truth:
            if face["frame"] % LABEL_EVERY == 0:
                x1, y1, x2, y2 = visible(face["box"])
                middle = (round((x1 + x2) / 2), round((y1 + y2) / 2))
                writer.writerow((f"{seconds(face['frame']):.3f}", *middle, face["person"]))


def main() -> None:
    """Read the command line and write the scenes."""
    parser = argparse.ArgumentParser(description="Make scenes with known persons.")
    place = Path(__file__).parent / "scenes"
    parser.add_argument("--folder", type=Path, default=place, help="where to")
    text = "folders of pictures, named after persons, 250 pixels wide and high as LFW's"
    parser.add_argument("--portraits", type=Path, default=PORTRAITS, help=text)
    parser.add_argument("names", nargs="*", help="scenes (default: all)")
    args = parser.parse_args()
    if not args.portraits.is_dir():
        print(f"no scenes are made: {args.portraits} is missing; give --portraits DIR")
        return
    for scene in SCENES:
        if not args.names or scene.name in args.names:
            write(scene, args.portraits, args.folder)
            print(args.folder / f"{scene.name}.mp4")


if __name__ == "__main__":
    main()
