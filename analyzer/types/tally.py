"""Counters of what was done with frames and faces."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Counters of one run; they add up over shards and media."""

    frames_decoded: int = 0
    frames_analysed: int = 0
    frames_gated: int = 0
    """Of these, frames too blurred for the detector to be asked."""
    faces_detected: int = 0
    faces_tracked: int = 0
    """Faces that a tracker carried on where the detector was not asked, or did not see them."""
    faces_described: int = 0
    """Faces that the network was shown; their embeddings tell who they are."""
    faces_saved: int = 0
    """Rows of the table: detected and tracked, less those that were left out."""
    faces_kept: int = 0
    """Of these, faces that belong to a person."""
    faces_filtered: int = 0
    """Faces left out by an option (too small, too large, not confident, not clear enough), or by a
    reviewer, as no faces."""
    persons_dropped: int = 0
    """Persons with too few faces."""
    damaged: int = 0
    """Packets and pictures that were damaged; those that cannot be decoded are left out."""
    missing_s: float = 0.0
    """Seconds that the container states but does not hold."""

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        )

    def __sub__(self, other: "Tally") -> "Tally":
        return Tally(
            **{f.name: getattr(self, f.name) - getattr(other, f.name) for f in fields(self)}
        )
