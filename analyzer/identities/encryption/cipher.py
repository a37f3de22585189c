"""Encryption of the values of a store, each by itself and bound to its place.

AES-256 in Galois/counter mode (NIST SP 800-38D) with a random nonce of 96 bits for each value. Its
associated data are table and place: a value that was altered, or put in the place of another, does
not open. The keys come from the key file and a random salt of the store (HKDF with SHA-256, RFC
5869), so that one key file may serve several stores, and no value of one opens in another. Random
nonces are safe for 2^32 values a key (SP 800-38D, 8.3); a store of 10,000,000 appearances has
written about 2^25.
"""

import hmac
import json
import os
import struct
from collections.abc import Sequence
from dataclasses import asdict, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from analyzer.identities.records import Settings

_INFO = b"ina identity store, form 1"
_SALT, _NONCE, _KEY = 16, 12, 32
_NUMBER = struct.Struct("<q")
_LENGTH = struct.Struct("<I")


class Cipher:
    """Encrypts and decrypts the values of one store.

    Args:
        key: That of the key file.
        salt: That of the store, 16 bytes.
    """

    def __init__(self, key: bytes, salt: bytes) -> None:
        both = HKDF(algorithm=hashes.SHA256(), length=2 * _KEY, salt=salt, info=_INFO).derive(key)
        self._aead = AESGCM(both[:_KEY])
        self._digest_key = both[_KEY:]

    def encrypt(self, table: str, place: Sequence[int], value: bytes) -> bytes:
        """Return a value as it is stored in its place."""
        nonce = os.urandom(_NONCE)
        return nonce + self._aead.encrypt(nonce, value, _place(table, place))

    def decrypt(self, table: str, place: Sequence[int], stored: bytes) -> bytes:
        """Return a value that is stored in a place.

        Raises:
            ValueError: It was altered, or is not the value of this place, or of this key.
        """
        try:
            return self._aead.decrypt(stored[:_NONCE], stored[_NONCE:], _place(table, place))
        except InvalidTag:
            raise ValueError(
                f"{table} {':'.join(map(str, place))} does not open: it was altered, or belongs "
                "elsewhere"
            ) from None

    # A call is asked for by its key, too, before its number is known: so its record begins with
    # the number, and holds the key.

    def digest(self, key: str) -> str:
        """Return what is stored as the key of a call, from which nobody learns the key."""
        return hmac.digest(self._digest_key, key.encode(), "sha256")[:16].hex()

    def encrypt_call(self, number: int, key: str, record: bytes) -> bytes:
        """Return the record of a call as it is stored."""
        text = key.encode()
        value = _LENGTH.pack(len(text)) + text + record
        return _NUMBER.pack(number) + self.encrypt("call", (number,), value)

    def decrypt_call(self, stored: bytes) -> tuple[int, str, bytes]:
        """Return number, key and record of a call.

        Raises:
            ValueError: As `decrypt`; also `struct.error`.
        """
        (number,) = _NUMBER.unpack_from(stored)
        value = self.decrypt("call", (number,), stored[_NUMBER.size :])
        (length,) = _LENGTH.unpack_from(value)
        end = _LENGTH.size + length
        return number, value[_LENGTH.size : end].decode(), value[end:]


def sealed(key: bytes, settings: Settings) -> Settings:
    """Return settings with the mark of a store that is encrypted from now on.

    The mark has the salt, and an empty value that only the key opens, with these settings.
    """
    salt = os.urandom(_SALT)
    check = Cipher(key, salt).encrypt(_matching(settings), (), b"")
    return replace(settings, cipher=(salt + check).hex())


def opened(key: bytes, settings: Settings) -> Cipher | None:
    """Return the cipher of a store with these settings; `None` where the key is another's.

    Raises:
        ValueError: The mark is none.
    """
    mark = bytes.fromhex(settings.cipher)
    cipher = Cipher(key, mark[:_SALT])
    try:
        cipher.decrypt(_matching(settings), (), mark[_SALT:])
    except ValueError:
        return None
    return cipher


def _matching(settings: Settings) -> str:
    """Return how a store matches, as text: altered settings do not open."""
    return json.dumps(asdict(replace(settings, cipher="")), sort_keys=True)


def _place(table: str, place: Sequence[int]) -> bytes:
    return f"{table} {':'.join(map(str, place))}".encode()
