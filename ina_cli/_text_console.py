"""The console of rich for texts that others wrote; see `ina_cli.console`."""

import sys
from collections.abc import Iterable
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from ina_cli.escapes import as_it_is, visible


class TextConsole(Console):
    """Console that shows control characters in texts, and alone may send them."""

    @property
    def file(self) -> IO[str]:
        """Output, below those that rich puts over it while it draws."""
        stream = sys.stderr if self.stderr else sys.stdout
        while (below := getattr(stream, "rich_proxied_file", None)) is not None:
            stream = below
        return as_it_is(stream)

    @file.setter
    def file(self, new_file: IO[str]) -> None:
        raise NotImplementedError("the outputs of the process are taken")

    def render_str(self, text: str, **options: Any) -> Text:  # type: ignore[override]
        """Return a text for drawing, as wide as its codes."""
        return super().render_str(visible(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield what is drawn, with control characters as their codes."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)
