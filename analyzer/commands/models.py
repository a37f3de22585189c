"""List the model files that this package uses or knows; fetch, add, bundle and check them."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.commands import _models_list
from analyzer.errors import AnalyzerError, UsageError
from analyzer.options import add_models_folder, spellings
from analyzer.weights import locate
from analyzer.weights.catalogue import Model
from ina_cli.console import console

if TYPE_CHECKING:
    from analyzer.weights.download import OnProgress

_EPILOG = "example:\n  python -m analyzer models {example}\n\nexit code: {codes}"


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser("models", help=__doc__, description=__doc__, has_settings=False)
    parts = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    text = "print every model: what it does, its size, licence and source, and whether it is here"
    listing = _part(parts, "list", text, "list --measure", "0 shown")
    text = "how long one picture takes here, of ONNX models that are here"
    listing.add_argument("--measure", action="store_true", help=text)
    listing.add_argument("--json", action="store_true", help="print them for programs, as JSON")
    listing.set_defaults(run=list_models, only_prints=True)
    _add_fetch(parts)
    _add_add(parts)
    _add_bundle(parts)
    text = "compare every model's file with the sha256 that was published, or recorded at first"
    codes = "0 all are as they should be, 1 one is missing or altered"
    check = _part(parts, "verify", text, "verify", codes)
    check.set_defaults(run=verify, only_prints=True)


def _part(parts: Any, name: str, text: str, example: str, codes: str) -> Any:
    parser = parts.add_parser(
        name,
        help=text,
        description=text,
        epilog=_EPILOG.format(example=example, codes=codes),
    )
    add_models_folder(parser)
    return parser


def _add_fetch(parts: Any) -> None:
    text = "download a model from where its authors publish it; a job never does"
    codes = "0 fetched, 1 it cannot be, 2 no such model, or its licence is not accepted"
    parser = _part(parts, "fetch", text, "fetch w600k_mbf", codes)
    parser.add_argument("name", metavar="NAME", help="one of those that `models list` shows")
    text = "folder with files of the same names, instead of the published address"
    parser.add_argument("--mirror", default="", metavar="URL", help=text)
    text = "accept a licence that is for research or otherwise not for everybody"
    parser.add_argument(*spellings("accept_licence"), action="store_true", help=text)
    parser.set_defaults(run=fetch)


def _add_add(parts: Any) -> None:
    text = "copy a model file of yours to the others, and note its sha256"
    codes = "0 added, 1 it cannot be copied, 2 not a model"
    parser = _part(parts, "add", text, "add faces.onnx --name faces", codes)
    parser.add_argument("path", type=Path, metavar="PATH", help="the file, .onnx or .pt")
    parser.add_argument(
        "--name", default="", metavar="N", help="what to call it (default: as the file)"
    )
    text = "what is to be known of a network that describes faces; docs/models.md"
    parser.add_argument("--spec", type=Path, metavar="FILE", help=text)
    parser.set_defaults(run=add_model)


def _add_bundle(parts: Any) -> None:
    text = "write models, hashes and licences into a folder, for machines without a network"
    codes = "0 written, 1 it cannot be, 2 a model is missing or altered"
    parser = _part(parts, "bundle", text, "bundle /media/stick/ina-models", codes)
    parser.add_argument("folder", type=Path, metavar="DIR", help="made if it is missing")
    text = "a model beside those of the default analysis (default: all that are here)"
    parser.add_argument("names", nargs="*", metavar="NAME", help=text)
    parser.set_defaults(run=write_bundle)


def list_models(args: argparse.Namespace) -> int:
    """Print all models."""
    _models_list.show(measure=args.measure, as_json=args.json)
    return 0


def fetch(args: argparse.Namespace) -> int:
    """Download a model."""
    model = locate.get(args.name)
    print(f"{model.name}: licence: {model.licence}")
    _accept(model, accepted=args.accept_licence)

    from analyzer.weights import fetch as fetching

    unknown = not locate.expected(model)
    with _progress(model.name) as show:
        path = fetching.fetch(model, mirror=args.mirror, on_progress=show)
    print(f"{model.name}: {path}")
    if unknown:
        print(f"{model.name}: no sha256 is published; noted for later: {locate.expected(model)}")
    return 0


def add_model(args: argparse.Namespace) -> int:
    """Copy a model of the user's."""
    from analyzer.weights import fetch as fetching

    model = fetching.add(args.path, name=args.name, spec=args.spec)
    print(f"{model.name}: {locate.locate(model.name)}")
    return 0


def write_bundle(args: argparse.Namespace) -> int:
    """Write models into a folder for other machines."""
    from analyzer.weights import bundle

    models = bundle.models_of(args.names)
    bundle.write(models, args.folder, on_model=lambda m: print(f"{m.name}: {m.licence}"))
    print(f"{args.folder}: {len(models)} models; elsewhere, say {locate.FOLDER_VARIABLE}=DIR")
    return 0


def verify(_: argparse.Namespace) -> int:
    """Check every model that is or must be here; 1 if one is missing or altered."""
    failed = 0
    for name, model in locate.everything().items():
        if not model.package and _models_list.path_of(model) is None:
            continue
        try:
            print(f"{name}: {locate.locate(name)}")
        except AnalyzerError as error:
            failed += 1
            print(f"{name}: {error}", file=sys.stderr)
    return 1 if failed else 0


def _accept(model: Model, *, accepted: bool) -> None:
    """Ask whether a restricted licence is accepted.

    Raises:
        UsageError: It is not, or there is no terminal.
    """
    if not model.restricted or accepted:
        return
    answer = input("Do you accept it? Type yes: ") if sys.stdin.isatty() else ""
    if answer.strip().lower() != "yes":
        raise UsageError(f"{model.name}: {model.licence}: to accept that, give --accept_licence")


@contextmanager
def _progress(name: str) -> "Iterator[OnProgress]":
    from rich import progress

    columns = (
        "{task.description}",
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
    )
    stderr = console(stderr=True)
    with progress.Progress(
        *columns, console=stderr, transient=True, disable=not stderr.is_terminal
    ) as bar:
        task = bar.add_task(name, total=None)

        def told(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total or None)

        yield told
