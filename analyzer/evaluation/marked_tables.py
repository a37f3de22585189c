"""Tables of a Markdown document that commands keep: each between two marked lines."""

from collections.abc import Sequence
from pathlib import Path

from analyzer.errors import InputError
from analyzer.files.atomic import atomic_write

END = "<!-- end of table -->"
_OPENING = "<!-- table: "
_CLOSING = " -->"


def begin(name: str) -> str:
    """Return the line before a table."""
    return f"{_OPENING}{name}{_CLOSING}"


def read(path: Path, name: str) -> list[list[str]]:
    """Return the cells of each row of a table, without its header.

    Raises:
        InputError: The document is missing, or has no such table.
    """
    _, lines, _ = _parts(path, name)
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines[2:]]


def names(path: Path, prefix: str) -> list[str]:
    """Return the names of the document's tables that begin so.

    Raises:
        InputError: The document is missing.
    """
    marks = [line for line in _lines(path) if line.startswith(_OPENING + prefix)]
    return [mark.removeprefix(_OPENING).removesuffix(_CLOSING) for mark in marks]


def require(path: Path, name: str) -> None:
    """Refuse a document that has no place for a table.

    Raises:
        InputError: The document is missing, or has no such lines.
    """
    _parts(path, name)


def write(path: Path, name: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Put a table into a document, in place of the one that is there.

    Raises:
        InputError: The document is missing, or has no place for it.
        ResourceError: The document cannot be written.
    """
    before, _, after = _parts(path, name)
    table = [_line(columns), _line(["---"] * len(columns)), *map(_line, rows)]
    with atomic_write(path) as part:
        part.write_text("\n".join([*before, *table, *after]) + "\n", encoding="utf-8")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _parts(path: Path, name: str) -> tuple[list[str], list[str], list[str]]:
    """Return the lines up to the table, those of the table, and those behind it."""
    lines, mark = _lines(path), begin(name)
    first = lines.index(mark) + 1 if mark in lines else len(lines)
    ends = (at for at in range(first, len(lines)) if lines[at].startswith((_OPENING, END)))
    last = next(ends, len(lines))
    # The end of a later table is none of this one: what stands between would be lost.
    if last == len(lines) or lines[last] != END:
        raise InputError(f"{path}: no place for the table; put a line {mark} and a line {END}")
    return lines[:first], [line for line in lines[first:last] if line], lines[last:]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; check the path of the document") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: no text ({error}); save it as UTF-8") from error
