"""Text for XML documents."""

import re

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def valid_text(value: object) -> str:
    """Return a text with U+FFFD for what XML 1.0 forbids: control characters, lone surrogates."""
    return _FORBIDDEN.sub("\ufffd", str(value))
