"""Files that a run reads, or keeps for itself, and that no result may replace."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from analyzer.errors import AnalyzerError
from joblist.clashes import Reserved
from jobs.ledger.store import files_of
from jobs.server.local_workers import log_path
from jobs.wire import tokens

MAX_FILES = 10_000
"""Files of one folder."""
DATABASE_ENDINGS = ("", "-journal", "-wal", "-shm", ".lock")
CERTIFICATES = ("ca.pem", "server.pem", "server.key", "worker.pem", "worker.key", "token")


def of_options(args: argparse.Namespace, options: Mapping[str, Any]) -> Reserved:
    """Return the files that the options of a command name, and how to find those of a gallery.

    Args:
        args: Arguments of the command.
        options: Options of the analysis.
    """
    from analyzer.weights import locate

    files: dict[str, str] = {}
    if config := getattr(args, "config", None):
        files[config] = "the file of --config"
    if models := os.environ.get(locate.FOLDER_VARIABLE):
        files |= dict.fromkeys(_files_in(models), "a model")
    for name, value in options.items():
        for text in value if isinstance(value, list | tuple) else [value]:
            # A plug-in, or one with options: detector:model=FILE.
            pieces = {text, *re.split(r"[:,=]", text)} if isinstance(text, str) else ()
            files |= dict.fromkeys(filter(os.path.isfile, pieces), f"a file that --{name} names")
    files |= dict.fromkeys(_identity_files(args), "the identity store")
    if key_file := getattr(args, "identity_key", None):
        files[key_file] = "the file of --identity_key"
    return Reserved(files, _gallery_files)


def of_server(args: argparse.Namespace, options: Mapping[str, Any], ledger: Path) -> Reserved:
    """Return the files that a server reads or keeps, and what they are.

    Args:
        args: Arguments of `ina.server_options.server_parser`.
        options: Options of the analysis.
        ledger: Path of the ledger.
    """
    named = of_options(args, options)
    files = {**named.files, **files_of(ledger)}
    for number in range(1, args.workers + 1):
        files[str(log_path(ledger, number))] = "the log of a worker"
    if args.token_file:
        files[str(args.token_file)] = "the file of --token_file"
    if args.certs:
        names = (os.path.join(args.certs, name) for name in CERTIFICATES)
        files |= dict.fromkeys((*_files_in(args.certs), *names), "a file of --certs")
    # The port may not be known yet.
    files[f"{tokens.folder()}/"] = "in the folder of tokens"
    return replace(named, files=files)


def _gallery_files(folder: str) -> Iterator[str]:
    from analyzer.gallery.folder import files_of as files_of_gallery

    yield from map(str, files_of_gallery(folder))


def _files_in(folder: str) -> list[str]:
    walked = (os.path.join(place, name) for place, _, names in os.walk(folder) for name in names)
    return list(islice(walked, MAX_FILES))


def _identity_files(args: argparse.Namespace) -> Iterator[str]:
    from analyzer.identities import address

    text = getattr(args, "identities", None)
    if not text:
        return
    if text.startswith("@"):
        yield text[1:]
    # What is wrong with an address is told where it is opened.
    with suppress(AnalyzerError):
        if path := address.file_of(address.address(text, default=Path())):
            yield from (f"{path}{ending}" for ending in DATABASE_ENDINGS)
