"""The analysis, as the server and `python -m jobs` know it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from analyzer import __version__, registry
from analyzer import options as analysis_options
from analyzer.errors import AnalyzerError, ResourceError
from analyzer.options import AnalysisOptions
from analyzer.options.anonymise import needs_names
from analyzer.options.shards import plan
from ina import reserved
from ina.task import FACTORY
from ina_cli.numbers import RealNumber, WholeNumber
from joblist.clashes import Reserved
from joblist.errors import UsageError
from joblist.model import JobSpec
from joblist.shard import Shard
from jobs.analysis import Settled
from jobs.errors import JobFailed

IDENTITIES_HELP = (
    "know people again across media: redis://..., @FILE with the address, or a file, for one "
    "machine"
)
KEY_HELP = "file with the key of an encrypted store; a new store is encrypted with it"
REFINE_HELP = "media that the mean of a person is made of; then it stays (default: 50)"
THRESHOLD_HELP = "distance below which two are one person (default: the describer's)"


class FilmAnalysis:
    """The analysis of `analyzer`, as `jobs` knows it; see `jobs.analysis.Analysis`."""

    FACTORY = FACTORY
    PROGRAM = __version__

    def models(self) -> Mapping[str, str]:
        """Return the hashes of the models by name."""
        from analyzer.weights import locate

        return locate.hashes()

    def exporters(self) -> Sequence[str]:
        """Return the names that a `dest_` column may have."""
        return registry.names("export")

    def add_arguments(self, group: Any) -> None:
        """Add every analysis option to a parser or group."""
        analysis_options.add_arguments(group)

    def settle(self, args: argparse.Namespace) -> Settled:
        """Read the analysis options."""
        analysis_options.use_models_folder(args)
        with _as_usage_error():
            options = AnalysisOptions.from_mapping(vars(args))
            return Settled(options=options.to_dict(), digest=options.digest())

    def reserved(self, args: argparse.Namespace, options: Mapping[str, Any]) -> Reserved:
        """Return the files that the options name, and how to find those of a gallery."""
        return reserved.of_options(args, options)

    def check(self, spec: JobSpec, options: Mapping[str, Any]) -> JobSpec:
        """Return a job, if its gallery has the names of persons to be anonymised.

        Raises:
            UsageError: It has no gallery, and needs one; or it is a segment of stills.
        """
        choice = options["anonymise"]
        if spec.is_segment and options["engine"] == "image":
            line = f"line {spec.line}: " if spec.line else ""
            raise UsageError(
                f"{line}start_s, stop_s: stills have no times: leave these columns out, or take "
                "another --engine"
            )
        if needs_names(choice) and not spec.gallery:
            line = f"line {spec.line}: " if spec.line else ""
            raise UsageError(
                f"{line}--anonymise {choice}: only a gallery tells who has which name; give one, "
                "in the joblist's column gallery, or take --anonymise all"
            )
        return spec

    def shards(
        self, count: int | None, minutes: float | None, options: Mapping[str, Any]
    ) -> list[Shard]:
        """Return the shards that a user asks for; none for whole media.

        Raises:
            UsageError: Media cannot be divided so.
        """
        with _as_usage_error():
            shards = plan(
                count,
                minutes,
                engine=options["engine"],
                shots=options["shots"],
                detector=options["detector"],
            )
        return [shard for shard in shards or () if shard.count > 1]

    def length_s(self, source: str, options: Mapping[str, Any]) -> float:
        """Return the duration that a medium's container states; 0 where it is not known."""
        from analyzer.pipeline.components import load_decoder

        try:
            with load_decoder(AnalysisOptions.from_dict(dict(options))).open(source) as medium:
                return float(medium.info.duration_s or 0)
        except AnalyzerError:
            return 0.0

    def add_identities(self, group: Any) -> None:
        """Add what `identities` reads to a parser or group."""
        spellings = analysis_options.spellings
        group.add_argument(*spellings("identities"), metavar="URL", help=IDENTITIES_HELP)
        group.add_argument(*spellings("identity_threshold"), type=RealNumber(), help=THRESHOLD_HELP)
        group.add_argument(*spellings("identity_key"), metavar="FILE", help=KEY_HELP)
        group.add_argument(
            *spellings("refine_limit"), type=WholeNumber(1), metavar="N", help=REFINE_HELP
        )

    def identities(
        self, args: argparse.Namespace, options: Mapping[str, Any], *, written: bool
    ) -> Mapping[str, Any]:
        """Return the place of the identity store, once it works; nothing where none is asked for.

        Args:
            args: Arguments that `add_identities` has added.
            options: Options of the analysis.
            written: Whether the answer is to stand in a file: then it holds no password.

        Raises:
            JobFailed: The store is away just now.
            UsageError: The store cannot be used, or its address would be written with a password.
        """
        from ina.shared_store import SharedStore, has_password

        text: str | None = args.identities
        if text is None:
            return {}
        with _as_usage_error():
            try:
                shared = SharedStore(
                    text,
                    options["describer"],
                    args.identity_threshold,
                    args.refine_limit,
                    key_file=args.identity_key,
                )
            except ResourceError as error:
                raise JobFailed("resource", str(error)) from error
            shared.store.close()
        url: str = shared.private["url"]
        if text.startswith("@") and shared.private["machine"] is None:
            url = f"@{Path(text[1:]).absolute()}"
        elif written and has_password(url):
            raise UsageError(
                "--identities: this address may hold a password, and would be written where others "
                "can read it: put it into a file that only you may read, on storage that all "
                "machines see, and give @FILE"
            )
        key_file = os.path.abspath(args.identity_key) if args.identity_key else None
        return {"url": url, "machine": shared.private["machine"], "key_file": key_file}

    def private(self, store: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what a lease tells the task of the store that `identities` has returned."""
        from analyzer.identities import address
        from analyzer.identities.encryption import key_file
        from ina.shared_store import private

        if not store:
            return {}
        with _as_usage_error():
            # Never the default: the address is one, or stands in a file.
            url = address.address(store["url"], default=Path())
            key = key_file.read(store.get("key_file"))
            return {"identities": private(url, store["machine"], key)}

    def known(self, store: Mapping[str, Any]) -> str:
        """Return the counters of the store that `identities` has returned, in words."""
        from analyzer.identities.address import open_store
        from ina.shared_store import STORE_WAIT_S, summary

        try:
            shared = self.private(store)["identities"]
            key = bytes.fromhex(shared["key"]) or None
            with closing(
                open_store(shared["url"], settings=None, key=key, wait_s=STORE_WAIT_S)
            ) as opened:
                return summary(opened)
        except AnalyzerError as error:
            return str(error)


@contextmanager
def _as_usage_error() -> Iterator[None]:
    """Raise every error of the analysis as a UsageError: the command cannot be carried out."""
    try:
        yield
    except AnalyzerError as error:
        raise UsageError(str(error)) from error
