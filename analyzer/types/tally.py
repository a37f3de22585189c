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
    clock_back: int = 0
    """How often the clock of the container goes back; times run on."""
    clock_ahead: int = 0
    """How often it jumps ahead; times run on."""
    untimed: int = 0
    """Pictures without a time of presentation: timed by the order in which they are decoded."""
    faces_added: int = 0
    """Faces that a reviewer added; they count among the saved ones."""
    corrected: int = 0
    """Corrections of a reviewer that the report has."""

    @property
    def clock_notes(self) -> tuple[str, ...]:
        """What had to be mended of the medium's clock, in words; empty for most media."""
        notes = (
            (self.clock_back, f"its clock goes back {_times(self.clock_back)}: times run on"),
            (self.clock_ahead, f"its clock jumps ahead {_times(self.clock_ahead)}: times run on"),
            (
                self.untimed,
                f"{self.untimed} of its pictures have no time of presentation: they are timed by "
                "the order in which they are decoded",
            ),
        )
        return tuple(text for count, text in notes if count)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        )

    def __sub__(self, other: "Tally") -> "Tally":
        return Tally(
            **{f.name: getattr(self, f.name) - getattr(other, f.name) for f in fields(self)}
        )


def _times(count: int) -> str:
    return f"{count} time" if count == 1 else f"{count} times"
