"""People named once, on the page of one film: known in earlier and in later ones; all undone."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analyzer.demo.sample import HEIGHT, RATE, WIDTH, Panel, SampleShot, SampleView, encoder
from analyzer.demo.sample import portraits as portraits_of_sample
from analyzer.reports import report_file
from tests.support.media import portraits
from tests.support.processes import run_module
from tests.support.servers import table

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
EXPORTS = "csv,characters,ass,vtt,html,json,xlsx,parquet,eaf,report"
SHOT = 60
"""Pictures."""
VIEWS = {
    "astronaut": [(256, 190, 360), (236, 150, 270), (190, 150, 250)],
    "hopper": [(235, 240, 410), (280, 235, 380), (256, 270, 500)],
}
"""Where a camera looks at the sample's two persons: centre and height."""
OF_PORTRAIT = [(125, 125, 240), (125, 120, 200), (130, 130, 220)]
FILMS = {
    "one": ("astronaut", "hopper", "portrait 0", "portrait 1"),
    "two": ("portrait 1", "hopper", "astronaut"),
    "three": ("portrait 0", "astronaut", "portrait 2", "hopper"),
}
"""Who is in the shots of each film."""
NAMES = {"astronaut": "Ada Lovelace", "hopper": "Émilie du Châtelet", "portrait 0": "Nobody <0>"}


def shot(picture: str, number: int) -> SampleShot:
    """A camera that moves from one view of somebody to the next."""
    views = [SampleView(*view) for view in VIEWS.get(picture, OF_PORTRAIT)]
    start, end = views[number % 3], views[(number + 1) % 3]
    return SampleShot(SHOT, (Panel(picture, start, end),))


def write_film(target: Path, cast: tuple[str, ...], number: int, shared: Path) -> None:
    people = sorted(portraits(shared).iterdir())
    pictures = dict(portraits_of_sample())
    for of in range(3):
        with Image.open(min(people[3 * of].iterdir())) as picture:
            pictures[f"portrait {of}"] = np.asarray(picture.convert("RGB"))
    process = encoder(target, SHOT * len(cast))
    screen = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for picture in cast:
        taken = shot(picture, number)
        for frame in range(SHOT):
            taken.panels[0].draw(screen, pictures[picture], frame / (SHOT - 1))
            process.stdin.write(screen.tobytes())
    process.stdin.close()
    assert process.wait() == 0


def run(folder: Path, *words: object) -> str:
    code, text = run_module("analyzer", *words, cwd=folder)
    assert code == 0, text
    return text


def analyse(folder: Path, film: str) -> None:
    run(folder, "analyze", f"{film}.mp4", "-o", "out", "--fps", "5", "--export", EXPORTS,
        "--identities", "people.identities")  # fmt: skip


def who(folder: Path, film: str) -> dict[str, tuple[str, str]]:
    """Person number and name of who is seen in a film, by the picture."""
    cast = FILMS[film]
    faces = table(folder / "out" / f"{film}.csv")
    seen = {}
    for number, picture in enumerate(cast):
        start, end = (float(SHOT * n / RATE) for n in (number, number + 1))
        inside = [f for f in faces if start + 0.1 < float(f["time_s"]) < end - 0.1]
        found = {(face["person_id"], face["name"]) for face in inside}
        assert len(found) == 1, (film, picture, found)
        seen[picture] = found.pop()
    return seen


def names(folder: Path, film: str) -> dict[str, str]:
    return {picture: name for picture, (_, name) in who(folder, film).items()}


def expected(film: str) -> dict[str, str]:
    return {picture: NAMES.get(picture, "") for picture in FILMS[film]}


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted((folder / "out").glob("[!.]*"))
    return {path.name: path.read_bytes() for path in files}


def write_corrections(folder: Path, film: str) -> Path:
    """What the film's page saves when its persons are named."""
    report = report_file.summary(folder / "out" / f"{film}.report.zip")
    about = {
        "uri": report.info.uri,
        "name": f"{film}.mp4",
        "options": report.provenance["options_digest"],
    }
    renamed = [
        {"op": "rename", "person": int(person), "name": NAMES[picture]}
        for picture, (person, _) in who(folder, film).items()
        if picture in NAMES
    ]
    page = {"format": "ina-corrections", "version": 1, "source": about, "corrections": renamed}
    (folder / "corrections.json").write_text(json.dumps(page))
    return folder / "corrections.json"


def numbers(folder: Path) -> dict[str, str]:
    """The number of each person who has a name in the store."""
    listed = json.loads(run(folder, "identities", "list", "people.identities", "--format", "json"))
    return {person["name"]: str(person["identity"]) for person in listed if person["name"]}


def test_named_in_one_film_and_known_in_all(shared: Path, tmp_path: Path) -> None:
    for number, (film, cast) in enumerate(FILMS.items()):
        write_film(tmp_path / f"{film}.mp4", cast, number, shared)
    analyse(tmp_path, "one")
    analyse(tmp_path, "two")
    unnamed = contents(tmp_path)
    assert set(names(tmp_path, "two").values()) == {""}
    write_corrections(tmp_path, "one")
    run(tmp_path, "correct", "out/one.report.zip", "corrections.json",
        "--identities", "people.identities")  # fmt: skip
    assert names(tmp_path, "one") == expected("one")
    assert numbers(tmp_path).keys() == set(NAMES.values())

    analyse(tmp_path, "three")
    assert names(tmp_path, "three") == expected("three"), "a later film"
    assert contents(tmp_path)["two.csv"] == unnamed["two.csv"]
    run(tmp_path, "reexport", "out", "--names", "people.identities")
    assert names(tmp_path, "two") == expected("two"), "an earlier film"
    for kind in ("csv", "characters.csv", "ass", "vtt", "html", "report.json", "eaf"):
        assert NAMES["astronaut"] in (tmp_path / "out" / f"two.{kind}").read_text("utf-8"), kind
    before = contents(tmp_path)
    assert before["two.report.zip"] == unnamed["two.report.zip"], "reports are not touched"

    by_name = numbers(tmp_path)
    both = [by_name[NAMES[picture]] for picture in ("hopper", "portrait 0")]
    run(tmp_path, "identities", "merge", "people.identities", *both)
    run(tmp_path, "reexport", "out", "--names", "people.identities")
    merged = contents(tmp_path)
    films = {name.partition(".")[0] for name in merged if merged[name] != before[name]}
    # In the first film, the names are those of its own page; the number is not.
    assert films == {"one", "three"}
    assert names(tmp_path, "three")["portrait 0"] == NAMES["hopper"]
    run(tmp_path, "identities", "undo", "people.identities")
    run(tmp_path, "reexport", "out", "--names", "people.identities")
    after = contents(tmp_path)
    assert after.keys() == before.keys()
    assert [name for name in after if after[name] != before[name]] == []
