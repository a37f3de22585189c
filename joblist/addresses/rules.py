"""Which addresses of media are fetched."""

from __future__ import annotations

from urllib.parse import urlsplit


def url_fault(url: str) -> str:
    """Return why an address is not fetched, or nothing; the host is not looked up."""
    try:
        parts = urlsplit(url)
        is_valid = bool(parts.hostname and parts.port != 0)
    except ValueError:
        is_valid = False
    if not is_valid:
        return "is not a complete address: write https://host/path"
    if parts.scheme.lower() != "https":
        return "is not fetched: only https addresses are"
    if parts.username is not None or parts.password is not None:
        return "holds a user name: take it out, for addresses stand in logs and in the ledger"
    if any(not 32 < ord(char) < 127 for char in url):
        return "holds spaces or letters beyond ASCII: write them in percent encoding"
    return ""
