"""Give a store another key, encrypt one that was not, or decrypt one for good."""

from collections.abc import Sequence

from analyzer.errors import ResourceError, UsageError
from analyzer.identities import IdentityStore
from analyzer.identities.encryption import cipher
from analyzer.identities.encryption.cipher import Cipher
from analyzer.identities.encryption.encrypted_records import EncryptedRecords
from analyzer.identities.log.events import Event, KeyChanged, event_now
from analyzer.identities.records import Settings, StoreRewrite, damage_named

_TRIES = 5


def rekey(store: IdentityStore, old: bytes | None, new: bytes | None, *, by: str) -> Event:
    """Write all values of a store anew with another key; from then on it opens with that alone.

    Until the last moment the store is as it was, and then it is wholly the new one: a call that is
    cut off has done nothing. Processes that have it open are refused from then on.

    Args:
        store: Open; to be closed after that.
        old: Its key; `None` where it is not encrypted.
        new: Key from then on; `None` decrypts it.
        by: Who does it.

    Returns:
        The event of the log.

    Raises:
        UsageError: Both keys are the same, there is nothing to decrypt, or a value of the store is
            damaged.
        ResourceError: Others wrote to it all the time.
    """
    if old is None and new is None:
        raise UsageError(f"{store.name} is not encrypted: there is nothing to decrypt")
    if old == new:
        raise UsageError("this is the key that the store has: give another one")
    records = store.records
    inner = records.inner if isinstance(records, EncryptedRecords) else records
    settings = store.settings if new is None else cipher.sealed(new, store.settings)
    recoder = _Recoder(_cipher(old, inner.settings(None)), _cipher(new, settings))
    for _ in range(_TRIES):
        events = len(store.people().events)
        event = event_now(KeyChanged(encrypted=new is not None), by=by, number=events + 1)
        change = StoreRewrite(
            events=events,
            settings=settings,
            value=recoder.value,
            call=recoder.call,
            entry=recoder.encrypt("event", (event.number,), event.pack()),
        )
        with damage_named(store.name):
            if inner.rewrite(change):
                return event
        store.on_wait()
    raise ResourceError(f"{store.name}: others write to it all the time: stop them, then try again")


class _Recoder:
    """Turns what one cipher wrote into what another writes; `None` is no encryption."""

    def __init__(self, old: Cipher | None, new: Cipher | None) -> None:
        self._old = old
        self._new = new

    def value(self, table: str, place: Sequence[int], stored: bytes) -> bytes:
        """Return a value in its new form; what is not there stays empty."""
        if self._old and stored:
            stored = self._old.decrypt(table, place, stored)
        return stored and self.encrypt(table, place, stored)

    def encrypt(self, table: str, place: Sequence[int], value: bytes) -> bytes:
        """Return a value in the new form."""
        return self._new.encrypt(table, place, value) if self._new else value

    def call(self, number: int, key: str, record: bytes) -> tuple[str, bytes]:
        """Return key and record of a call in their new form."""
        if self._old:
            known, key, record = self._old.decrypt_call(record)
            if known != number:
                raise ValueError(f"the record of call {number} is that of {known}")
        if self._new:
            return self._new.digest(key), self._new.encrypt_call(number, key, record)
        return key, record


def _cipher(key: bytes | None, settings: Settings) -> Cipher | None:
    return None if key is None else cipher.opened(key, settings)
