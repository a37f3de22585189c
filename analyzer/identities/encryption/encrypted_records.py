"""Rows of a store, encrypted before they are written and decrypted after they are read.

What stays readable is listed in docs/identities.md.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from analyzer.errors import UsageError
from analyzer.identities import Records
from analyzer.identities.encryption import cipher
from analyzer.identities.encryption.cipher import Cipher
from analyzer.identities.log.events import Place
from analyzer.identities.records import (
    Counters,
    Settings,
    StoreChange,
    StoreChanges,
    StoreRewrite,
    damage_named,
)


class EncryptedRecords:
    """Rows of an encrypted store, in the clear; see `analyzer.identities.Records`.

    Args:
        inner: Where the ciphertext is kept.
        name: Name of the store, as people may read it.
        key: That of the key file.
    """

    def __init__(self, inner: Records, name: str, key: bytes) -> None:
        self.inner = inner
        self._name = name
        self._key = key
        self._mark = ""

    def settings(self, requested: Settings | None) -> Settings:
        """Return the store's settings, as those of one in the clear; a new one is encrypted.

        Raises:
            UsageError: The store is encrypted with another key, or not at all.
        """
        stored = self.inner.settings(requested and cipher.sealed(self._key, requested))
        if not stored.cipher:
            raise UsageError(
                f"{self._name} is not encrypted: leave --identity_key out, or encrypt it with "
                "`python -m analyzer identities rekey`"
            )
        with damage_named(self._name):
            found = cipher.opened(self._key, stored)
        if found is None:
            raise UsageError(
                f"{self._name} is encrypted with another key: give --identity_key with the file "
                "of its own"
            )
        self._cipher: Cipher = found
        self._mark = stored.cipher
        return replace(stored, cipher="")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Say what values are that do not open."""
        try:
            with damage_named(self._name):
                yield
        except UsageError as error:
            if self.inner.settings(None).cipher != self._mark:
                raise UsageError(
                    f"{self._name} has another key since: open it again, with that"
                ) from error
            raise

    def changes(self, version: int, events: int) -> StoreChanges:
        """Return what changed after a version."""
        found = self.inner.changes(version, events)
        first = 1 if found.anew else events + 1
        with self._reading():
            rows = zip(found.ids.tolist(), found.rows, strict=True)
            return replace(
                found,
                rows=tuple(self._decrypt("identity", (number,), row) for number, row in rows),
                entries=tuple(
                    self._decrypt("event", (number,), entry)
                    for number, entry in enumerate(found.entries, first)
                ),
            )

    def write(self, change: StoreChange) -> bytes | None:
        """Write it, if the store did not go on."""
        encrypt, key = self._cipher.encrypt, change.key
        number = self.inner.calls_made() + 1 if key is not None else 0
        record = b"" if key is None else self._cipher.encrypt_call(number, key, change.record)
        answer = self.inner.write(
            replace(
                change,
                rows=tuple((i, row and encrypt("identity", (i,), row)) for i, row in change.rows),
                key=None if key is None else self._cipher.digest(key),
                number=None if key is None else number,
                record=record,
                appearances=tuple(
                    (
                        identity,
                        encrypt("appearance", (number, row), packed),
                        jpeg and encrypt("portrait", (number, row), jpeg),
                    )
                    for row, (identity, packed, jpeg) in enumerate(change.appearances)
                ),
                entries=tuple(
                    encrypt("event", (n,), entry)
                    for n, entry in enumerate(change.entries, change.events + 1)
                ),
                rewritten=tuple(
                    (n, encrypt("event", (n,), entry)) for n, entry in change.rewritten
                ),
            )
        )
        if answer is None or key is None or answer == record:
            return None if answer is None else change.record
        with self._reading():
            _, answered, earlier = self._cipher.decrypt_call(answer)
            if answered != key:
                raise ValueError("the record of a call is that of another")
        return earlier

    def rewrite(self, change: StoreRewrite) -> bool:
        """Write all values in another form, which is that of what is stored."""
        return self.inner.rewrite(change)

    def scrub(self) -> str:
        """Have what was erased overwritten in files, too."""
        return self.inner.scrub()

    def size(self) -> int:
        """Return the number of ids given so far."""
        return self.inner.size()

    def calls_of(self, identity: int) -> list[int]:
        """Return the calls of an identity; see `Records`."""
        return self.inner.calls_of(identity)

    def calls_made(self) -> int:
        """Return the number of calls."""
        return self.inner.calls_made()

    def rows(self, first: int, end: int) -> list[tuple[int, bytes]]:
        """Return the identities with these numbers."""
        rows = self.inner.rows(first, end)
        with self._reading():
            return [(number, self._decrypt("identity", (number,), row)) for number, row in rows]

    def appearances(self, identity: int) -> list[tuple[int, int, bytes]]:
        """Return the appearances of an identity, in their order."""
        stored = self.inner.appearances(identity)
        with self._reading():
            return [
                (call, row, self._decrypt("appearance", (call, row), packed))
                for call, row, packed in stored
            ]

    def calls(self, numbers: Sequence[int]) -> list[bytes]:
        """Return the records of calls."""
        stored = self.inner.calls(numbers)
        with self._reading():
            read = [self._cipher.decrypt_call(record) for record in stored]
            if [number for number, _, _ in read] != list(numbers):
                raise ValueError("the record of a call is that of another")
        return [record for _, _, record in read]

    def portraits(self, places: Sequence[Place]) -> list[bytes]:
        """Return the portraits of appearances, empty where there is none."""
        stored = self.inner.portraits(places)
        with self._reading():
            return [
                self._decrypt("portrait", place, jpeg)
                for place, jpeg in zip(places, stored, strict=True)
            ]

    def counters(self) -> Counters:
        """Return what was counted."""
        return self.inner.counters()

    def close(self) -> None:
        """Give the connection back."""
        self.inner.close()

    def _decrypt(self, table: str, place: Sequence[int], stored: bytes) -> bytes:
        """Return a value; what is not there stays empty."""
        return stored and self._cipher.decrypt(table, place, stored)
