"""Counters of the frames and faces of an analysis."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Counters of one run; they add up over shards and media."""

    frames_decoded: int = 0
    frames_analysed: int = 0
    frames_gated: int = 0
    """Analysed frames that were too blurred for the detector to run."""
    faces_detected: int = 0
    faces_tracked: int = 0
    """Faces from a tracker, where the detector did not run or did not detect them."""
    faces_described: int = 0
    """Faces with an embedding from the describer."""
    faces_saved: int = 0
    """Rows of the table: detected and tracked faces without those that were left out."""
    faces_kept: int = 0
    """Rows of the table that belong to a person."""
    faces_filtered: int = 0
    """Faces left out by an option (too small, too large, not confident, not clear enough), or
    marked by a reviewer as not a face."""
    persons_dropped: int = 0
    """Persons left out because they have too few faces."""
    damaged: int = 0
    """Damaged packets and pictures; those that cannot be decoded are left out."""
    missing_s: float = 0.0
    """Seconds that the container states but that cannot be decoded."""

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        )

    def __sub__(self, other: "Tally") -> "Tally":
        return Tally(
            **{f.name: getattr(self, f.name) - getattr(other, f.name) for f in fields(self)}
        )
