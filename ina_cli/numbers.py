"""Numbers of command lines: each within limits, so that no program fails at one later."""

import argparse
from dataclasses import dataclass

MAX_COUNT = 1_000_000
DAY_S = 86400.0
MAX_PORT = 65535


@dataclass(frozen=True)
class WholeNumber:
    """Reads a whole number within limits: the `type` of an option."""

    least: int = 0
    most: int = MAX_COUNT

    def __call__(self, text: str) -> int:
        """Read it from text."""
        try:
            number = int(text)
        except ValueError:
            number = self.least - 1
        if not self.least <= number <= self.most:
            limits = f"from {self.least} to {self.most}"
            raise argparse.ArgumentTypeError(f"{_short(text)}: give a whole number {limits}")
        return number


@dataclass(frozen=True)
class RealNumber:
    """Reads a number within limits: the `type` of an option."""

    least: float = 0.0
    most: float = float(MAX_COUNT)

    def __call__(self, text: str) -> float:
        """Read it from text."""
        try:
            number = float(text)
        except ValueError:
            number = self.least - 1
        # Not the other way round: with NaN, every comparison is false.
        if not self.least <= number <= self.most:
            limits = f"from {self.least:g} to {self.most:g}"
            raise argparse.ArgumentTypeError(f"{_short(text)}: give a number {limits}")
        return number


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}...")
