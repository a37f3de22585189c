"""The share of women in a sample of an archive, while a server has its segments analysed."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.errors import AnalyzerError
from jobs.system.steady import SteadyThread

if TYPE_CHECKING:
    from analyzer.sampling.watch import SampleWatch

EVERY_S = 2.0
"""Time between two looks at the results."""
LOOK_S = 0.4
"""Time that one look may take: a fifth of a processor at most."""


class SampleThread:
    """Looks at the results of a sample beside the work.

    Args:
        path: The joblist; it has draws.
        reach: Half of the width at which one wants to stop, as a share; `None`: never.

    Attributes:
        thread: The thread.
    """

    def __init__(self, path: Path, reach: float | None) -> None:
        self._path, self._reach = path, reach
        self._state: dict[str, Any] | None = None
        self._watch: SampleWatch | None = None
        self._stopping = threading.Event()
        self.thread = SteadyThread(self._follow, name="sample")
        self.thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self.thread.end()
        self._stopping.set()
        self.thread.join()
        self._watch = None  # closes the joblist

    def state(self) -> dict[str, Any] | None:
        """Return the state of the sample; `None` before the first look."""
        return self._state

    def line(self) -> str:
        """Return the state in words, for a terminal; empty before the first draw is known."""
        state = self._state
        if state and state["lacks_labels"] and not state.get("error"):
            return "sample: no face has a label for sex, which needs --attributes sex"
        if not state or not state["draws"] or state["share"] is None:
            return "" if not state or not state.get("error") else f"sample: {state['error']}"
        ends = f"{100 * state['low']:.1f} to {100 * state['high']:.1f} %"
        verdict = ""
        if state["reach"] is not None:
            points = f"plus or minus {100 * state['reach']:g} points"
            verdict = f": {points} reached, one can stop" * state["can_stop"]
        share = f"{100 * state['share']:.1f} % women"
        count = f"{state['draws']} draw{'s' if state['draws'] > 1 else ''}"
        return f"sample: {share}, at all times {ends}, after {count}{verdict}"

    def _follow(self) -> None:
        if self._watch is None:
            # It needs numpy, and most joblists have no draws.
            from analyzer.sampling.estimate import MOST_FACES
            from analyzer.sampling.watch import SampleWatch

            self._watch = SampleWatch(self._path, reach=self._reach, most_faces=MOST_FACES)
        while not self._stopping.is_set():
            try:
                self._watch.advance(LOOK_S)
            except AnalyzerError as error:
                self._state = {**self._watch.state(), "error": str(error)}
                return
            self._state = self._watch.state()
            self._stopping.wait(EVERY_S)
