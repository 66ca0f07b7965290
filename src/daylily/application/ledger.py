"""Saving a change together with what it owes the world, and paying it (design idea 1)."""

import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Final

from attrs import evolve, frozen

from daylily.domain.debts import (
    CopyFiles,
    Debt,
    PostSentinel,
    PublishFiles,
    SendNotice,
    WithdrawSentinel,
    together,
)
from daylily.domain.errors import (
    AlreadyExistsError,
    ConcurrentUpdateError,
    DaylilyError,
    IllegalTransitionError,
    InvalidInputError,
    NotFoundError,
    PerhapsOursError,
    StaleVersionError,
    UnavailableError,
)
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import Workset
from daylily.ports.notifier import Notifier
from daylily.ports.sentinel_store import SentinelStore
from daylily.ports.state_store import StateStore

TRIES: Final = 8
"""How often a person's wish is put to a workset that keeps moving on under it."""

_log = logging.getLogger(__name__)


@frozen
class Payment:
    """A workset after its debts were paid, as far as they could be."""

    workset: Workset
    """Paid debts are struck off here, and in the store with its next save."""
    refused: frozenset[Sentinel] = frozenset()
    """Sentinels that somebody else had put there first."""
    paid: int = 0
    """How many debts were struck off."""
    posted: frozenset[Sentinel] = frozenset()
    """Sentinels of ours that stand there now."""
    missing: str | None = None
    """What is wrong with files that were to be copied, if they are not there to copy."""

    @property
    def directory_in_debt(self) -> bool:
        """Whether the workset's directory does not show yet what it should."""
        return any(not isinstance(debt, SendNotice) for debt in self.workset.debts)

    @property
    def notices_owed(self) -> bool:
        """Whether people have not been told yet of all that they should know."""
        return any(isinstance(debt, SendNotice) for debt in self.workset.debts)


