"""Progress of a joblist: counts by state, and reasons of failures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.types import Job

GROUPS = {
    "done": ("done", "skipped"),
    "running": ("leased", "publishing", "sharded"),
    "failed": ("failed", "poison"),
    "to do": ("ready", "wait"),
    "cancelled": ("cancelled",),
}
"""Group that users see -> its states."""


def describe(job: Job) -> str:
    """Return medium, csv and, after a failure, its reason; of a damaged medium, what is lost."""
    why = reason(job)
    return f"{job.spec.source_path} -> {job.spec.dests['csv']}{why and f' ({why})'}"


def reason(job: Job) -> str:
    """Return why a job failed, or what of its medium is lost; empty for most jobs."""
    return f"{job.error_kind}: {job.error}" if job.error else _loss(job)


def _loss(job: Job) -> str:
    """Return what of a medium could not be analysed; empty for most jobs."""
    statistics = job.manifest.statistics if job.manifest else {}
    if not statistics.get("partial"):
        return ""
    missing_s, damaged = statistics.get("missing_s", 0.0), statistics.get("damaged", 0.0)
    missing = f"{missing_s:.1f} s missing" if missing_s else ""
    broken = f"{damaged:.0f} damaged packets or pictures" if damaged else ""
    medium = "the medium cannot be read and was skipped" if statistics.get("medium_skipped") else ""
    poster = "the poster cannot be read and was skipped" if statistics.get("poster_skipped") else ""
    lacks = job.manifest.lacks if job.manifest else ""
    return f"partial: {', '.join(filter(None, (medium, poster, missing, broken, lacks)))}"


def totals(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the number of jobs in each group of `GROUPS`, from the counts by state."""
    return {name: sum(counts.get(state, 0) for state in states) for name, states in GROUPS.items()}


def finished_count(status: Mapping[str, Any]) -> float:
    """Return how many jobs have ended, plus the fractions done of those that run.

    Args:
        status: Status of the server.
    """
    numbers = totals(status["counts"])
    finished = sum(numbers.values()) - numbers["running"] - numbers["to do"]
    # Of the two leases of a job, the one that is further counts.
    fractions: dict[int, float] = {}
    for job in (job for worker in status["workers"] for job in worker["jobs"]):
        fractions[job["job"]] = max(job["done"], fractions.get(job["job"], 0.0))
    return finished + status["shards_done"] + sum(fractions.values())
