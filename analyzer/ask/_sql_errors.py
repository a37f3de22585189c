"""Errors of the database in this program's words, with the position and the nearest name."""

import contextlib
import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any

from analyzer.errors import AnalyzerError, ResourceError, UsageError
from ina_input import documents

_READS_FILES = "ask reads the views {views} alone, no other file, address or extension"


def explained(error: Exception, sql: str, views: Mapping[str, Collection[str]]) -> AnalyzerError:
    """Return what is wrong with a question.

    Args:
        error: Error of the database, with its facts as JSON.
        sql: The question.
        views: View -> its columns.
    """
    facts = _facts(str(error))
    kind = str(facts.get("exception_type", ""))
    message = str(facts.get("exception_message", error)).partition("\n")[0].rstrip("! ")
    if kind in ("Out of Memory", "IO"):
        return ResourceError(f"the question could not be answered: {message}")
    hint = _READS_FILES.format(views=", ".join(views)) if kind == "Permission" else ""
    hint = hint or _nearest(facts, views)
    return UsageError(
        f"SQL{_where(facts, sql)}: {message}{hint and f'; {hint}'}{_line(facts, sql)}"
    )


def _facts(text: str) -> Mapping[str, Any]:
    """Return what the database says of an error; nothing where it is no JSON."""
    with contextlib.suppress(ValueError):
        facts = documents.parse(text[text.index("{") :])
        if isinstance(facts, dict):
            return facts
    return {}


def _nearest(facts: Mapping[str, Any], views: Mapping[str, Collection[str]]) -> str:
    """Return a name like the one that does not exist."""
    message = str(facts.get("exception_message", ""))
    qualified = re.search(r'does not have a column named "([^"]+)"', message)
    missing = qualified or facts.get("error_subtype") in ("COLUMN_NOT_FOUND", "MISSING_ENTRY")
    name = qualified[1] if qualified else str(facts.get("name", "")).rpartition(".")[2]
    if not missing or not name:
        return ""
    if facts.get("type") == "Table":
        close = difflib.get_close_matches(name.lower(), views, n=1)
        listed = f"there are {', '.join(views)}"
        return f"did you mean {close[0]}? {listed}" if close else listed
    if facts.get("error_subtype") == "MISSING_ENTRY":
        found = str(facts.get("candidates", "")).partition(",")[0]
        return f"did you mean {found}?" if found else ""
    offered = [part.strip().rpartition(".")[2] for part in facts.get("candidates", "").split(",")]
    every = [column for names in views.values() for column in names]
    close = [name] if name in every else []
    for names in (offered, every):
        close = close or difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    if not close:
        return ""
    where = ", ".join(view for view, names in views.items() if close[0] in names)
    return f"{name} is in {where}" if close[0] == name else f"did you mean {close[0]}? in {where}"


def _position(facts: Mapping[str, Any], sql: str) -> tuple[int, int] | None:
    """Return line and column, from 1, of the byte that the database names."""
    with contextlib.suppress(KeyError, ValueError):
        before = sql.encode()[: int(facts["position"])].decode(errors="ignore")
        return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    return None


def _where(facts: Mapping[str, Any], sql: str) -> str:
    place = _position(facts, sql)
    return "" if place is None else f", line {place[0]}, column {place[1]}"


def _line(facts: Mapping[str, Any], sql: str) -> str:
    """Return the line of the question with a mark below the place."""
    place = _position(facts, sql)
    if place is None:
        return ""
    line = sql.split("\n")[place[0] - 1]
    return f"\n  {line}\n  {' ' * (place[1] - 1)}^"
