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
"""The states by what a person asks for."""


def describe(job: Job) -> str:
    """Return medium, csv and, after a failure, the reason; of a damaged medium, what is lost."""
    why = reason(job)
    return f"{job.spec.source_path} -> {job.spec.dests['csv']}{why and f' ({why})'}"


def reason(job: Job) -> str:
    """Return why a job has failed, or what of its medium is lost; mostly nothing."""
    return f"{job.error_kind}: {job.error}" if job.error else _loss(job)


def _loss(job: Job) -> str:
    """Return what of a medium could not be analysed; mostly nothing."""
    statistics = job.manifest.statistics if job.manifest else {}
    if not statistics.get("partial"):
        return ""
    missing_s, damaged = statistics["missing_s"], statistics["damaged"]
    missing = f"{missing_s:.1f} s missing" if missing_s else ""
    broken = f"{damaged:.0f} damaged packets or pictures" if damaged else ""
    medium = "the medium cannot be read and was skipped" if statistics.get("medium_skipped") else ""
    poster = "the poster cannot be read and was skipped" if statistics.get("poster_skipped") else ""
    return f"partial: {', '.join(filter(None, (medium, poster, missing, broken)))}"


def totals(counts: dict[str, int]) -> dict[str, int]:
    """Return the numbers that a person asks for, from the counts by state."""
    return {name: sum(counts.get(state, 0) for state in states) for name, states in GROUPS.items()}


def ended(status: Mapping[str, Any]) -> float:
    """Return how many jobs are over, with the fractions of those that run."""
    numbers = totals(status["counts"])
    over = sum(numbers.values()) - numbers["running"] - numbers["to do"]
    # Of a job that two workers have, the one that is further counts.
    best: dict[int, float] = {}
    for job in (job for worker in status["workers"] for job in worker["jobs"]):
        best[job["job"]] = max(job["done"], best.get(job["job"], 0.0))
    return over + status["shards_done"] + sum(best.values())
