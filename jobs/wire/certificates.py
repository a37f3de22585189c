"""An authority, a certificate for the server, one for the workers, and a token.

The authority's key is thrown away: no further certificate can be made with it. To
renew, make a new folder.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import secrets
import socket
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from joblist.errors import UsageError

VALID = datetime.timedelta(days=5 * 365)
CLOCK_SKEW = datetime.timedelta(days=1)
USES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "worker": ExtendedKeyUsageOID.CLIENT_AUTH}
Key = ec.EllipticCurvePrivateKey


def make(folder: Path, *, hosts: Sequence[str] = ()) -> list[str]:
    """Write ca.pem, server.pem, server.key, worker.pem, worker.key and token.

    Args:
        folder: Made if need be; must be empty.
        hosts: Names and addresses of the server; by default, this machine's own.

    Returns:
        The names and addresses that the server's certificate is good for.

    Raises:
        UsageError: The folder has something in it, or cannot be written.
    """
    names = list(hosts) or own_names()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty: give a new folder")
        _write_all(folder, names)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}") from error
    return names


def own_names() -> list[str]:
    """Return the names and addresses by which this machine is reached."""
    name = socket.gethostname()
    try:
        addresses = {str(entry[4][0]) for entry in socket.getaddrinfo(name, None)}
    except OSError:
        addresses = set()
    return list(
        dict.fromkeys([name, socket.getfqdn(), "localhost", *sorted(addresses), "127.0.0.1"])
    )


def _write_all(folder: Path, names: Sequence[str]) -> None:
    authority = ec.generate_private_key(ec.SECP256R1())
    root = _authority(authority)
    _write(folder / "ca.pem", root.public_bytes(serialization.Encoding.PEM))
    for role in USES:
        key = ec.generate_private_key(ec.SECP256R1())
        signed = _certificate(role, key, root, authority, names)
        _write(folder / f"{role}.pem", signed.public_bytes(serialization.Encoding.PEM))
        _write(folder / f"{role}.key", _private(key))
    _write(folder / "token", f"{secrets.token_urlsafe(32)}\n".encode())


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "wb") as file:
        file.write(content)


def _private(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _builder(name: str, issuer: x509.Name, key: Key) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _authority(key: Key) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        _builder("ina authority", _name("ina authority"), key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )


def _certificate(
    role: str, key: Key, root: x509.Certificate, authority: Key, names: Sequence[str]
) -> x509.Certificate:
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    alternatives = [_alternative(name) for name in (names if role == "server" else ["ina-worker"])]
    return (
        _builder(f"ina {role}", root.subject, key)
        .add_extension(issuer, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([USES[role]]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(authority, hashes.SHA256())
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name.partition("%")[0]))
    except ValueError:
        return x509.DNSName(name)
