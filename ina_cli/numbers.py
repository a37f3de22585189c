"""Numbers of command lines: each within limits, so that no program fails at one later."""

import argparse
from collections.abc import Callable

MAX_COUNT = 1_000_000
DAY_S = 86400.0
MAX_PORT = 65535


def whole(least: int = 0, most: int = MAX_COUNT) -> Callable[[str], int]:
    """Return a function that reads a whole number within limits, for `type` of an option."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(
                f"{_short(text)}: give a whole number from {least} to {most}"
            )
        return number

    return read


def real(least: float = 0.0, most: float = float(MAX_COUNT)) -> Callable[[str], float]:
    """Return a function that reads a number within limits, for `type` of an option."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = least - 1
        # Not the other way round: with NaN, every comparison is false.
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(
                f"{_short(text)}: give a number from {least:g} to {most:g}"
            )
        return number

    return read


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}...")
