"""Mend what differs between the store, the directories and the engines."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from attrs import frozen

from daylily.application.check_ledger import CheckLedger, Tell
from daylily.application.discover_worksets import DiscoverWorksets
from daylily.application.ledger import Ledger
from daylily.application.poll_worksets import PollWorksets
from daylily.application.show_workset import ShowWorkset
from daylily.application.start_workset import StartWorkset
from daylily.application.sync_workset import SyncWorkset
from daylily.domain.divergences import Divergence, Remedy, Side
from daylily.domain.errors import DaylilyError, InvalidInputError
from daylily.domain.workset import Workset

TRUSTED: Final = {
    Side.STORE: frozenset({Remedy.PAY, Remedy.SHOW}),
    Side.SENTINELS: frozenset({Remedy.TAKE_OVER, Remedy.REGISTER, Remedy.RESTORE}),
}
"""What is done where one side is rebuilt from the other: the side that is trusted stays as it is."""


_STEPS: Final = 3
"""How often one workset is mended in a row."""


class Outcome(StrEnum):
    """What came of a divergence."""

    MENDED = "mended"
    WOULD_MEND = "would mend"
    """In a dry run."""
    LEFT = "left"
    """Only a person can do something, or it is not what was asked for."""
    FAILED = "failed"


@frozen
class Mended:
    """A divergence, and what came of it."""

    divergence: Divergence
    outcome: Outcome
    text: str = ""
    """What kept it from being mended."""


@frozen(kw_only=True)
class MendLedger:
    """
    Apply to each divergence the remedy that the check names, by the use cases that monitors use.

    Whatever is repeated does no harm, and whoever is interrupted starts again.
    """

    check: CheckLedger
    ledger: Ledger
    sync: SyncWorkset
    show: ShowWorkset
    poll: PollWorksets
    start: StartWorkset
    discover: DiscoverWorksets
    owner: str

    def __call__(
        self, *, trust: Side | None = None, dry_run: bool = False, tell: Tell = lambda _: None
    ) -> Iterator[Mended]:
        """
        Check, and mend what differs; yield each divergence with what came of it.

        Args:
            trust: Rebuild the other side from this one, ``store`` or ``sentinels``, and change nothing
                on this one; None mends whatever can be mended.
            dry_run: Change nothing at all.
            tell: See CheckLedger.

        Raises:
            UnavailableError: The store does not answer, or directories cannot be listed.
        """
        for divergence in self.check(tell):
            if not _is_asked(divergence, trust):
                yield Mended(divergence, Outcome.LEFT)
            elif dry_run:
                yield Mended(divergence, Outcome.WOULD_MEND)
            else:
                yield self._mended(divergence, trust)

    def _mended(self, divergence: Divergence, trust: Side | None) -> Mended:
        """Mend what differs of a workset until nothing does: what is mended may show the next."""
        left = divergence
        try:
            for _ in range(_STEPS):
                self._apply(left)
                found = next(self.check.judge(divergence.workset_id), None)
                if found is None or not _is_asked(found, trust):
                    return Mended(divergence, Outcome.MENDED)
                left = found
        except DaylilyError as error:
            return Mended(divergence, Outcome.FAILED, str(error))
        return Mended(divergence, Outcome.FAILED, f"it still differs: {left.kind}, {left.why}")

    def _apply(self, divergence: Divergence) -> None:
        workset_id = divergence.workset_id
        match divergence.remedy:
            case Remedy.REGISTER | Remedy.RESTORE:
                if self.discover.take(workset_id) is None:
                    raise InvalidInputError.of(workset_id, "another system is about to run it")
            case Remedy.SHOW:
                self.show(workset_id)
            case _:
                self._step(self.ledger.store.get(workset_id), divergence.remedy)

    def _step(self, workset: Workset, remedy: Remedy) -> None:
        match remedy:
            case Remedy.PAY:
                self.ledger.settle(self.ledger.pay(workset))
            case Remedy.TAKE_OVER:
                self.sync.watch(workset)
            case Remedy.RECORD:
                self.poll([workset], workset.cluster, patient=False)
            case _:
                self.start.let_go(workset, self.owner, "found by a check of the ledger")


def _is_asked(divergence: Divergence, trust: Side | None) -> bool:
    """Tell whether it is to be mended, and can be without a person."""
    asked = trust is None or divergence.remedy in TRUSTED[trust]
    return asked and divergence.remedy is not Remedy.PERSON
