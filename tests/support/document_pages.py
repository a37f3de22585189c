"""The pages that people read: their code blocks, their links, and what can be linked to.

markdown-it parses them as a forge does. The plugins for pytest that look for code in Markdown
know Python, or one command and its output; none runs a page in one shell, as its reader does.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.support.processes import ROOT

SHELL = ("sh", "console")
"""Languages of commands; in `console` they follow `$ `, and what they print follows them."""
RUN = (*SHELL, "python")
_NOT_RUN = re.compile(r"<!--\s*not run:\s*(.+?)\s*-->", re.DOTALL)
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True)
class Block:
    """A code block."""

    page: str
    line: int
    language: str
    text: str
    title: str | None
    """File that holds this text: `title="jobs.csv"` behind the language."""
    why_not: str | None
    """Why it is not run: the comment `<!-- not run: REASON -->` before it."""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Link:
    """A link or picture."""

    page: str
    line: int
    target: str


def pages() -> list[str]:
    """Every page, as its path from the root."""
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "media" / "README.md"]
    return sorted(path.relative_to(ROOT).as_posix() for path in files if path.is_file())


@cache
def tokens(page: str) -> Sequence[Token]:
    """The page's parts, in order."""
    parser = MarkdownIt("commonmark").enable("table")
    return parser.parse((ROOT / page).read_text(encoding="utf-8"))


def blocks(page: str) -> Iterator[Block]:
    """Yield the fenced code blocks of a page."""
    before = None
    for token in tokens(page):
        if token.type == "fence":
            language, _, more = token.info.partition(" ")
            title = _TITLE.search(more)
            comment = before and before.type == "html_block" and _NOT_RUN.search(before.content)
            yield Block(
                page=page,
                line=_line(token),
                language=language,
                text=token.content,
                title=title[1] if title else None,
                why_not=" ".join(comment[1].split()) if comment else None,
            )
        before = token


def indented(page: str) -> list[int]:
    """Lines of code blocks without fences, which say nothing of what they hold."""
    return [_line(token) for token in tokens(page) if token.type == "code_block"]


def links(page: str) -> Iterator[Link]:
    """Yield links and pictures."""
    for token in tokens(page):
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if target:
                yield Link(page, _line(token), unquote(str(target)))


def inline_code(page: str) -> Iterator[tuple[int, str]]:
    """Yield what stands in backticks, with its line."""
    for token in tokens(page):
        for child in token.children or ():
            if child.type == "code_inline":
                yield _line(token), child.content


def anchors(page: str) -> set[str]:
    """What `#...` may be behind the page's address: its headings, named as forges do."""
    names: set[str] = set()
    parts = tokens(page)
    for token, content in itertools.pairwise(parts):
        if token.type == "heading_open":
            text = "".join(c.content for c in content.children or ())
            name = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
            copies = (f"{name}-{n}" for n in range(1, 100))
            names.add(name if name not in names else next(c for c in copies if c not in names))
    return names


def _line(token: Token) -> int:
    return token.map[0] + 1 if token.map else 0
