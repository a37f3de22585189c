"""Erase one person from all results and from the identity store."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from analyzer.erasure import search, strip
from analyzer.erasure.files import ErasureResult, Left, Removed, erase
from analyzer.erasure.strip import ErasureTarget
from analyzer.errors import AnalyzerError, UsageError
from analyzer.gallery import folder as portrait_folder
from analyzer.identities.address import open_store
from analyzer.identities.corrections import Corrections, user_name
from analyzer.identities.encryption import key_file
from analyzer.identities.records import Counters, StoredIdentity
from analyzer.reports import report_file
from analyzer.results import locate

_COLLECTED = "made of reports: run `python -m analyzer collect` again, which replaces all of it"


class Erasure:
    """The erasure of one person; a context manager, which closes the store.

    Args:
        who: Name, `identity:17` or `person:3`.
        results: Paths of result folders and joblists.
        identities: Address of the identity store, if there is one.
        identity_key: File with its key, if it is encrypted.

    Raises:
        UsageError: The person, or the place, is not given or not clear.
        ResourceError: The store is gone.
    """

    def __init__(
        self,
        who: str,
        *,
        results: Sequence[str],
        identities: str | None,
        identity_key: str | None = None,
    ) -> None:
        self.target = _target(who, results=bool(results), identities=bool(identities))
        self.results = locate.find(results)
        media = self.results.results
        if self.target.person_id is not None and len(media) != 1:
            raise UsageError(
                f"person:{self.target.person_id} is a number of one medium, and there are results "
                f"of {len(media)}: give the files of one"
            )
        self._stack = ExitStack()
        self._store = None
        if identities:
            store = open_store(identities, settings=None, key=key_file.read(identity_key))
            self._store = self._stack.enter_context(closing(store))

    def __enter__(self) -> "Erasure":
        if self._store:
            people = self._store.people()
            identities = set(self.target.identities or self._identities())
            identities |= people.called(self.target.name or "")
            # What was merged is one person, and reports know each by the number of its matching.
            merged = {m for n in identities for m in people.members(people.person(n))}
            self.target = replace(self.target, identities=frozenset(merged))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _identities(self) -> frozenset[int]:
        """Return the identities of the store that are the person, by mean embeddings."""
        assert self._store is not None
        ids = set()
        for medium in self.results.results:
            if "report" in medium.files:
                report = report_file.load(medium.files["report"])
                looked_up = strip.look_up(report, self._store)
                persons = strip.persons_in(report, self.target, None)
                ids |= {looked_up[person][0] for person in persons if person in looked_up}
        return frozenset(ids)

    def erase(self, *, dry_run: bool) -> ErasureResult:
        """Erase the person from all results; an error in one medium stops no other.

        Args:
            dry_run: Only say what would be done.
        """
        account = ErasureResult()
        for medium in self.results.results:
            try:
                erase(medium, self.target, self._store, account, dry_run=dry_run)
            except AnalyzerError as error:
                account.left.append(Left(Path(medium.name), f"nothing was changed: {error}"))
        self._note_other_files(account)
        name = self.target.name
        for file in portrait_folder.cached_with(name) if name else ():
            account.removed.append(Removed(file, "embeddings of a gallery, which are made again"))
            if not dry_run:
                file.unlink(missing_ok=True)
        return account

    def _note_other_files(self, account: ErasureResult) -> None:
        """Note files that are no results of a medium, and have the name."""
        name = self.target.name
        collected = {path.parent for path in self.results.others if path.name == "crops.zip"}
        for path in self.results.others:
            is_collected = collected & {path.parent, path.parent.parent}
            if not is_collected and search.contains_name(path, name):
                account.left.append(Left(path, "has the name in it, and is no result: see to it"))
        for folder in sorted(collected):
            named = any(search.contains_name(table, name) for table in folder.glob("*.csv"))
            if named or (name is None and account.removed):
                account.left.append(Left(folder, _COLLECTED))

    def stored(self) -> list[StoredIdentity]:
        """Return the identities of the store that are to be forgotten."""
        if self._store is None:
            return []
        identities = [self._store.get(number) for number in sorted(self.target.identities)]
        return [identity for identity in identities if identity]

    def forget_stored(self) -> Counters | None:
        """Forget the identities of the store; return its counters, None where it has none.

        It is the last step: until then, a call that was cut off finds the same people again.
        """
        if self._store is None or not self.target.identities:
            return None
        Corrections(self._store, user_name()).forget(self.target.identities)
        return self._store.counters()

    def scrub(self) -> str:
        """Have what was erased overwritten in the store's files, too.

        Returns:
            What the user must do about it; empty where nothing is left.
        """
        return self._store.records.scrub() if self._store else ""

    def portraits(self) -> Iterator[Path]:
        """Yield the portraits that would give the name again in the next run."""
        folders = {medium.gallery for medium in self.results.results if medium.gallery}
        for folder in sorted(folders) if self.target.name else ():
            yield from portrait_folder.portraits_of(self.target.name or "", folder)


def _target(who: str, *, results: bool, identities: bool) -> ErasureTarget:
    """Return the person to erase.

    Raises:
        UsageError: The person, or the place, is not given.
    """
    if not results and not identities:
        raise UsageError("forget where? give --results PATH..., --identities URL, or both")
    numbered = re.fullmatch(r"(identity|person):(\d+)", who)
    if not who.strip():
        raise UsageError("who is to be forgotten? give a name, identity:17 or person:3")
    if numbered and numbered[1] == "identity":
        if not identities:
            raise UsageError(f"{who} is a number of an identity store: give --identities URL")
        return ErasureTarget(identities=frozenset([int(numbered[2])]))
    return ErasureTarget(person_id=int(numbered[2])) if numbered else ErasureTarget(name=who)
