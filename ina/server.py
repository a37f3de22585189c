"""Serve a joblist to workers, show how it goes, and end when every job has an end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from analyzer.errors import AnalyzerError
from analyzer.options import AnalysisOptions, use_models_folder
from ina import server_log
from ina.server_options import DESCRIPTION, EPILOG, add_options, server_parser
from ina_cli.output import steady_printing
from jobs.errors import LedgerError, LedgerUnavailable
from jobs.system import early_stop


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return run(server_parser().parse_args(argv))


def add(commands: Any, name: str) -> None:
    """Add the command to the parser's subcommands."""
    add_options(commands.add_parser(name, help=DESCRIPTION, description=DESCRIPTION, epilog=EPILOG))


def run(args: argparse.Namespace) -> int:
    """Serve; return the exit code."""
    with steady_printing():
        server_log.begin(args.log_level, as_json=args.log_json)
        try:
            early_stop.listen()
            use_models_folder(args)
            options = AnalysisOptions.from_mapping(vars(args))
            from ina.server_run import serve

            return serve(args, options)
        except (AnalyzerError, LedgerError) as error:
            print(f"ina_server: {error}", file=sys.stderr)
            return 1 if isinstance(error, LedgerUnavailable) else 2
        except (early_stop.StoppedEarly, KeyboardInterrupt) as stop:
            print("ina_server: stopped before it served anything", file=sys.stderr)
            return 1 if isinstance(stop, early_stop.StoppedEarly) and not stop.by_hand else 130
