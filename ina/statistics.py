"""Counts of one medium, which the server adds up."""

from __future__ import annotations

from analyzer.types import MediaReport
from jobs.wire.calls import MAX_MEDIUM_S


def statistics(report: MediaReport, *, poster_skipped: bool, files_failed: int) -> dict[str, float]:
    """Return the counts of a medium.

    Args:
        report: Report of the medium.
        poster_skipped: Whether there is a poster that cannot be read.
        files_failed: Number of files that could not be written.
    """
    medium_skipped = report.info.kind == "none"
    tally, options = report.tally, report.provenance["options"]
    duration_s = report.info.duration_s or 0.0
    if report.info.is_timed:
        stop_s = min(duration_s, options.get("stop") or duration_s)
        duration_s = max(0.0, stop_s - (options.get("start") or 0.0))
    return {
        # What a container states may be beyond all measure.
        "media_s": min(duration_s, MAX_MEDIUM_S),
        "frames_decoded": tally.frames_decoded,
        "frames_analysed": tally.frames_analysed,
        "frames_gated": tally.frames_gated,
        "faces_detected": tally.faces_detected,
        "faces_tracked": tally.faces_tracked,
        "faces_filtered": tally.faces_filtered,
        "faces_described": tally.faces_described,
        "faces_saved": tally.faces_saved,
        "faces_kept": tally.faces_kept,
        "persons": len(report.persons),
        "persons_named": sum(person.name is not None for person in report.persons),
        "partial": int(
            bool(report.partial) or medium_skipped or poster_skipped or files_failed > 0
        ),
        "files_failed": files_failed,
        "medium_skipped": int(medium_skipped),
        "poster_skipped": int(poster_skipped),
        "damaged": tally.damaged,
        "missing_s": min(tally.missing_s, MAX_MEDIUM_S),
        "clock_breaks": tally.clock_back + tally.clock_ahead,
    }
