"""Encryption where a key is given; its library is loaded for that alone."""

from collections.abc import Iterator
from contextlib import contextmanager

from analyzer.errors import MissingDependency
from analyzer.identities import IdentityStore, Records
from analyzer.identities.log.events import Event


def decrypted(records: Records, name: str, key: bytes | None) -> Records:
    """Return the rows of a store in the clear: without a key, as they are.

    Args:
        records: Where the rows are kept.
        name: Name of the store, as people may read it.
        key: That of the key file.

    Raises:
        MissingDependency: The library for encryption is not installed.
    """
    if key is None:
        return records
    try:
        with _library_needed():
            from analyzer.identities.encryption.encrypted_records import EncryptedRecords
    except BaseException:
        records.close()
        raise
    return EncryptedRecords(records, name, key)


def changed_key(store: IdentityStore, old: bytes | None, new: bytes | None, *, by: str) -> Event:
    """Give a store another key; see `analyzer.identities.encryption.rekey.rekey`.

    Raises:
        MissingDependency: The library for encryption is not installed.
    """
    with _library_needed():
        from analyzer.identities.encryption.rekey import rekey
    return rekey(store, old, new, by=by)


@contextmanager
def _library_needed() -> Iterator[None]:
    """Name the cure where the library for encryption is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("cryptography"):
            raise
        raise MissingDependency(
            "cryptography", needed_by="an encrypted identity store", install="'cryptography>=42'"
        ) from error
