"""Page on which people label faces by one key each, for an audit of the network."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from analyzer.files.hashing import policy_hash
from analyzer.pages import _page

_FOLDER = Path(__file__).parent


def create() -> "AuditPage":
    """One page with the crops of `analyzer.audit`; it tells nothing of the predictions."""
    return AuditPage()


class AuditPage:
    """Renders the page; see `analyzer.pages.Page`."""

    def render(self, report: Mapping[str, Any]) -> str:
        """Return the page; see `analyzer.pages.Page`."""
        script, style = (
            _FOLDER.joinpath(name).read_text(encoding="utf-8")
            for name in ("audit.js.j2", "audit.css.j2")
        )
        return _page.render(
            "audit.html.j2",
            {},
            facts=report,
            script=Markup(script),
            script_hash=policy_hash(script),
            style=Markup(style),
            style_hash=policy_hash(style),
        )
