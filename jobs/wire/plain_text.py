"""Texts as they may be sent and stored: names of files may hold bytes that are not UTF-8."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MAX_VALUE_CHARS = 200
"""Characters of a name, a device or a stage."""
_SURROGATES = re.compile("[\ud800-\udfff\0]")


def plain_text(text: str, most: int) -> str:
    r"""Return a text that can be encoded as UTF-8, of limited length.

    Args:
        text: Text, perhaps with names of files. A byte in them that is not UTF-8, or is NUL,
            becomes a backslash escape, such as `\xff`.
        most: Largest number of characters.
    """
    return _SURROGATES.sub(_escape, text[:most])[:most]


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0xD800 or 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code & 0xFF:02x}"
    return f"\\u{code:04x}"


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table with its texts as `plain_text` makes them, of `MAX_VALUE_CHARS` at most."""
    return {
        name: plain_text(value, MAX_VALUE_CHARS) if isinstance(value, str) else value
        for name, value in values.items()
    }
