"""Identity stores: persons are recognised across media."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from analyzer.identities.log.events import Place
from analyzer.identities.log.people import People
from analyzer.identities.records import (
    Counters,
    Matches,
    MediumRecord,
    Settings,
    StoreChange,
    StoreChanges,
    StoredIdentity,
    StoreRewrite,
)
from analyzer.types import F32, I64


class IdentityStore(Protocol):
    """All people met so far; any number of processes share one. An object is for one thread.

    All calls raise `ResourceError` where the disk or the server gives out.
    """

    name: str
    """Its address as people may read it: without a password."""
    settings: Settings
    """How it was made to match."""

    def match(self, embeddings: F32) -> Matches:
        """Look people up; nothing changes.

        Args:
            embeddings: (n, D), of any length but 0.

        Raises:
            UsageError: Embeddings of another D than the store's.
            ValueError: One is not finite, or of length 0.
        """
        ...

    def match_or_add(
        self,
        embeddings: F32,
        counts: I64,
        *,
        key: str,
        detected: int | None = None,
        distinct: bool = False,
        medium: MediumRecord | None = None,
    ) -> I64:
        """Know people again, and add those that are new.

        Each embedding is compared with all centroids as they stand before the call; those that are
        like none are compared with each other, in their order. However many processes call at once,
        one person is added once.

        Args:
            embeddings: (n, D), of any length but 0; n may be 0.
            counts: (n,) how many faces each stands for.
            key: Name of the call, such as the job's with a number. A call with a key that the store
                knows changes nothing and has the first one's answer: who lost an answer asks again.
            detected: Faces that were found, those without an embedding too; by default, the sum of
                `counts`.
            distinct: Whether the embeddings are known to be of different people: then no two get
                the same identity. The nearest pair comes first, and who is left without an
                identity is a new one.
            medium: Where the people were seen, with what is kept of each; (n,) fields.

        Returns:
            (n,) the identity of each.

        Raises:
            UsageError: Embeddings of another D than the store's.
            OtherCall: The key is that of a call with another n.
            ValueError: An embedding is not finite or of length 0, a count is negative, or
                `detected` is less than the sum of `counts`.
        """
        ...

    def get(self, identity: int) -> StoredIdentity | None:
        """Return one identity, or `None` where it is not there or was forgotten."""
        ...

    def facts(self) -> I64:
        """Return the facts of all identities as followed last, (size, 6) in the order of `FACTS`.

        Those of identities that are not there are zero.
        """
        ...

    def cosines(self, identity: int) -> F32:
        """Return cosines (size,) of an identity's mean with all, as followed last."""
        ...

    def near(self, ids: I64, least: float) -> tuple[I64, I64, F32]:
        """Return all pairs of identities (n,) with others, by a cosine of means above `least`.

        Returns:
            (k,) of `ids`, (k,) the other's, and (k,) the cosine of each pair, as followed last.
        """
        ...

    def all(self) -> Iterator[StoredIdentity]:
        """Yield every identity by its number; those added meanwhile may come or not."""
        ...

    def people(self) -> People:
        """Return who is who now, as people said; and follow what changed."""
        ...

    @property
    def records(self) -> "Records":
        """Where its rows are kept."""
        ...

    @property
    def version(self) -> int:
        """Version that was followed last."""
        ...

    @property
    def size(self) -> int:
        """Ids given up to that version: the next one."""
        ...

    def on_wait(self) -> None:
        """Tell those who opened the store that a call goes on."""
        ...

    def counters(self) -> Counters:
        """Return what was counted."""
        ...

    def close(self) -> None:
        """Give connections back."""
        ...


class Records(Protocol):
    """Where a store keeps its rows; each call is atomic.

    The version grows by one with every row that changes, and the row keeps it: rows can be followed
    in the order of their changes, and the row of an identity that is not there any more stays,
    empty, to tell of it. The log only grows.
    """

    def settings(self, requested: Settings | None) -> Settings:
        """Return the store's settings; `requested` become those of a new store.

        Raises:
            UsageError: There is no store, and none is wanted; or it is not one of ours.
        """
        ...

    def changes(self, version: int, events: int) -> StoreChanges:
        """Return what changed after this version, or the first part of it, and the log's rest.

        Args:
            version: Known so far.
            events: Entries of the log known so far.
        """
        ...

    def write(self, change: StoreChange) -> bytes | None:
        """Write it, if the store still has its version, and the log its length.

        Returns:
            The record of the call with this key, now or earlier; without a key, the change's;
            `None`, and nothing is written, where the store went on.
        """
        ...

    def rewrite(self, change: StoreRewrite) -> bool:
        """Write all values in another form; `False`, and nothing is written: the store went on.

        Values in the old form are in no file of the store after that, but for what `scrub` sees to.
        """
        ...

    def scrub(self) -> str:
        """Have what was erased overwritten in files that keep it after `write` and `rewrite`.

        That takes as long as to copy the store, where something was erased since the last time.

        Returns:
            What the user must do about it; empty where nothing is left.
        """
        ...

    def size(self) -> int:
        """Return the number of ids given so far, those of forgotten persons too."""
        ...

    def calls_made(self) -> int:
        """Return the number of calls, which is that of the last one."""
        ...

    def rows(self, first: int, end: int) -> list[tuple[int, bytes]]:
        """Return the identities with these numbers, `end` not among them, and their rows."""
        ...

    def appearances(self, identity: int) -> list[tuple[int, int, bytes]]:
        """Return call, row and record of an identity's appearances, in the order of calls."""
        ...

    def calls_of(self, identity: int) -> list[int]:
        """Return the numbers of the calls of an identity's appearances, each once, in order."""
        ...

    def calls(self, numbers: Sequence[int]) -> list[bytes]:
        """Return the records of calls (n,)."""
        ...

    def portraits(self, places: Sequence[Place]) -> list[bytes]:
        """Return the JPEGs of appearances (n,); empty where there is none."""
        ...

    def counters(self) -> Counters:
        """Return what was counted."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...
