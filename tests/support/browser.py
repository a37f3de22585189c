"""A review page in a browser."""

import base64
import re
import shutil
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")


def binary() -> str:
    """The path of a Chromium; skips the test where there is none."""
    path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if path is None:
        pytest.skip("no Chromium: apt-get install chromium")
    return path


class Review:
    """A review page that is open; its errors and requests are kept."""

    def __init__(self, page: Any, path: Path) -> None:
        self.page = page
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda m: m.type in ("error", "warning") and self.errors.append(m.text))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(path.absolute().as_uri())
        page.wait_for_selector("body[data-ready]", timeout=20_000)

    def until(self, condition: str) -> None:
        """Wait; the browser's own way of waiting is against the page's security policy."""
        deadline = time.monotonic() + 20
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, condition
            self.page.wait_for_timeout(20)

    def playable(self) -> "Review":
        """Wait until the video shows its first picture."""
        self.until("document.getElementById('video').readyState >= 2")
        self.page.wait_for_timeout(300)
        return self

    def without_video(self) -> "Review":
        """Wait until the page has told that there is none; the browser's own words are expected."""
        self.page.wait_for_selector("#trouble:not([hidden])")
        self.errors = [error for error in self.errors if "ERR_FILE_NOT_FOUND" not in error]
        return self

    def seek(self, time_s: float) -> None:
        """Move the slider."""
        script = "(e, t) => { e.value = t; e.dispatchEvent(new Event('input')); }"
        self.page.eval_on_selector("#seek", script, time_s)
        self.settle()

    def settle(self) -> None:
        """Wait for a seek to end and its picture to be drawn."""
        self.until("!document.getElementById('video').seeking")
        self.page.wait_for_timeout(150)

    def text(self, selector: str) -> str:
        """What stands in the first element."""
        return str(self.page.locator(selector).first.text_content())

    @property
    def time_s(self) -> float:
        """What the clock says."""
        minutes, seconds = self.text("#clock").split(" / ")[0].split(":")
        return 60 * int(minutes) + float(seconds)

    def intervals(self, person: int) -> list[tuple[float, float]]:
        """The stretches of time on a character's bar."""
        drawn = self.page.locator(f"[data-person='{person}'] path").get_attribute("d")
        return [(float(a), float(b)) for a, b in re.findall(r"M([\d.e-]+) 0H([\d.e-]+)V", drawn)]

    def until_said(self, text: str) -> None:
        """Wait until the page has said something of a correction."""
        self.page.get_by_role("status").filter(has_text=text).first.wait_for(timeout=10_000)

    def in_view(self) -> bool:
        """Whether most of the video can be seen without scrolling."""
        script = """() => {
            const stage = document.getElementById("stage");
            const { top, bottom, height } = stage.getBoundingClientRect();
            return (Math.min(bottom, innerHeight) - Math.max(top, 0)) / height;
        }"""
        return bool(self.page.evaluate(script) > 0.9)

    def boxes(self) -> np.ndarray:
        """(H, W, 4) pixels of the canvas alone."""
        address = self.page.eval_on_selector("#boxes", "canvas => canvas.toDataURL()")
        with Image.open(BytesIO(base64.b64decode(address.partition(",")[2]))) as picture:
            return np.asarray(picture.convert("RGBA"))

    def seen(self, folder: Path) -> np.ndarray:
        """(H, W, 3) the video with its boxes, as on the screen."""
        path = folder / "stage.png"
        self.page.locator("#stage").screenshot(path=str(path))
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGB"))
