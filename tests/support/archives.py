"""An archive of people who are drawn, its page, and somebody who visits it."""

import random
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from analyzer.identities.address import open_store
from analyzer.identities.records import (
    CallRecord,
    MediumRecord,
    Settings,
    StoreChange,
    StoredAppearance,
    StoredIdentity,
)
from analyzer.workflows.archive.site import PATH, PeopleSite
from ina_web.server import WebServer

SETTINGS = Settings(model="test", threshold=0.6)
TOKEN = "a-token-that-is-long-enough"
FIRST_DAY = 700_000
SKINS = ("#f6d7c3", "#e8b795", "#c98d63", "#96613f", "#6b4430")
HAIRS = ("#2b211c", "#5b3a24", "#a5703a", "#d9b26a", "#8f8f93", "#7a2e1d")
GROUNDS = ("#b8c9d6", "#d3d8c5", "#e3d3c1", "#c6c2d8", "#c9d9d3")


def drawn_face(number: int) -> bytes:
    """A JPEG (96 px) of a drawn face, nobody's; another for each number."""
    rng = random.Random(number)
    picture = Image.new("RGB", (192, 192), rng.choice(GROUNDS))
    draw = ImageDraw.Draw(picture)
    skin, hair = rng.choice(SKINS), rng.choice(HAIRS)
    wide, high = rng.randint(46, 58), rng.randint(60, 72)
    shoulders = rng.choice(("#3a4a5c", "#6a3d3d", "#3f5c46", "#54466b"))
    draw.ellipse((96 - 84, 164, 96 + 84, 300), fill=shoulders)
    draw.rectangle((96 - 18, 140, 96 + 18, 180), fill=skin)
    long = rng.randint(0, 60)
    draw.ellipse((96 - wide - 12, 98 - high - 14, 96 + wide + 12, 98 + long), fill=hair)
    if long > 25:
        draw.rectangle((96 - wide - 12, 80, 96 + wide + 12, 98 + long), fill=hair)
        draw.rectangle((96 - 18, 140, 96 + 18, 180), fill=skin)
    draw.ellipse((96 - wide, 98 - high, 96 + wide, 98 + high), fill=skin)
    draw.chord(
        (96 - wide, 98 - high, 96 + wide, 98 + high), 200 - rng.randint(0, 25), 340, fill=hair
    )
    apart, down = rng.randint(19, 26), rng.randint(90, 100)
    for side in (-1, 1):
        x = 96 + side * apart
        draw.ellipse((x - 8, down - 5, x + 8, down + 5), fill="white")
        draw.ellipse((x - 4, down - 4, x + 4, down + 4), fill=rng.choice(("#3b2a1d", "#2f4a63")))
        draw.arc((x - 12, down - 18, x + 12, down - 4), 200, 340, fill=hair, width=4)
    draw.arc((90, 100, 102, 120), 30, 150, fill="#0005", width=3)
    smile = rng.randint(14, 24)
    draw.arc((96 - smile, 112, 96 + smile, 142), 20, 160, fill="#8c3f3f", width=4)
    if rng.random() < 0.25:
        for side in (-1, 1):
            x = 96 + side * apart
            draw.rounded_rectangle(
                (x - 15, down - 11, x + 15, down + 12), 8, outline="#222", width=3
            )
    encoded = BytesIO()
    picture.resize((96, 96), Image.Resampling.LANCZOS).save(encoded, "JPEG", quality=82)
    return encoded.getvalue()


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def cast(folder: Path) -> Path:
    """A store of six films and ten people: 1 and 2 are like 0, 4 is like 3 and in one film."""
    path, rng = folder / "people.identities", np.random.default_rng(5)
    store = open_store(str(path), settings=SETTINGS)
    faces = unit(rng.normal(size=(10, 128)))

    def near(who: int, by: float) -> np.ndarray:
        return faces[who] + by * unit(rng.normal(size=(1, 128)))[0]

    faces[1], faces[2] = near(0, 0.8), near(0, 1.0)
    faces[4] = near(3, 0.7)
    for film, who in enumerate(((0, 3, 4), (1, 5), (0, 6), (1, 3, 7), (0, 8), (2, 9, 3))):
        store.match_or_add(
            unit(np.array([near(number, 0.1) for number in who])),
            np.array([40 - 3 * number for number in who]),
            key=str(film),
            distinct=True,
            medium=MediumRecord(
                path=f"films/19{50 + film}/film {film}.mp4",
                day=FIRST_DAY + 365 * film,
                person_ids=tuple(range(len(who))),
                milliseconds=tuple(9000 - 700 * number for number in who),
                portraits=lambda rows, who=who: {row: drawn_face(who[row]) for row in rows},
            ),
        )
    store.close()
    return path


