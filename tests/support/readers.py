"""What other people's programs find in the files of the exporters."""

import html
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import lxml.html
import openpyxl
import pandas as pd
import pympi
import pysubs2
import pytest
import webvtt

Row = tuple[int, int, tuple[int, ...]]
"""Track, frame and box."""
Stretch = tuple[str, int, int]
"""Who, and start and end in milliseconds."""


def table(path: Path) -> pd.DataFrame:
    """A CSV file, its cells as text, without the apostrophe that guards a formula."""
    with path.open(newline="", encoding="utf-8") as stream:
        cells = pd.read_csv(stream, dtype=str, keep_default_na=False, lineterminator="\n")
    return cells.map(lambda cell: re.sub(r"^'(?=[=+\-@\t\r\0])", "", cell))


def sheet(path: Path, title: str) -> list[dict[str, Any]]:
    """A sheet of a workbook, a dict a row; formulas would come as formulas."""
    header, *rows = openpyxl.load_workbook(path)[title].values
    return [dict(zip(header, row, strict=True)) for row in rows]


def zipped(path: Path, name: str) -> list[Any]:
    with zipfile.ZipFile(path) as file:
        return [json.loads(line) for line in file.read(name).splitlines()]


def box(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.strip("()").split(",")))


def milliseconds(clock: str) -> int:
    """Of `hh:mm:ss.mmm`."""
    hours, minutes, seconds = clock.split(":")
    return round((int(hours) * 60 + int(minutes)) * 60_000 + float(seconds) * 1000)


# Times on screen.


def of_eaf(path: Path) -> list[Stretch]:
    document = pympi.Eaf(str(path))
    return [
        (name, start, end)
        for name in document.get_tier_names()
        for start, end, *_ in document.get_annotation_data_for_tier(name)
        if name != "shots"
    ]


def of_vtt(path: Path) -> list[Stretch]:
    return [
        (
            re.sub(r"(, [mf])?(, \d+)?$", "", html.unescape(cue.raw_text)),
            milliseconds(cue.start),
            milliseconds(cue.end),
        )
        for cue in webvtt.read(str(path))
    ]


def of_rttm(path: Path) -> list[Stretch]:
    loader = pytest.importorskip("pyannote.database.util")
    return [
        (unquote(label), round(segment.start * 1000), round(segment.end * 1000))
        for annotation in loader.load_rttm(str(path)).values()
        for segment, _, label in annotation.itertracks(yield_label=True)
    ]


def of_json(path: Path) -> list[Stretch]:
    return [
        (person["name"] or f"person {person['person_id']}", round(a * 1000), round(b * 1000))
        for person in json.loads(path.read_text(encoding="utf-8"))["persons"]
        for a, b in person["intervals_s"]
    ]


STRETCHES: dict[str, Callable[[Path], list[Stretch]]] = {
    "eaf": of_eaf,
    "json": of_json,
    "rttm": of_rttm,
    "vtt": of_vtt,
}


# Boxes.


def of_csv(path: Path) -> list[Row]:
    rows = table(path)
    columns = rows["face_id"], rows["frame"], rows["bbox"]
    return [(int(i), int(f), box(b)) for i, f, b in zip(*columns, strict=True)]


def of_mot(path: Path) -> list[Row]:
    """As MOT Challenge's own tools do: frames, tracks and corners count from 1."""
    names = ["frame", "id", "x", "y", "w", "h", "conf", "x3", "y3", "z3"]
    rows = pd.read_csv(path, header=None, names=names)
    assert (rows[["x3", "y3", "z3"]] == -1).all(axis=None)
    assert rows["conf"].between(0, 1).all()
    left, top = rows["x"] - 1, rows["y"] - 1
    columns = rows["id"] - 1, rows["frame"] - 1, left, top, left + rows["w"], top + rows["h"]
    return [
        (i, frame, tuple(corners_of_box))
        for i, frame, *corners_of_box in zip(*columns, strict=True)
    ]


def of_cvat(path: Path) -> list[Row]:
    return [
        (int(track.attrib["id"]), int(b.attrib["frame"]), corners(b))
        for track in ElementTree.parse(path).iter("track")
        for b in track.iter("box")
        if b.attrib["outside"] == "0"
    ]


def corners(element: ElementTree.Element) -> tuple[int, ...]:
    return tuple(int(float(element.attrib[side])) for side in ("xtl", "ytl", "xbr", "ybr"))


