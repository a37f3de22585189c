"""Text that XML can hold."""

import re

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(value: object) -> str:
    """Replace what XML 1.0 has no form for (control characters, halves of pairs) by U+FFFD."""
    return _FORBIDDEN.sub("\ufffd", str(value))
