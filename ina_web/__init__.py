"""Pages over HTTP: one web server for the dashboard of jobs and the page of an archive's people.

In: sites, each with a page and what it reads and changes. Out: their answers, to those who have the
token. Used by `jobs.dashboard` and `analyzer.archive_page`; its gate also by `jobs.wire`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ina_web.answer import SiteAnswer


class Site(Protocol):
    """A page with what belongs to it, below a path of a web server.

    Its calls come from many threads at once. They raise `RequestRefused`, or `ValueError` for what
    is no request of this page.
    """

    def page(self) -> SiteAnswer:
        """Return the page, which anybody may have: it says nothing by itself."""
        ...

    def read(self, what: str, query: Mapping[str, Sequence[str]]) -> SiteAnswer:
        """Return what the page asks for.

        Args:
            what: The path below that of the page.
            query: Further words of the request.
        """
        ...

    def change(self, what: str, values: Mapping[str, Any]) -> SiteAnswer:
        """Change something.

        Args:
            what: The path below that of the page.
            values: What was sent.
        """
        ...
