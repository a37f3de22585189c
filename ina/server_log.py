"""The server's log: lines with time and level, or JSON, for what collects logs."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from jobs.server.display import FAILED_STATES, PlainDisplay, summary
from jobs.server.progress import describe
from jobs.types import Job

log = logging.getLogger("ina.server")
_LINE = "%(asctime)s %(levelname)s %(message)s"


def begin(level: str | None, *, as_json: bool) -> None:
    """Write the log to the standard error from now on.

    Args:
        level: Lowest level that is written, of `ina.server_options.LOG_LEVELS`; `None`: warnings,
            and with JSON all that happens.
        as_json: Whether each line is an object.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if as_json else logging.Formatter(_LINE))
    chosen = level or ("info" if as_json else "warning")
    logging.basicConfig(handlers=[handler], level=chosen.upper())


class JsonLines(logging.Formatter):
    """Objects with `time` (UTC), `level`, `logger`, `message`; of jobs also `job` and more."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; nothing in a message can begin another."""
        moment = datetime.fromtimestamp(record.created, timezone.utc)
        entry: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry)


class LogDisplay(PlainDisplay):
    """Display of a server that writes its news to the log."""

    def note(self, text: str) -> None:
        """Log a text."""
        log.info("%s", text)

    def report_end(self, job: Job) -> None:
        """Log how a job ended; failures are errors."""
        level = logging.ERROR if job.state in FAILED_STATES else logging.INFO
        facts: Mapping[str, Any] = {
            "job": job.id,
            "state": job.state.value,
            "source_path": job.spec.source_path,
            "dest_csv": job.spec.dests["csv"],
            "attempts": job.attempts,
            "worker": job.worker,
            "error_kind": job.error_kind,
        }
        log.log(level, "%s: %s", job.state.value, describe(job), extra={"facts": facts})

    def report_progress(self, counts: dict[str, int]) -> None:
        """Log the numbers of jobs."""
        log.info("progress: %s", summary(counts), extra={"facts": {"counts": counts}})


class Conclusion:
    """What is told at the end of a run: lines, or entries of the log.

    Args:
        as_json: Whether they are entries, as the log is JSON.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def summarize(self, lines: Sequence[str], facts: Mapping[str, Any]) -> None:
        """Tell the totals: the lines, or one entry with the facts."""
        if self._as_json:
            log.info("summary", extra={"facts": facts})
        else:
            print(*lines, sep="\n", flush=True)

    def say(self, text: str) -> None:
        """Tell a text on the standard output, or as information."""
        if self._as_json:
            log.info("%s", text)
        else:
            print(text, flush=True)

    def warn(self, text: str) -> None:
        """Tell a text on the standard error, or as a warning."""
        if self._as_json:
            log.warning("%s", text)
        else:
            print(text, file=sys.stderr)
