"""The identity store of a call that has no server."""

import json
import os
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

from analyzer.identities import address
from analyzer.identities.encryption import key_file as key_files
from analyzer.options import AnalysisOptions
from joblist.model import is_address


class LocalIdentities:
    """The identity store, and the keys of analyses in it; a context manager.

    Args:
        text: Value of `--identities`.
        options: Options of the analysis.
        threshold: Value of `--identity_threshold`.
        default: File of the store where `text` is empty.
        refine: How many embeddings a centroid is made of at most; `None` for the default.
        key_file: Value of `--identity_key`.

    Raises:
        AnalyzerError: The store cannot be used.
    """

    def __init__(
        self,
        text: str,
        options: AnalysisOptions,
        threshold: float | None,
        *,
        default: Path,
        refine: int | None = None,
        key_file: str | None = None,
    ) -> None:
        self._options = options
        settings = address.settings_for(options.describer, threshold, refine)
        self.store = address.open_store(
            address.address(text, default=default),
            settings=settings,
            key=key_files.read(key_file),
        )

    def __enter__(self) -> "LocalIdentities":
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def call_key(self, path: str | Sequence[str], options: AnalysisOptions | None = None) -> str:
        """Return the key of an analysis: the same medium with the same options counts once.

        Args:
            path: Path of the medium, or those of stills.
            options: Options of this analysis, where they are not those of all.
        """
        given = [path] if isinstance(path, str) else path
        paths = [p if is_address(p) else os.path.realpath(p) for p in given]
        work = json.dumps([(options or self._options).digest(), *paths]).encode()
        return f"local:{blake2b(work, digest_size=16).hexdigest()}"

    def summary(self) -> str:
        """Return the counters of the store in words."""
        return f"{self.store.counters()}: {self.store.name}"
