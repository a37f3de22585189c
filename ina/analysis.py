"""What `python -m jobs` and the server must know of the analysis; see `jobs.analysis.Analysis`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import analyzer
from analyzer import options as analysis
from analyzer import registry
from analyzer.errors import AnalyzerError, ResourceError
from analyzer.options import AnalysisOptions
from analyzer.options.anonymise import needs_names
from analyzer.options.shards import plan
from joblist.shard import Shard
from jobs.analysis import Settled
from jobs.errors import JobFailed, UsageError
from jobs.types import JobSpec

if TYPE_CHECKING:
    from analyzer.identities import IdentityStore

FACTORY = "ina_worker:make_task"
PROGRAM = analyzer.__version__
STORE_WAIT_S = 5.0
"""How long the identity store may be away when its address is looked at."""


def models() -> Mapping[str, str]:
    """Hashes of the models by name."""
    from analyzer.weights import locate

    return locate.hashes()


def exporters() -> Sequence[str]:
    """Names that a `dest_` column may have."""
    return registry.names("export")


def add_arguments(group: Any) -> None:
    """Add every analysis option to a parser or group."""
    analysis.add_arguments(group)


def settle(args: argparse.Namespace) -> Settled:
    """Read the analysis options."""
    with _told():
        options = AnalysisOptions.from_mapping(vars(args))
        return Settled(options=options.to_dict(), digest=options.digest())


def check(spec: JobSpec, options: Mapping[str, Any]) -> JobSpec:
    """Return a job, if those to be anonymised by name can be known."""
    choice = options["anonymise"]
    if needs_names(choice) and not spec.gallery:
        where = f"line {spec.line}: " if spec.line else ""
        raise UsageError(
            f"{where}--anonymise {choice}: only a gallery tells who has which name; give one, in "
            "the joblist's column gallery, or take --anonymise all"
        )
    return spec


def shards(count: int | None, minutes: float | None, options: Mapping[str, Any]) -> list[Shard]:
    """The shards that a user asks for; none where media are to be looked at as wholes."""
    with _told():
        wanted = plan(
            count,
            minutes,
            engine=options["engine"],
            shots=options["shots"],
            detector=options["detector"],
        )
    return [shard for shard in wanted or () if shard.count > 1]


def length_s(source: str, options: Mapping[str, Any]) -> float:
    """Return how long a medium is, as its container states; 0 where that cannot be known."""
    from analyzer.pipeline.components import load_decoder

    try:
        with load_decoder(AnalysisOptions.from_dict(dict(options))).open(source) as medium:
            return float(medium.info.duration_s or 0)
    except AnalyzerError:
        return 0.0


def add_identities(group: Any) -> None:
    """Add what `identities` reads to a parser or group."""

    def add(name: str, text: str, **options: Any) -> None:
        group.add_argument(*analysis.spellings(name), help=text, **options)

    add("identities", "know people again across media: redis://..., @FILE with the address, or a "
        "file, for one machine", metavar="URL")  # fmt: skip
    add("identity_threshold", "distance below which two are one person (default: the describer's)",
        type=float)  # fmt: skip


def identities(
    args: argparse.Namespace, options: Mapping[str, Any], *, written: bool
) -> Mapping[str, Any]:
    """Return where the identity store is, once it was seen to work; nothing where none is wanted.

    Args:
        args: With what `add_identities` has added.
        options: Of the analysis.
        written: Whether the answer is to stand in a file: then it holds no password.

    Raises:
        JobFailed: The store is away just now.
    """
    text: str | None = args.identities
    if text is None:
        return {}
    with _told():
        try:
            used = SharedStore(text, options["describer"], args.identity_threshold)
        except ResourceError as error:
            raise JobFailed("resource", str(error)) from error
        used.store.close()
        url: str = used.private["url"]
        if text.startswith("@") and used.private["machine"] is None:
            url = f"@{Path(text[1:]).absolute()}"
        elif written and _has_password(url):
            raise UsageError(
                "--identities: this address may hold a password, and would be written where others "
                "can read it: put it into a file that only you may read, on storage that all "
                "machines see, and give @FILE"
            )
        return {**used.private, "url": url}


def private(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a lease tells the task of the store that `identities` has returned."""
    from analyzer.identities import address

    if not told:
        return {}
    with _told():
        # Never a default: the address is one, or stands in a file.
        return {"identities": {**told, "url": address.address(told["url"], default=Path())}}


def known(told: Mapping[str, Any]) -> str:
    """Return the counters of the store that `identities` has returned, in words."""
    from analyzer.identities.address import open_store

    try:
        url = private(told)["identities"]["url"]
        with closing(open_store(url, settings=None, wait_s=STORE_WAIT_S)) as store:
            return summary(store)
    except (AnalyzerError, UsageError) as error:
        return str(error)


class SharedStore:
    """The identity store of all tasks, opened to see that it works, and for its counters.

    Args:
        text: What was given as `--identities`.
        describer: Of the analysis.
        threshold: What was given as `--identity_threshold`.
        default: File of the store where the text is empty.

    Raises:
        AnalyzerError: It cannot be used.
        UsageError: It is on a network disk, or nowhere.
    """

    def __init__(
        self, text: str, describer: str, threshold: float | None, *, default: Path | None = None
    ) -> None:
        from analyzer.identities import address
        from jobs.system.process_identity import ProcessIdentity

        if not text and default is None:
            raise UsageError("--identities: give the address of the store")
        url = address.address(text, default=default or Path())
        path = address.file_of(url)
        if path is not None:
            _refuse_network(path)
        settings = address.settings_for(describer, threshold)
        self.store = address.open_store(url, settings=settings, wait_s=STORE_WAIT_S)
        own = ProcessIdentity.own()
        is_local = path is not None or url.startswith("unix:")
        machine = {"host": own.host, "boot_id": own.boot_id} if is_local else None
        self.private: Mapping[str, Any] = {"url": url, "machine": machine}
        """What tasks need; it may hold a password."""


def summary(store: IdentityStore) -> str:
    """Return the counters of a store in words."""
    try:
        return f"{store.counters()}: {store.name}"
    except AnalyzerError as error:
        return str(error)


def _refuse_network(path: Path) -> None:
    from jobs.system.mounts import network_type

    kind = network_type(path)
    if kind:
        raise UsageError(
            f"{path} is on a file system of type {kind}, and an identity store in a file is for "
            "one machine: give a file on a local disk, or --identities redis://HOST:6379"
        )


def _has_password(url: str) -> bool:
    from urllib.parse import parse_qs, urlsplit

    parts = urlsplit(url)
    return parts.password is not None or "password" in parse_qs(parts.query)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except AnalyzerError as error:
        raise UsageError(str(error)) from error
