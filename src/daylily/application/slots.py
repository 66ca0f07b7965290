"""At most so many worksets of a customer run at a time, however many monitors launch at once."""

import json
import logging
import threading
from collections.abc import Collection
from contextlib import suppress
from typing import Final

from attrs import define, evolve, field

from daylily.application.room import Limits
from daylily.domain.errors import (
    AlreadyExistsError,
    ConcurrentUpdateError,
    NotFoundError,
    NotSetUpError,
)
from daylily.domain.lifecycle import State
from daylily.domain.workset import Workset
from daylily.ports.documents import Document, DocumentStore, is_name
from daylily.ports.state_store import StateStore

KIND: Final = "slots"
UNBOUNDED: Final = 10_000
"""From so many worksets on, a customer is bounded by the installation alone."""

_KEY: Final = "running"
_HOLDING: Final = frozenset({State.LOCKED, State.IN_PROGRESS})

_log = logging.getLogger(__name__)


@define(eq=False)
class _Wish:
    """A workset that waits for a slot."""

    customer_id: str
    name: str
    granted: bool | None = None
    """None while nobody has asked for it."""


@define
class Slots:
    """
    The worksets of each customer that may run, in one document that is compared and set.

    A monitor counts what runs before it launches (``room``), and so may another at the same time;
    listings, too, may be late. So whoever has locked a workset also takes a slot here, and launches
    only then. Nobody gives a slot back: it is free once its workset is neither locked nor running,
    which is looked up when all are taken.

    Why none is taken twice: a slot is taken under the lock of its workset. Whoever finds one to be
    free has read the document before it looked at the workset; should that be locked again meanwhile,
    its monitor writes the document, and the one who found it free is refused.

    Of several threads of one monitor, one takes the slots for all that wait with it: one after the
    other, each would need a write of its own, and be refused where two have met.
    """

    documents: DocumentStore
    store: StateStore
    limits: Limits
    _told: bool = field(init=False, default=False)
    _taking: dict[str, threading.Lock] = field(init=False, factory=dict)
    """Of each customer."""
    _waiting: list["_Wish"] = field(init=False, factory=list)

    def take(self, locked: Workset) -> bool:
        """
        Take a slot for a locked workset, or the one that it has; tell whether there was one.

        Raises:
            UnavailableError: A store does not answer.
        """
        limit = self.limits.of(locked.customer_id)
        if limit is None or limit >= UNBOUNDED or not is_name(locked.customer_id):
            return True
        try:
            return self._take(locked, limit)
        except NotSetUpError as error:
            if not self._told:
                _log.warning("customers' limits are kept by counting alone: %s", error)
                self._told = True
            return True

    def _take(self, locked: Workset, limit: int) -> bool:
        wish = _Wish(locked.customer_id, locked.workset_id)
        self._waiting.append(wish)
        with self._taking.setdefault(locked.customer_id, threading.Lock()):
            if wish.granted is None:
                # Its own too where who took it along has failed.
                along = [each for each in self._waiting if each.customer_id == wish.customer_id]
                for each in along:
                    self._waiting.remove(each)
                wishes = {wish, *along}
                granted = self._take_all(wish.customer_id, {each.name for each in wishes}, limit)
                for each in wishes:
                    each.granted = each.name in granted
        return bool(wish.granted)

    def _take_all(self, customer_id: str, names: Collection[str], limit: int) -> Collection[str]:
        """Take slots for as many worksets as there are slots for; return those that have one."""
        while True:
            with suppress(AlreadyExistsError, ConcurrentUpdateError):
                try:
                    found = self.documents.get(KIND, customer_id, _KEY)
                except NotFoundError:
                    granted = [*names][:limit]
                    body = json.dumps(granted)
                    self.documents.add(Document(kind=KIND, partition=customer_id, key=_KEY, body=body))
                    return granted
                held: list[str] = json.loads(found.body)
                others = [each for each in held if each not in names]
                if len(others) + len(names) > limit:
                    others = [each for each in others if self._holds(each)]
                # Whoever has a slot keeps it before others get one.
                first = sorted(names, key=lambda name: name not in held)
                granted = first[: max(limit - len(others), 0)]
                if granted:
                    # Written also where they stand there already: see above.
                    body = json.dumps([*others, *granted])
                    self.documents.replace(evolve(found, body=body))
                return granted

    def _holds(self, workset_id: str) -> bool:
        try:
            return self.store.get(workset_id).state in _HOLDING
        except NotFoundError:
            return False
