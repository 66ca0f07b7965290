"""Have the directories show what the store says, because a person asked for it."""

import contextlib
import logging
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from typing import Final

from attrs import frozen

from daylily.application.ledger import Ledger
from daylily.application.places import Places
from daylily.application.sync_workset import Synced, SyncWorkset
from daylily.domain.errors import (
    ConcurrentUpdateError,
    DaylilyError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from daylily.domain.lifecycle import State
from daylily.domain.sentinels import Sentinel, SentinelBody, projection, state_shown
from daylily.domain.workset import DEBT_GRACE, Workset
from daylily.ports.clock import Clock
from daylily.ports.object_store import ObjectStore
from daylily.ports.paging import every
from daylily.ports.sentinel_store import SentinelStore
from daylily.ports.state_store import Filter

PENDING: Final = frozenset({State.READY, State.LOCKED, State.IN_PROGRESS, State.RETRYING})
"""Worksets that are not over, so that somebody acts on what their directories show."""
TRIES: Final = 4
OUTAGES: Final = 3
"""How many worksets in a row may meet an outage before the others are left for another time."""
_NAMED: Final = 5
# What an old run that ended in error has left; its error goes last, so that who dies in between
# leaves a directory that says error still, and not that the run goes on.
_OLD_RUN: Final = (Sentinel.LOCK, Sentinel.IN_PROGRESS, Sentinel.ERROR)

_log = logging.getLogger(__name__)


@frozen(kw_only=True)
class ShowWorkset:
    """Mend directories now, rather than when a monitor comes by."""

    ledger: Ledger
    sync: SyncWorkset
    sentinels: SentinelStore
    objects: ObjectStore
    places: Places
    clock: Clock

    def __call__(self, workset_id: str) -> Synced:
        """
        Make a directory whole again and have it show what the store says.

        What another system is running, has completed or holds off is a fact, which the store takes
        over. Its error is not: where the store has the workset ready for another try, the sentinels
        of the run that failed are taken away. Nothing else that is not ours is touched.

        Raises:
            NotFoundError: There is no such workset.
            UnavailableError: A store does not answer.
            ConcurrentUpdateError: The workset would not stand still.
        """
        for _ in range(TRIES - 1):
            with contextlib.suppress(ConcurrentUpdateError):
                return self._show(self.ledger.store.get(workset_id))
        return self._show(self.ledger.store.get(workset_id))

    def everything(self) -> Iterator[str]:
        """
        Go through all worksets that are not over, or that owe something; yield the ids of those synced.

        No sentinel of others is taken away here: an error that the store has not heard of counts.

        Raises:
            UnavailableError: Some could not be synced, which are named; at the end, when all others
                have been, unless nothing seems to answer.
        """
        store = self.ledger.store
        soon = self.clock() + DEBT_GRACE + timedelta(seconds=1)
        listed = every(lambda cursor: store.list(Filter(states=PENDING), cursor=cursor))
        owing = every(lambda cursor: store.due(soon, cursor=cursor))
        seen: set[str] = set()
        failed: dict[str, DaylilyError] = {}
        outages = 0
        for workset in chain(listed, owing):
            workset_id = workset.workset_id
            if workset_id in seen:
                continue
            seen.add(workset_id)
            try:
                self.sync(self._paid(workset))
            except ConcurrentUpdateError:
                continue  # whoever moved it sees to its directory
            except (UnavailableError, InvalidInputError) as error:
                _log.warning("%s: cannot be synced: %s", workset_id, error)
                failed[workset_id] = error
                outages += 1
                if outages == OUTAGES:
                    break
            else:
                outages = 0
                yield workset_id
        if failed:
            named = "; ".join(f"{each}: {error}" for each, error in list(failed.items())[:_NAMED])
            raise UnavailableError(f"{len(failed)} worksets could not be synced: {named}")

    def _show(self, workset: Workset) -> Synced:
        paid = self._paid(workset)
        self.sentinels.publish(paid)
        self._clear_old_run(paid)
        synced = self.sync(paid)
        if synced.adopted is None:
            self._post(synced.workset)
        return synced

    def _paid(self, workset: Workset) -> Workset:
        payment = self.ledger.pay(workset)
        paid = self.ledger.settle(payment)
        if payment.directory_in_debt:
            raise UnavailableError("the directory cannot be written; it stays owed")
        return paid

    def _clear_old_run(self, workset: Workset) -> None:
        if workset.state not in {State.READY, State.RETRYING}:
            return
        folder = self.sentinels.look(workset.workset_id)
        foreign = folder.foreign(workset.sequence)
        if state_shown(foreign - {Sentinel.READY}) is not State.ERROR:
            return
        directory = self.places.directory(workset.workset_id)
        for sentinel in _OLD_RUN:
            if sentinel in foreign:
                _log.warning("%s: %s of an old run is taken away", workset.workset_id, sentinel)
                self._remove(directory + sentinel, folder.sentinels[sentinel])

    def _remove(self, key: str, seen: SentinelBody) -> None:
        """Remove a sentinel of others, unless it has changed since it was *seen*."""
        with contextlib.suppress(NotFoundError):
            etag = self.objects.info(key).etag
            with self.objects.open(key) as stream:
                body = SentinelBody.parse(stream.read(65_536).decode(errors="replace"))
            if body == seen:
                self.objects.delete(key, if_etag=etag)

    def _post(self, workset: Workset) -> None:
        """Post what the state stands for, also where others have left lesser sentinels."""
        if workset.foreign_run or workset.debts:
            return
        posted = set()
        for sentinel in Sentinel:
            if sentinel in projection(workset.state, workset.archived_from):
                self.sentinels.post(workset.workset_id, sentinel, workset.sentinel_body())
                posted.add(sentinel)
        self.ledger.retract(workset.workset_id, posted)
