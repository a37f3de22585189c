"""The page over an archive as one file, for reading: nothing leads out of it."""

import os
import shlex
from pathlib import Path
from typing import Any

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.files.atomic import atomic_write
from analyzer.files.text import open_text
from analyzer.identities import IdentityStore
from analyzer.identities.corrections import user_name
from analyzer.identities.learning.suggestions import REACH
from analyzer.workflows.archive.session import ArchiveSession, opened
from analyzer.workflows.archive.shown import ShownArchive, label

MOST_PORTRAITS = 2000
"""People with a portrait in the file, those in most media: about 8 MB."""
MOST_IN_FULL = 300
"""People with appearances and nearest others in the file, those in most media."""
_LINES = 1000
"""Of the history."""


def write(store: str, path: Path, *, key_file: str | None = None) -> dict[str, int]:
    """Write the page of a store.

    Args:
        store: A path, an address, or `@FILE` with either.
        path: Path of the page.
        key_file: File with the store's key, if it is encrypted.

    Returns:
        How many people are on it, how many of them with a portrait, and how many in full.

    Raises:
        AnalyzerError: The store cannot be read, or the page not be written.
    """
    page = registry.module("pages", "people").create()
    with opened(store, key_file=key_file) as archive:
        _require_other_place(path, archive.name, store.removeprefix("@"), key_file)
        values = content(archive, is_encrypted=key_file is not None)
    text = page.render(values)
    with atomic_write(path) as part, open_text(part) as stream:
        stream.write(text)
    return values["limits"]


def _require_other_place(path: Path, *sources: str | None) -> None:
    """Require that a page does not take the place of the store, or of its key.

    Raises:
        UsageError: It would.
    """
    for source in filter(None, sources):
        if path.exists() and os.path.exists(source) and path.samefile(source):
            raise UsageError(
                f"{path}: the page would take the place of the store or its key: name another file"
            )


def content(store: IdentityStore, *, is_encrypted: bool = False) -> dict[str, Any]:
    """Return what the page of a store holds.

    Args:
        store: Open.
        is_encrypted: Whether commands that open it need its key.
    """
    session, path = ArchiveSession(store, user_name()), Path(store.name)
    # The address of a server may hold a password, and is not here.
    argument = shlex.quote(path.name) if path.is_file() else "STORE"
    key = " --identity_key KEY.key" if is_encrypted else ""
    shown, everybody = ShownArchive(store, session), session.people.most("media")
    portraits = shown.portraits(person.identity for person in everybody[:MOST_PORTRAITS])
    in_full = {
        str(person.identity): shown.person(person.identity) for person in everybody[:MOST_IN_FULL]
    }
    # Who is offered as the same has a portrait, too.
    offered = {one["identity"] for person in in_full.values() for one in person["alike"]}
    lacking = sorted(offered - set(map(int, portraits)))
    return {
        "live": False,
        "reach": REACH,
        "store": label(store.name),
        "command": f"python -m analyzer identities {{}}{key} {argument}",
        "everybody": shown.everybody(),
        "portraits": {**portraits, **shown.portraits(lacking)},
        "persons": in_full,
        "history": shown.history(_LINES),
        "limits": {
            "people": len(everybody),
            "portraits": sum(map(bool, portraits.values())),
            "in_full": len(in_full),
        },
    }
