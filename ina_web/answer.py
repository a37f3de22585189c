"""What a site answers to a request."""

from typing import NamedTuple


class SiteAnswer(NamedTuple):
    """What a site answers."""

    body: bytes
    content_type: str = "application/json"
    policy: str | None = None
    """Content security policy of a page; `None` for that of the server."""
