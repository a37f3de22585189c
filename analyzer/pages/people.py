"""Page over the people of an archive: who is who, who is alike, and what was said."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from analyzer.files.hashing import policy_hash
from analyzer.pages import _page

_FOLDER = Path(__file__).with_name("_people")
_SCRIPTS = ("parts.js", "source.js", "crowd.js", "list.js", "person.js", "actions.js", "main.js")
"""Each uses those before it."""


def create() -> "PeoplePage":
    """One page over an identity store; live, it asks the server for the people."""
    script = "\n".join(_FOLDER.joinpath(name).read_text(encoding="utf-8") for name in _SCRIPTS)
    return PeoplePage(script, _FOLDER.joinpath("page.css").read_text(encoding="utf-8"))


class PeoplePage:
    """Renders the page; see `analyzer.pages.Page`.

    Args:
        script: Of the page.
        style: Of the page.
    """

    def __init__(self, script: str, style: str) -> None:
        self._script, self._style = script, style

    def render(self, report: Mapping[str, Any]) -> str:
        """Return the page; see `analyzer.pages.Page`.

        Args:
            report: `live`, and `store`, the name of the archive; unless it is live, what
                `analyzer.workflows.archive.page.content` returns.
        """
        return _page.render(
            "_people/page.html.j2",
            {},
            facts=report,
            live=report["live"],
            store=report["store"],
            policy=self.policy(live=report["live"]),
            script=Markup(self._script),
            style=Markup(self._style),
        )

    def policy(self, *, live: bool) -> str:
        """Return the content security policy: no script but the page's own, and no other server.

        Args:
            live: Whether a server sends it, which it may ask.
        """
        only_live = "connect-src 'self'; frame-ancestors 'none'; " if live else ""
        return (
            f"default-src 'none'; script-src '{policy_hash(self._script)}'; "
            f"style-src '{policy_hash(self._style)}'; img-src data:; {only_live}"
            "base-uri 'none'; form-action 'none'; "
            "require-trusted-types-for 'script'; trusted-types 'none'"
        )
