"""Consoles for tables and bars, for all programs."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def console(*, stderr: bool = False, width: int | None = None) -> "Console":
    """Return a console for tables and bars, in which texts of others are only texts.

    Control characters are visible, and neither `[red]` nor `:smile:` means anything.

    Args:
        stderr: Whether it prints on the standard error output.
        width: Width in characters; by default the terminal's.
    """
    # Slow to load, and needed where something is drawn.
    from ina_cli._text_console import TextConsole

    return TextConsole(stderr=stderr, width=width, markup=False, emoji=False)
