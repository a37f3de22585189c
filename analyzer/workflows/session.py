"""One call of `analyze` over many items: what is loaded once and used for all of them."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.gallery.folder import Galleries
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import Components, begin_components
from analyzer.reports import corrections_file
from analyzer.workflows.analyze import Request, analyze
from analyzer.workflows.exports import write_exports
from analyzer.workflows.fetching import on_disk, with_https
from analyzer.workflows.items import Item
from analyzer.workflows.observer import Observer, PoolObserver, ShardPool, WholeObserver
from analyzer.workflows.selection import select_items
from joblist.shard import Shard

if TYPE_CHECKING:
    from analyzer.workflows.local_identities import LocalIdentities

__all__ = ["AnalysisSession", "analyze", "on_disk", "select_items", "with_https", "write_exports"]


class AnalysisSession:
    """Components, observer, galleries and identity store of one call; a context manager.

    Args:
        options: Options of the analysis.
        threads: CPU threads; 0 for every core.
        shards: Shards into which each medium is divided; `None` for whole media.
        identities: Address of the identity store; empty for a file in `folder`; `None` for none.
        identity_threshold: Distance below which two are one person; `None` for the describer's.
        identity_key: File with the key of an encrypted identity store.
        refine_limit: How many media a person's mean is made of at most; `None` for the default.
        folder: Folder of the default identity store.
        ahead: Whether the first medium may be opened while components are still loading; what is
            wrong with them is then raised by `require_loaded`, or by their first use.

    Raises:
        AnalyzerError: A component or the identity store cannot be used.
    """

    def __init__(
        self,
        options: AnalysisOptions,
        *,
        threads: int = 0,
        shards: Sequence[Shard] | None = None,
        identities: str | None = None,
        identity_threshold: float | None = None,
        identity_key: str | None = None,
        refine_limit: int | None = None,
        folder: Path,
        ahead: bool = False,
    ) -> None:
        self.components = begin_components(options, threads=threads)
        if shards is not None or not ahead:
            self.require_loaded()
        self._pool: ShardPool | None = None
        self.identities: LocalIdentities | None = None
        self._galleries = Galleries(self.components)
        self._noted: set[str] = set()
        with ExitStack() as stack:
            if shards is not None:
                self._pool = stack.enter_context(ShardPool(self.components, shards))
            if identities is not None:
                self.identities = stack.enter_context(
                    _identities(
                        identities, options, identity_threshold, refine_limit, identity_key, folder
                    )
                )
            self._stack = stack.pop_all()

    def __enter__(self) -> "AnalysisSession":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def require_loaded(self) -> None:
        """Wait until the components are loaded, which goes on while the first medium is decoded.

        Raises:
            AnalyzerError: A component cannot be used, so no medium can be analysed.
        """
        self.components.loading.result()

    def machinery(self, item: Item) -> tuple[Components, Observer]:
        """Return components and observer of an item, for its range of the medium."""
        components = self.components.within(item.start_s, item.stop_s)
        if self._pool is None:
            return components, WholeObserver(components)
        return components, PoolObserver(self._pool, components)

    def request(self, item: Item, *, corrected: bool) -> Request:
        """Return the request for one item; its gallery and corrections are read.

        Args:
            item: The item.
            corrected: Whether corrections of an earlier analysis are applied again.

        Raises:
            InputError: The gallery or the corrections cannot be read.
        """
        return Request(
            path=item.medium,
            missing=item.missing,
            gallery=self._galleries.get(item.gallery) if item.gallery else None,
            poster=item.posters[0] if item.posters else None,
            corrections=corrections_file.read_if_there(item.corrections) if corrected else None,
            identities=self.identities.store if self.identities else None,
            call_key=self._call_key(item),
            notes=item.notes,
        )

    def _call_key(self, item: Item) -> str:
        """Return the key of an item in the identity store; empty without a store."""
        if not self.identities:
            return ""
        options = self.components.within(item.start_s, item.stop_s).options
        return self.identities.call_key(item.address or item.medium, options)

    def new_notes(self, request: Request) -> list[str]:
        """Return the notes on a request's gallery that no request before had."""
        notes = request.gallery.notes if request.gallery else ()
        new = [note for note in dict.fromkeys(notes) if note not in self._noted]
        self._noted.update(new)
        return new


def _identities(
    address: str,
    options: AnalysisOptions,
    threshold: float | None,
    refine: int | None,
    key_file: str | None,
    folder: Path,
) -> "LocalIdentities":
    """Return the identity store; see `AnalysisSession`."""
    # It brings libraries that most calls do without.
    from analyzer.workflows.local_identities import LocalIdentities

    return LocalIdentities(
        address,
        options,
        threshold,
        default=folder / "people.identities",
        refine=refine,
        key_file=key_file,
    )