@frozen
class Ledger:
    """Keeps the state store as the truth, and the rest of the world up with it."""

    store: StateStore
    sentinels: SentinelStore
    notifier: Notifier

    def register(self, workset: Workset, *, directory: bool = True, unseen: bool = False) -> Workset:
        """
        Store a new workset and pay what it owes.

        Args:
            directory: False leaves the directory as it is; any monitor pays what is owed it.
            unseen: Whether nobody has looked at the directory: it may be that of another workset, which
                somebody has dropped and no monitor has come by yet.

        Raises:
            AlreadyExistsError: There is one of that id; or its directory was *unseen*, and is
                another's. What was stored is canceled then, and never runs with another's files.
            UnavailableError: The store does not answer, and does not show the workset either.
        """
        try:
            stored = self.store.add(self._heard(workset))
        except (UnavailableError, PerhapsOursError) as error:
            stored = self._added(workset, error)
            if stored.sequence != workset.sequence:
                return stored  # others have gone on with it, and pay what it owes
        payment = self.pay(stored, directory=directory)
        registered = self.settle(payment)
        if unseen and Sentinel.READY in payment.refused and self._is_anothers(registered):
            raise self._clashed(registered)
        return registered

    def _is_anothers(self, workset: Workset) -> bool:
        """Tell whether ``daylily.ready`` is not ours: we may be slow, and it be that of a later try."""
        standing = self.sentinels.look(workset.workset_id).sentinels.get(Sentinel.READY)
        return standing is not None and not standing.ours

    def _clashed(self, workset: Workset) -> AlreadyExistsError:
        """Cancel a workset whose directory has turned out to be another's."""
        reason = f"{Sentinel.READY} of another stood in its directory already"

        def step(stored: Workset) -> Workset:
            by = workset.submitted_by
            return stored.request_cancel(by=by, at=stored.updated_at, reason=reason)

        # Whatever is there of the other one now waits for a person: files of both may be mixed.
        with suppress(IllegalTransitionError):
            self.update(workset.workset_id, step)
        return AlreadyExistsError(
            f"{workset.workset_id} is canceled: {reason}. One of the two needs another id"
        )

    def _heard(self, workset: Workset) -> Workset:
        """Strike off news that no channel of ours passes on."""
        notices = (debt for debt in workset.debts if isinstance(debt, SendNotice))
        return workset.settled(debt for debt in notices if debt.event.kind not in self.notifier.kinds)

    def _added(self, workset: Workset, error: DaylilyError) -> Workset:
        """Return the workset if it was stored after all: who is told of a failure submits it again."""
        try:
            stored = self.store.get(workset.workset_id)
        except NotFoundError:
            raise error from None
        if (stored.created_at, stored.submitted_by) != (workset.created_at, workset.submitted_by):
            raise AlreadyExistsError(f"there is a workset {workset.workset_id} already") from None
        return stored

    def commit(self, workset: Workset) -> Payment:
        """
        Save a step that another is about to follow: what was paid is struck off with the next save.

        News can wait until then: a channel that is down must not hold up who holds a lock.

        Raises:
            ConcurrentUpdateError: The stored workset has moved on; nothing was done.
        """
        return self.pay(self.store.save(self._heard(workset)), notify=False)

    def conclude(self, committed: Payment) -> Workset:
        """Pay what a step owes that was committed and that none follows for now, and strike it off."""
        rest = self.pay(committed.workset)
        paid, posted = committed.paid + rest.paid, committed.posted | rest.posted
        return self.settle(evolve(rest, paid=paid, posted=posted))

    def rest(self, workset: Workset, *, directory: bool = True) -> Workset:
        """
        Save a step that none follows for now, pay what it owes, and strike it off.

        Args:
            directory: See ``pay``.

        Raises:
            ConcurrentUpdateError: The stored workset has moved on; nothing was done.
        """
        return self.settle(self.pay(self.store.save(self._heard(workset)), directory=directory))

    def update(
        self,
        workset_id: str,
        step: Callable[[Workset], Workset],
        *,
        directory: bool = True,
        version: int | None = None,
    ) -> Workset:
        """
        Read a workset, take a step and rest; start again while others change it meanwhile.

        Args:
            directory: See ``pay``.
            version: The one that the step is meant for; None takes it from whatever is stored.

        Raises:
            NotFoundError: There is no such workset.
            StaleVersionError: Another version is stored; nothing was done.
            ConflictError: The step cannot be taken, or others would not let up.
        """
        if version is not None:
            step = _meant_for(version, step)
        for _ in range(TRIES - 1):
            try:
                return self.rest(step(self.store.get(workset_id)), directory=directory)
            except ConcurrentUpdateError:
                continue
        return self.rest(step(self.store.get(workset_id)), directory=directory)

    def pay(self, workset: Workset, *, notify: bool = True, directory: bool = True) -> Payment:
        """
        Pay debts in their order, as far as the world answers; paying twice does no harm.

        What concerns the directory is paid strictly in order, and stops at the first that cannot be;
        notices do not wait for the directory, nor it for them. A debt that nobody will ever take is
        struck off, but for files that are missing: who launches the workset decides what becomes of it.

        Args:
            notify: False leaves notices owed, without asking a channel that is known to be down.
            directory: False leaves the directory as it is, and in debt.
        """
        paid: list[Debt] = []
        refused: set[Sentinel] = set()
        missing = None
        down: set[type] = set()
        if not notify:
            down.add(SendNotice)
        if not directory:
            down.add(PublishFiles)
        for debts in together(workset.debts):
            debt = debts[0]
            creditor = SendNotice if isinstance(debt, SendNotice) else PublishFiles
            if creditor in down:
                continue
            try:
                workset, stood_there = self._pay(workset, debts)
                refused |= stood_there
            except UnavailableError as error:
                _log.warning("%s: %s stays owed: %s", workset.workset_id, type(debt).__name__, error)
                down.add(creditor)
                continue
            except InvalidInputError as error:
                if isinstance(debt, CopyFiles):
                    # Who launches the workset decides: until then they may yet be uploaded.
                    missing = str(error)
                    down.add(creditor)
                    continue
                # Asking again cannot help, and what is owed for ever would hold up all that follows.
                _log.error("%s: %s can never be paid: %s", workset.workset_id, debt, error)
            paid += debts
        posted = frozenset(debt.sentinel for debt in paid if isinstance(debt, PostSentinel))
        return Payment(workset.settled(paid), frozenset(refused), len(paid), posted - refused, missing)

    def settle(self, payment: Payment) -> Workset:
        """
        Strike off in the store what has been paid; one that has moved on is left to its mover.

        The step itself is stored already. So a store that has gone away since is no failure of the
        step: the debts are paid once more when they are overdue, which does no harm.
        """
        if not payment.paid:
            return payment.workset
        try:
            return self.store.save(payment.workset)
        except ConcurrentUpdateError:
            self.retract(payment.workset.workset_id, payment.posted)
            return payment.workset
        except UnavailableError as error:
            _log.warning("%s: paid debts stay noted: %s", payment.workset.workset_id, error)
            return payment.workset

    def retract(self, workset_id: str, posted: Collection[Sentinel]) -> None:
        """
        Withdraw sentinels that we were so slow to post that the workset had moved on before.

        Who moved it has withdrawn them already, and nobody would look for them again.
        """
        try:
            current = self.store.get(workset_id)
            for sentinel in posted:
                if sentinel not in current.posted:
                    self.sentinels.withdraw(workset_id, sentinel, current.sequence)
        except UnavailableError as error:
            _log.warning("%s: late sentinels may be left: %s", workset_id, error)

    def _pay(self, workset: Workset, debts: tuple[Debt, ...]) -> tuple[Workset, frozenset[Sentinel]]:
        """
        Pay a debt, or withdrawals that go together.

        Returns:
            The workset, with what has been found out, and the sentinel if it was refused.
        """
        debt = debts[0]
        match debt:
            case CopyFiles(sources):
                return workset.with_seals(self.sentinels.fetch(workset, sources)), frozenset()
            case PublishFiles():
                self.sentinels.publish(workset)
            case PostSentinel(sentinel, body):
                if not self.sentinels.post(workset.workset_id, sentinel, body):
                    return workset, frozenset({sentinel})
            case WithdrawSentinel():
                stale = {
                    each.sentinel: each.sequence for each in debts if isinstance(each, WithdrawSentinel)
                }
                self.sentinels.withdraw_all(workset.workset_id, stale)
            case _:
                self.notifier.send(debt.event)
        return workset, frozenset()


def _meant_for(version: int, step: Callable[[Workset], Workset]) -> Callable[[Workset], Workset]:
    def checked(workset: Workset) -> Workset:
        if workset.version != version:
            text = f"{workset.workset_id} has moved on since it was read: read it again"
            raise StaleVersionError(text)
        return step(workset)

    return checked