def crowd(folder: Path, people: int, *, films: int = 200) -> Path:
    """A store of very many people, each in one film."""
    path, rng = folder / "crowd.identities", np.random.default_rng(7)
    store = open_store(str(path), settings=SETTINGS)
    means, jpegs = unit(rng.normal(size=(people, 128))), [drawn_face(n) for n in range(60)]
    for film in range(films):
        ids = range(film * people // films, (film + 1) * people // films)
        day, milliseconds = FIRST_DAY + film * 30, rng.integers(1000, 90_000, len(ids)).tolist()
        rows = [
            StoredIdentity(
                id=number,
                centroid=means[number],
                updates=1,
                faces=shown // 200,
                media=1,
                milliseconds=shown,
                first_day=day,
                last_day=day,
            )
            for number, shown in zip(ids, milliseconds, strict=True)
        ]
        seen = [
            StoredAppearance(
                call=0,
                row=row,
                embedding=one.centroid,
                person_id=row,
                faces=one.faces,
                milliseconds=one.milliseconds,
            )
            for row, one in enumerate(rows)
        ]
        faces = sum(one.faces for one in rows)
        change = StoreChange(
            version=film * people // films,
            events=0,
            rows=tuple((one.id, one.pack()) for one in rows),
            counters={
                "identities": len(rows),
                "detected": faces,
                "embedded": faces,
                "saved": faces,
            },
            key=str(film),
            record=CallRecord(ids=tuple(ids), path=f"films/film {film}.mp4", day=day).pack(),
            appearances=tuple(
                (number, one.pack(), jpegs[number % len(jpegs)])
                for number, one in zip(ids, seen, strict=True)
            ),
        )
        assert store.records.write(change) is not None
    store.close()
    return path


@contextmanager
def served(path: Path) -> Iterator[str]:
    """The address of the live page over a store."""
    site = PeopleSite(partial(open_store, str(path), settings=None), "grace")
    server = WebServer("localhost", 0, token=TOKEN, sites={PATH: site})
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"{server.url.rstrip('/')}{PATH}#token={TOKEN}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        site.close()


class Visitor:
    """Somebody at the page, with a mouse or with keys only."""

    def __init__(self, page: Any, *, uses_keys: bool = False) -> None:
        self.page, self.uses_keys = page, uses_keys
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._hear)
        self.requests: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))

    def _hear(self, message: Any) -> None:
        """Keep what the browser complains of; that the server refuses something is no fault."""
        is_refusal = re.search(r"\((Conflict|Unauthorized)\)", message.text)
        if message.type in ("error", "warning") and not is_refusal:
            self.errors.append(message.text)

    def open(self, url: str) -> "Visitor":
        self.page.goto(url)
        self.page.wait_for_selector("body[data-ready]")
        return self

    def do(self, keys: str, selector: str) -> None:
        """Press keys, or click; and wait until what it says is read back."""
        before = self.page.evaluate("document.body.dataset.at")
        if self.uses_keys:
            for key in keys.split():
                self.page.keyboard.press(key)
        else:
            self.page.click(selector)
        self.until(f"document.body.dataset.at !== {before!r}")

    def until(self, condition: str) -> None:
        """Wait; the browser's own way of waiting is against the page's security policy."""
        deadline = time.monotonic() + 20
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, f"{condition}: {self.text('#trouble')}"
            self.page.wait_for_timeout(20)

    def pick(self, identity: int) -> None:
        """Choose a person, with arrows or by a click."""
        if not self.uses_keys:
            self.page.click(f"[data-id='{identity}'] .name")
        else:
            self.page.keyboard.press("Home")
            while self.page.evaluate("app.list.chosen") != identity:
                self.page.keyboard.press("ArrowDown")
        self.until(f"app.view.data && app.view.data.identity === {identity}")

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).first.text_content())

    def alike(self) -> list[int]:
        cards = self.page.locator("[data-alike]").all()
        return [int(card.get_attribute("data-alike")) for card in cards]
