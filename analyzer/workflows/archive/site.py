"""The page over an archive, live: what it reads and says, for a web server.

Reading needs the token as changing does: portraits and names are of people.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from analyzer import registry
from analyzer.errors import AnalyzerError
from analyzer.identities import IdentityStore
from analyzer.identities.address import address, open_store
from analyzer.identities.corrections import user_name
from analyzer.identities.encryption import key_file as key_files
from analyzer.identities.learning.suggestions import REACH
from analyzer.identities.log.events import Event, Place
from analyzer.identities.records import MAX_IDENTITIES
from analyzer.workflows.archive.session import ArchiveSession
from analyzer.workflows.archive.shown import FIRST_APPEARANCES, ShownArchive, label
from ina_web.answer import SiteAnswer
from ina_web.server import RequestRefused, WebServer

PATH = "/people"
_MOST_PORTRAITS = 200
"""In one answer."""
_MOST_LINES = 10_000
"""Of a list in one answer."""
WAIT_S = 10.0
"""Seconds that a store may be away before a request is refused."""
_Value = TypeVar("_Value")


class PeopleSite:
    """The page over a store, and what it asks for; see `ina_web.Site`.

    Requests come from many threads, and a store is for one: it has a thread of its own here.

    Args:
        open_it: Opens the store.
        by: Who says what is said on the page.

    Raises:
        AnalyzerError: The store cannot be opened.
    """

    def __init__(self, open_it: Callable[[], IdentityStore], by: str) -> None:
        self._by = by
        self._page = registry.module("pages", "people").create()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="archive")
        try:
            self._store = self._thread.submit(open_it).result()
        except BaseException:
            self._thread.shutdown()
            raise
        self._shown: tuple[tuple[int, int], ShownArchive] | None = None

    def close(self) -> None:
        """Close the store, after the requests that are under way."""
        self._thread.submit(self._store.close).result()
        self._thread.shutdown()

    def page(self) -> SiteAnswer:
        """Return the page, which shows nothing without the token."""
        text = self._page.render({"live": True, "reach": REACH, "store": label(self._store.name)})
        return SiteAnswer(text.encode(), "text/html; charset=utf-8", self._page.policy(live=True))

    def read(self, what: str, query: Mapping[str, Sequence[str]]) -> SiteAnswer:
        """Return what the page asks for; see `ina_web.Site`."""

        def number(name: str, default: int | None = None) -> int:
            given = query.get(name, [None])[0]
            return _number(int(given) if given is not None else default)

        readers: Mapping[str, Callable[[], Any]] = {
            "at": lambda: self._now().at(),
            "everybody": lambda: self._now().everybody(),
            "person": lambda: self._now().person(
                number("id"), appearances=min(_MOST_LINES, number("limit", FIRST_APPEARANCES))
            ),
            "portraits": lambda: self._now().portraits(map(_number, map(int, _words(query)))),
            "pictures": lambda: self._now().pictures(list(map(_place, _words(query)))),
            "history": lambda: self._now().history(min(_MOST_LINES, number("limit", 100))),
        }
        if what not in readers:
            raise RequestRefused(HTTPStatus.NOT_FOUND, "there is no such page")
        return _answer(self._do(readers[what]))

    def change(self, what: str, values: Mapping[str, Any]) -> SiteAnswer:
        """Say something of people; see `ina_web.Site`."""
        says: Mapping[str, Callable[[ArchiveSession], Event]] = {
            "name": lambda session: session.name(_person(values, "id"), _text(values, "name")),
            "merge": lambda session: session.merge(_person(values, "id"), _person(values, "other")),
            "different": lambda session: session.say_different(
                _person(values, "id"), _person(values, "other")
            ),
            "split": lambda session: session.split(_person(values, "id"), _texts(values)),
            "undo": lambda session: session.undo(
                None if values.get("event") is None else _number(values["event"])
            ),
        }
        if what not in says:
            raise RequestRefused(HTTPStatus.NOT_FOUND, "there is no such page")
        return _answer(self._do(lambda: self._say(what, says[what], values)))

    def _say(
        self, what: str, say: Callable[[ArchiveSession], Event], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        if what == "merge" and values.get("sure") is not True:
            pair = _number(values.get("id")), _number(values.get("other"))
            doubts = self._now().doubts(*pair)
            if doubts:
                return {"doubts": doubts}
        event = say(self._now().session)
        return {"event": event.number, "what": str(event)}

    def _now(self) -> ShownArchive:
        """Return the archive as it is now; called in the thread of the store."""
        people = self._store.people()
        at = self._store.version, len(people.events)
        if self._shown is None or self._shown[0] != at:
            session = ArchiveSession(self._store, self._by)
            self._shown = at, ShownArchive(self._store, session)
        return self._shown[1]

    def _do(self, work: Callable[[], _Value]) -> _Value:
        """Do something in the thread of the store.

        Raises:
            RequestRefused: It makes no sense as things are, or the store is away.
        """
        try:
            return self._thread.submit(work).result()
        except AnalyzerError as error:
            is_away = error.kind == "resource"
            status = HTTPStatus.SERVICE_UNAVAILABLE if is_away else HTTPStatus.CONFLICT
            raise RequestRefused(status, str(error)) from error


def serve(
    store: str,
    *,
    key_file: str | None = None,
    port: int,
    by: str | None,
    told: Callable[[str], object],
) -> None:
    """Serve the page over a store on this machine until the program is stopped.

    Args:
        store: A path, an address, or `@FILE` with either.
        key_file: File with its key, if it is encrypted.
        port: TCP port; 0 for any free one.
        by: Who says what is said on the page; `None` for the name of the user.
        told: Takes the address of the page, with the token.

    Raises:
        UsageError: The port is taken, or there is no such store.
    """
    token, url = secrets.token_urlsafe(32), address(store, default=Path(store))
    key = key_files.read(key_file)
    opened = partial(open_store, url, settings=None, key=key, wait_s=WAIT_S)
    site = PeopleSite(opened, by or user_name())
    with closing(site):
        server = WebServer("localhost", port, token=token, sites={PATH: site})
        try:
            told(f"{server.url.rstrip('/')}{PATH}#token={token}")
            server.serve_forever()
        finally:
            server.shutdown()
            server.server_close()


def _answer(values: Any) -> SiteAnswer:
    return SiteAnswer(json.dumps(values, allow_nan=False).encode("ascii"))


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value < MAX_IDENTITIES:
        raise ValueError("no number")
    return value


def _person(values: Mapping[str, Any], name: str) -> str:
    return str(_number(values.get(name)))


def _text(values: Mapping[str, Any], name: str) -> str:
    text = values.get(name)
    if not isinstance(text, str):
        raise ValueError("no text")
    return text


def _texts(values: Mapping[str, Any]) -> list[str]:
    texts = values.get("appearances")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("no list of appearances")
    return texts


def _words(query: Mapping[str, Sequence[str]]) -> list[str]:
    words = ",".join(query.get("of", ())).split(",")
    if len(words) > _MOST_PORTRAITS:
        raise ValueError("too many portraits")
    return words


def _place(text: str) -> Place:
    call, _, row = text.partition(":")
    return _number(int(call)), _number(int(row))
