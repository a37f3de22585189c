"""Page to review one video: boxes over the player, characters, timelines, corrections.

One file without any reference but that to the video: its content security policy forbids the
network, and all scripts and styles but its own. docs/review.md says how to use it.
"""

import base64
import json
import logging
import re
from pathlib import Path
from typing import Any, ClassVar

import av
import jinja2
from markupsafe import Markup
from PIL import ImageFont

from analyzer.errors import AnalyzerError, UsageError
from analyzer.export import _addresses, _page_data, _proxy
from analyzer.export._rows import require_video
from analyzer.files import source
from analyzer.files.containers import explained, picture_stream
from analyzer.files.hashing import policy_hash
from analyzer.files.text import open_text
from analyzer.inference.runtime import Runtime
from analyzer.reports import portraits
from analyzer.types import MediaReport, ProgressHook
from joblist.beneath import final_folder

_FOLDER = Path(__file__).with_name("_page")
_LOG = logging.getLogger(__name__)
_MAX_PORTRAITS, _MAX_PORTRAITS_EACH = 600, 12
"""Limits of portraits in all, which limits the page's size, and per person."""
_PORTRAIT_PX = 112
_FONT_PX = 20
"""Any size: the data of the font are of all sizes."""
_SCRIPTS = (
    *("data.js", "faces.js", "corrections.js", "shown.js", "model.js", "sources.js"),
    *("player.js", "parts.js", "shares.js", "characters.js", "here.js", "drawing.js", "view.js"),
    *("keys.js", "main.js"),
)
"""Each uses those before it."""


_SPEC = re.compile(rb'<meta name="ina-export" content="(html:proxy=[a-z]+)">')
_HEAD_BYTES = 4096


def create(*, proxy: str = "auto", runtime: Runtime) -> "HtmlExporter":
    """Page to review a video and correct who is who; proxy: auto, always, never a small copy.

    Args:
        proxy: Whether the page holds a small copy of the video: `auto`, where browsers do not
            play it; `always`; `never`.
        runtime: Of no meaning here.
    """
    if proxy not in _proxy.KINDS:
        raise UsageError(f"html: proxy={proxy}: give {', '.join(_proxy.KINDS)}")
    return HtmlExporter(proxy)


class HtmlExporter:
    """Writes the page; see `analyzer.export.KeepsOptions`."""

    suffix: ClassVar[str] = ".html"

    def __init__(self, proxy: str = "auto") -> None:
        self._proxy = proxy

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the page; a medium without faces gives one without characters.

        Raises:
            UsageError: The report is of a still.
            ResourceError: The file cannot be written.
        """
        require_video(report, "html")
        text = _render(report, final_folder(path), progress, self._proxy)
        with open_text(path) as stream:
            stream.write(text)

    def spec_of(self, path: Path) -> str:
        """Return the spec of the exporter that wrote a page; without options if it tells none."""
        try:
            with path.open("rb") as stream:
                spec = _SPEC.search(stream.read(_HEAD_BYTES))
        except OSError:
            spec = None
        return spec[1].decode("ascii") if spec else "html"


def _render(report: MediaReport, folder: Path, progress: ProgressHook | None, proxy: str) -> str:
    """Return the page of a report, for a file in a folder."""
    layout, packed = _page_data.pack(_page_data.rows(report))
    pictures = _portraits(report, progress)
    copy, notes = _proxy.make(report, proxy)
    for note in notes:
        _LOG.warning("%s: %s", report.info.uri, note)
    values = {
        **_page_data.facts(report, folder, _start_times(report)),
        "columns": layout,
        **pictures,
        "notes": [*pictures["notes"], *notes],
    }
    template, style, *scripts = (
        _FOLDER.joinpath(name).read_text(encoding="utf-8")
        for name in ("page.html.j2", "page.css", *_SCRIPTS)
    )
    script, style = "\n".join(scripts), style + _font_face()
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(template).render(
        name=values["medium"]["name"],
        script=Markup(script),
        script_hash=policy_hash(script),
        style=Markup(style),
        style_hash=policy_hash(style),
        facts=_json_markup(values),
        packed=packed,
        spec=f"html:proxy={proxy}",
        copy=base64.b64encode(copy).decode("ascii"),
    )


def _font_face() -> str:
    """Return the rule for the subtitle's font: labels have room for its letters, as measured."""
    font: Any = ImageFont.load_default(_FONT_PX)
    data = base64.b64encode(font.font_bytes).decode("ascii")
    source = f'url("data:font/otf;base64,{data}") format("opentype")'
    return f'@font-face {{ font-family: "Label"; src: {source}; }}\n'


def _portraits(report: MediaReport, progress: ProgressHook | None) -> dict[str, Any]:
    """Return pictures of tracks as base64, the index of each person's best track, and all notes."""
    notes: list[str] = []
    index = report.row_tracks()
    most = max(1, min(_MAX_PORTRAITS_EACH, _MAX_PORTRAITS // max(1, len(report.persons))))
    rows = list(portraits.of_tracks(report, most=most).values())
    jpegs = portraits.cut(report, rows, side_px=_PORTRAIT_PX, note=notes.append, progress=progress)
    for note in notes:
        _LOG.warning("%s: %s", report.info.uri, note)
    pictures = {int(index[row]): base64.b64encode(jpeg).decode() for row, jpeg in jpegs.items()}
    best = {person: int(index[row]) for person, row in portraits.best(report).items()}
    return {"pictures": pictures, "best": best, "notes": [*report.notes, *notes]}


def _json_markup(values: Any) -> Markup:
    """Return JSON that cannot end an element of the page, whatever characters names have."""
    return Markup(json.dumps(values, separators=(",", ":")).replace("<", "\\u003c"))


def _start_times(report: MediaReport) -> tuple[float, float]:
    """Return the start of the container and of its first picture, in seconds; 0 without a file.

    Some browsers count from the start of the container, others from 0.
    """
    try:
        with (
            explained(report.info.uri),
            source.held(report.info.uri) as path,
            av.open(
                _addresses.ffmpeg_url(path),
                options=_addresses.OPEN_OPTIONS,
                metadata_errors="replace",
            ) as container,
        ):
            origin = (container.start_time or 0) / av.time_base
            video = picture_stream(container)
            if video is None or not video.time_base:
                return origin, 0.0
            return origin, float((video.start_time or 0) * video.time_base) - origin
    except AnalyzerError:
        return 0.0, 0.0
