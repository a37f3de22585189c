"""Suggestions for an identity store, answers to them, and the threshold that these teach."""

from dataclasses import dataclass

from analyzer.identities import IdentityStore
from analyzer.identities.archive import PeopleOfArchive
from analyzer.identities.corrections import Corrections
from analyzer.identities.learning.changes import ThresholdChange, change_of
from analyzer.identities.learning.suggestions import Suggestion, Suggestions
from analyzer.identities.learning.threshold import LearntThreshold, answers_of, learn
from analyzer.identities.log.events import Event
from analyzer.identities.log.people import CorrectionRefused

_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class ThresholdProposal:
    """A threshold that answers teach, before it is set."""

    now: float
    """The one that holds."""
    learnt: LearntThreshold
    change: ThresholdChange


class LearningArchive:
    """What an archive asks its users, and learns from their answers.

    Args:
        store: Open.
        people: Its people.
        corrections: What the user says is said by these.
    """

    def __init__(
        self, store: IdentityStore, people: PeopleOfArchive, corrections: Corrections
    ) -> None:
        self._store = store
        self._people = people
        self._corrections = corrections
        self._suggestions = Suggestions(store, people)

    def suggest(self, *, limit: int, within: float | None = None) -> list[Suggestion]:
        """Return pairs who may be one, the nearest first.

        Args:
            limit: How many at most.
            within: Distance above which none is offered; `None` for one by the threshold.
        """
        return self._suggestions.nearest(limit=limit, within=within)

    def is_partial(self) -> bool:
        """Return whether only those who are seen most were compared with all others."""
        return self._suggestions.is_partial()

    def confirm(self, person: int, other: int) -> Event:
        """Say that two are one person, as was suggested.

        The number that stays is that of who has a name, is seen in more media, or came first.

        Raises:
            CorrectionRefused: They are no suggestion: one medium shows both, or their names differ.
        """
        self._people.log.require_two(person, other)
        media = self._people.shared_media(person, other)
        if media:
            raise CorrectionRefused(
                f"{person} and {other} are both in {media[0]}, where they were told apart: `merge` "
                "says that they are one all the same"
            )
        first, second = sorted(
            (self._people.person(person), self._people.person(other)),
            key=lambda one: (one.name is None, -one.media, one.identity),
        )
        if second.name not in (None, first.name):
            raise CorrectionRefused(
                f"{first.identity} is {first.name}, and {second.identity} {second.name}: "
                "`merge` says that they are one all the same"
            )
        return self._corrections.merge(first.identity, second.identity)

    def propose(self, *, sure: float) -> ThresholdProposal:
        """Return the threshold that answers teach, and what it would change.

        Args:
            sure: Above which probability two are to be one.

        Raises:
            TooFewAnswers: The answers teach none.
        """
        learnt = learn(answers_of(self._people.log.events), sure=sure)
        change = change_of(self._store, self._people, learnt.threshold, shown=_SHOWN)
        return ThresholdProposal(now=self._people.threshold, learnt=learnt, change=change)

    def set_threshold(self, threshold: float) -> Event:
        """Match people with this threshold from now on."""
        return self._corrections.set_threshold(threshold)
