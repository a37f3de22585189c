"""The page on which people label the drawn faces: crops from the media, nothing of the network."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from analyzer import registry
from analyzer.audit import audit_file, crops, faces, labels
from analyzer.audit.audit_file import Audit
from analyzer.errors import InputError
from analyzer.files.atomic import atomic_write
from analyzer.files.text import open_text
from analyzer.reports import report_file
from analyzer.shares.answers import GROUPS
from analyzer.types import Progress, ProgressHook


def write(
    source: Path, path: Path, note: Callable[[str], None], progress: ProgressHook | None = None
) -> int:
    """Write the page of an audit; return the number of faces on it.

    Args:
        source: File of the audit.
        path: Path of the page.
        note: Function that is called with the reason for missing faces.
        progress: Hook that is called with each report.

    Raises:
        InputError: The audit cannot be read, or none of its media.
        ResourceError: The page cannot be written.
    """
    page = registry.module("pages", "audit").create()
    audit = audit_file.read(source)
    pictures = _crops(audit, note, progress)
    if not pictures:
        raise InputError(f"{source}: no face is found again: were the media moved or replaced?")
    text = page.render(content(audit, pictures))
    with atomic_write(path) as part, open_text(part) as stream:
        stream.write(text)
    return len(pictures)


def content(audit: Audit, pictures: dict[int, crops.Crop]) -> dict[str, Any]:
    """Return what the page shows: it tells raters nothing of the network or the medium.

    Args:
        audit: The audit.
        pictures: Crop of each face, by its number.
    """
    return {
        "audit": audit.identifier,
        "heads": list(audit.heads),
        "ages": list(GROUPS["age"]),
        "cannot_tell": labels.CANNOT_TELL,
        "no_face": labels.NO_FACE,
        "columns": list(labels.COLUMNS),
        "format": labels.FORMAT,
        "faces": [
            {
                "face": face,
                "box": list(pictures[face].box),
                "jpeg": base64.b64encode(pictures[face].jpeg).decode("ascii"),
            }
            for face in sorted(pictures)
        ],
    }


def _crops(
    audit: Audit, note: Callable[[str], None], progress: ProgressHook | None
) -> dict[int, crops.Crop]:
    names = sorted({face.report for face in audit.faces})
    numbers = {name: number for number, name in enumerate(names)}
    rows = np.array([face.row for face in audit.faces], np.int64)
    reports = np.array([numbers[face.report] for face in audit.faces], np.int64)
    pictures: dict[int, crops.Crop] = {}
    for number, places in faces.by_report(rows, reports):
        if progress is not None:
            progress(Progress(stage="portraits", done=number, total=len(names)))
        try:
            report = report_file.load(Path(names[number]))
        except InputError as error:
            note(str(error))
            continue
        cut = dict(crops.cut(report, rows[places].tolist(), note))
        for index in places.tolist():
            if rows[index] in cut:
                pictures[audit.faces[index].face] = cut[int(rows[index])]
    return pictures
