"""Join a server and work until its joblist is done."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from typing import Any

from analyzer import __version__
from analyzer.options import add_models_folder, spellings, use_models_folder
from ina.local_options import OVERRIDES
from ina.task import FACTORY
from ina_cli.numbers import DAY_S, RealNumber, WholeNumber
from ina_cli.output import steady_printing
from ina_cli.parser import Parser, add_version
from joblist.errors import UsageError
from jobs.errors import ServerFault, ServerGone, ServerRefused
from jobs.system import early_stop

EPILOG = """\
examples:
  ina_worker PYRO:ina.jobs@localhost:9471
  ina_worker PYRO:ina.jobs@server:9471 --device cuda:1 --certs secrets --token_file secrets/token

SIGTERM, SIGHUP or Ctrl-C lets it finish its job and leave; a second one ends it at once.

exit code: 0 done or asked to stop, 1 the server is gone, 2 bad usage, or refused by the server"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return run(worker_parser().parse_args(argv))


def add(commands: Any, name: str) -> None:
    """Add the command to the parser's subcommands."""
    _add_options(commands.add_parser(name, help=__doc__, description=__doc__, epilog=EPILOG))


def run(args: argparse.Namespace) -> int:
    """Work; return the exit code."""
    with steady_printing():
        logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
        try:
            early_stop.listen()
            use_models_folder(args)
            _work(args)
        except (ServerRefused, UsageError) as error:
            print(f"ina_worker: {error}", file=sys.stderr)
            return 2
        except (ServerFault, ServerGone) as error:
            print(f"ina_worker: {error}", file=sys.stderr)
            return 1
        except early_stop.StoppedEarly as stop:
            return 130 if stop.by_hand else 0
        except KeyboardInterrupt:
            return 130
    return 0


def worker_parser() -> Parser:
    """Return the parser of the worker's command line."""
    parser = Parser(prog="ina_worker", description=__doc__, epilog=EPILOG)
    _add_options(parser)
    return parser


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_version(parser, lambda: __version__)

    def add(name: str, **options: Any) -> None:
        parser.add_argument(*spellings(name), **options)

    parser.add_argument("uri", metavar="URI", help="what the server prints, PYRO:ina.jobs@...")
    add(
        "batch_size",
        type=WholeNumber(least=1),
        metavar="N",
        help="faces or frames a batch; changes speed and memory (default: the server's)",
    )
    add(
        "device",
        metavar="D",
        help="where the networks run: auto, cpu, cuda, cuda:N (default: the server's)",
    )
    add(
        "backend",
        metavar="B",
        help="library that executes them: auto, onnxruntime, openvino or torch (default: the "
        "server's)",
    )
    add(
        "threads",
        type=WholeNumber(),
        default=0,
        metavar="N",
        help="CPU threads (default: 0, every core)",
    )
    add(
        "server_timeout",
        type=RealNumber(most=30 * DAY_S),
        default=600.0,
        metavar="S",
        help="seconds that the server may be gone (default: 600)",
    )
    add(
        "token_file",
        metavar="FILE",
        help="file with the server's token (default: found, where you started the server on this "
        "machine)",
    )
    add("certs", metavar="DIR", help="folder with ca.pem, worker.pem, worker.key")
    add(
        "allow_plugins",
        action="store_true",
        help="run modules and files that the server names as plug-ins; installed ones always run",
    )
    add_models_folder(parser)
    add("parent", type=int, help=argparse.SUPPRESS)


def _work(args: argparse.Namespace) -> None:
    from ina import fingerprint
    from jobs.wire.transport import Access
    from jobs.worker.worker import Worker, WorkerSettings

    worker = Worker(
        WorkerSettings(
            uri=args.uri,
            factory=FACTORY,
            local={name: getattr(args, name) for name in (*OVERRIDES, "threads", "allow_plugins")},
            program=__version__,
            models=fingerprint.model_hashes(),
            code=fingerprint.code_digests(),
            settings={"backend": args.backend} if args.backend else {},
            unable=fingerprint.inabilities(args.backend or "auto", args.device or "auto"),
            device=args.device or "auto",
            access=Access.load(token_file=args.token_file, certs=args.certs),
            patience_s=args.server_timeout,
            parent=args.parent,
        )
    )
    worker.stop_on_signals()
    worker.run()
