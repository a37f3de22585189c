"""The identity store of a command that has no server."""

import json
import os
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

from analyzer.identities import address
from analyzer.identities.remember import remember
from analyzer.options import AnalysisOptions
from analyzer.types import MediaReport


class LocalIdentities:
    """People known across media; a context manager.

    Args:
        text: what ``--identities`` was set to.
        options: of the analysis.
        threshold: what ``--identity_threshold`` was set to.
        default: file of the store where ``text`` is empty.

    Raises:
        AnalyzerError: the store cannot be used.
    """

    def __init__(
        self, text: str, options: AnalysisOptions, threshold: float | None, *, default: Path
    ) -> None:
        self._options = options.digest()
        self._store = address.open_store(
            address.address(text, default=default),
            settings=address.settings_for(options.describer, threshold),
        )

    def __enter__(self) -> "LocalIdentities":
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()

    def remember(self, report: MediaReport, path: str | Sequence[str]) -> MediaReport:
        """Know the persons of a medium again; the same medium with the same options counts once."""
        places = [os.path.realpath(p) for p in ([path] if isinstance(path, str) else path)]
        work = json.dumps([self._options, *places]).encode()
        key = f"local:{blake2b(work, digest_size=16).hexdigest()}"
        return remember(report, self._store, key=key)

    def summary(self) -> str:
        """The store's counters in words."""
        return f"{self._store.counters()}: {self._store.name}"
