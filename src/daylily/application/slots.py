"""At most so many worksets of a customer run at a time, however many monitors launch at once."""

import json
import logging
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
    """

    documents: DocumentStore
    store: StateStore
    limits: Limits
    _told: bool = field(init=False, default=False)

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
        name = locked.workset_id
        place = Document(kind=KIND, partition=locked.customer_id, key=_KEY, body=json.dumps([name]))
        while True:
            with suppress(AlreadyExistsError, ConcurrentUpdateError):
                try:
                    found = self.documents.get(KIND, locked.customer_id, _KEY)
                except NotFoundError:
                    self.documents.add(place)
                    return True
                held: list[str] = json.loads(found.body)
                others = [each for each in held if each != name]
                if len(others) >= limit:
                    others = [each for each in others if self._holds(each)]
                if len(others) >= limit:
                    return False
                # Written also where it stands there already: see above.
                self.documents.replace(evolve(found, body=json.dumps([*others, name])))
                return True

    def _holds(self, workset_id: str) -> bool:
        try:
            return self.store.get(workset_id).state in _HOLDING
        except NotFoundError:
            return False