def of_parquet(path: Path) -> list[Row]:
    rows = pd.read_parquet(path)
    columns = rows["face_id"], rows["frame"], rows["bbox"]
    return [(i, f, tuple(b.tolist())) for i, f, b in zip(*columns, strict=True)]


def of_xlsx(path: Path) -> list[Row]:
    return [(row["face_id"], row["frame"], box(row["bbox"])) for row in sheet(path, "faces")]


BOXES: dict[str, Callable[[Path], list[Row]]] = {
    "csv": of_csv,
    "cvat": of_cvat,
    "mot": of_mot,
    "parquet": of_parquet,
    "xlsx": of_xlsx,
}


# Names.


def in_subtitle(path: Path) -> set[str]:
    r"""Labels as libass draws them: `\{` a brace, an invisible joiner behind a backslash."""
    texts = [event.text.partition("}")[2] for event in pysubs2.SSAFile.load(str(path))]
    plain = (re.sub(r"\\([{}])", r"\1", text).replace("\u2060", "") for text in texts)
    return {text.removesuffix("  m 40") for text in plain}


def in_annotations(path: Path) -> set[str]:
    bodies = [
        body
        for item in json.loads(path.read_text(encoding="utf-8"))["first"]["items"]
        for body in item["body"]
    ]
    return {body["value"] for body in bodies if body["purpose"] == "identifying"}


def in_page(path: Path) -> set[str]:
    """The facts that a page carries, as a browser parses it."""
    (facts,) = lxml.html.parse(path).xpath(
        "//script[@type='application/json' and @id='facts']/text()"
    )
    return {person["name"] for person in json.loads(facts)["persons"]}


def in_task(path: Path) -> set[str]:
    attributes = ElementTree.parse(path).iterfind(".//box/attribute[@name='name']")
    return {attribute.text or "" for attribute in attributes}


def in_decision_list(path: Path) -> set[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line.removeprefix("* COMMENT: ") for line in lines if line.startswith("* COMMENT: ")}


def in_timeline(path: Path) -> set[str]:
    return {track["name"] for track in json.loads(path.read_bytes())["tracks"]["children"]}


def in_storyline(path: Path) -> set[str]:
    return {clip.attrib["name"] for clip in ElementTree.parse(path).iter("asset-clip")}


NAMES: dict[str, Callable[[Path], set[str]]] = {
    "ass": in_subtitle,
    "characters": lambda path: set(table(path)["name"]),
    "csv": lambda path: set(table(path)["name"]),
    "cvat": in_task,
    "edl": in_decision_list,
    "exchange": lambda path: set(zipped(path, "predictions.json")[0]["predictions"]["0"]),
    "fcpxml": in_storyline,
    "html": in_page,
    "names": lambda path: {p["name"] for p in json.loads(path.read_bytes())["persons"]},
    "otio": in_timeline,
    "parquet": lambda path: set(pd.read_parquet(path)["name"].dropna()),
    "posters": lambda path: set(table(path)["name"]),
    "report": lambda path: {p["name"] for p in _report(path)["persons"]},
    "webannotation": in_annotations,
    "xlsx": lambda path: {row["name"] for row in sheet(path, "persons")},
    **{
        name: lambda path, read=read: {label for label, *_ in read(path)}
        for name, read in STRETCHES.items()
    },
}


def _report(path: Path) -> Any:
    with zipfile.ZipFile(path) as file:
        return json.loads(file.read("report.json"))


# Rows.


def parquet_rows(path: Path) -> list[dict[str, Any]]:
    rows = pd.read_parquet(path, dtype_backend="pyarrow")
    return [
        {name: None if value is pd.NA else value for name, value in row.items()}
        for row in rows.to_dict("records")
    ]


def fragments(path: Path) -> list[tuple[float, float, tuple[int, ...]]]:
    """Start, end and box of each annotation."""
    annotations = []
    for item in json.loads(path.read_text(encoding="utf-8"))["first"]["items"]:
        text = item["target"]["selector"]["value"]
        start, end, *corner_and_size = re.fullmatch(
            r"t=([\d.]+),([\d.]+)&xywh=pixel:(\d+),(\d+),(\d+),(\d+)", text
        ).groups()
        x, y, w, h = map(int, corner_and_size)
        annotations.append((float(start), float(end), (x, y, x + w, y + h)))
    return annotations
