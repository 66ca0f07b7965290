"""Notice that a monitor has gone silent, and tell people once."""

import logging
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from attrs import define, evolve, field

from daylily.application.heartbeats import ShowMonitors
from daylily.application.resting import Resting, within
from daylily.application.turns import Turns
from daylily.domain.errors import (
    AlreadyExistsError,
    ConcurrentUpdateError,
    DaylilyError,
    NotFoundError,
    UnavailableError,
)
from daylily.domain.events import EventKind
from daylily.domain.heartbeat import BEAT_EVERY, SILENT_AFTER, Heard, Vitality
from daylily.domain.silence import Silence
from daylily.ports.clock import Clock
from daylily.ports.documents import Document, DocumentStore
from daylily.ports.notifier import Notifier
from daylily.ports.object_store import ObjectInfo, ObjectStore
from daylily.ports.paging import every

KIND: Final = "silence"
PARTITION: Final = "monitors"
OWED_EVERY: Final = timedelta(minutes=5)
"""How often to look for silences that whoever noted them could not tell."""
_SOONEST: Final = SILENT_AFTER * BEAT_EVERY
"""No monitor is silent that was heard of more lately, however short its own intervals are."""
_ALIVE: Final = frozenset({Vitality.LIVE, Vitality.FAILING})

_log = logging.getLogger(__name__)


@define(kw_only=True, eq=False)
class WatchMonitors:
    """
    Look at the signs of life of all monitors, once a minute; whoever lives does.

    A silence is noted in a document whose key is made of the monitor and its last sign: of any number
    who notice, one adds it. It is owed until its channels have taken it, and anybody may pay that, as
    with the debts of worksets; channels that do not take it for a day are given up on as ever.

    Clocks are not trusted. How long a monitor has been silent is told by the clock of the objects
    alone: an object is put, and asked when it was.

    Cost: a listing a minute and a query every five, each in its turn. Where somebody falls silent, a
    put, and a read of each sign. Nothing where no channel wants to hear of it.

    Args:
        mark: The key of the object that is put.
    """

    monitors: ShowMonitors
    objects: ObjectStore
    mark: str
    documents: DocumentStore
    notifier: Notifier
    clock: Clock
    turns: Turns = field(factory=Turns)
    _done_at: dict[str, datetime] = field(init=False, factory=dict)
    _noted: frozenset[str] = field(init=False, default=frozenset())
    """The keys of what was noted when we last looked."""
    _resting: Resting = field(init=False, factory=Resting)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock, repr=False)

    def __call__(self) -> None:
        """Note who is silent, and tell what is owed. No outage is raised: nothing waits for this."""
        now = self.clock()
        if EventKind.MONITOR_SILENT not in self.notifier.kinds:
            return
        try:
            if self._is_due("silences that are owed", OWED_EVERY, now):
                noted = list(every(lambda after: self.documents.list(KIND, PARTITION, after=after)))
                self._noted = frozenset(document.key for document in noted)
                for document in noted:
                    self._tell(document, now)
            if self._is_due("signs of life", BEAT_EVERY, now):
                for document in self._note(now):
                    self._tell(document, now)
        except DaylilyError as error:
            _log.warning("monitors cannot be watched: %s", error)
        except Exception:  # noqa: BLE001 - logged with its traceback
            # What somebody has put there must not end who looks at it.
            _log.exception("monitors cannot be watched")

    def _is_due(self, what: str, interval: timedelta, now: datetime) -> bool:
        # One process may be a monitor and a server.
        with self._mutex:
            done_at = self._done_at.get(what)
            if (done_at is not None and within(interval, done_at, now)) or not self.turns.take(what):
                return False
            self._done_at[what] = now
            return True

    def _note(self, now: datetime) -> list[Document]:
        """Note silences that are not noted yet, and return them."""
        signs = list(self.monitors.signs())
        # Our clock may be slow; the signs of others show how late it is at least.
        latest = max([now, *(info.modified_at for info in signs)])
        suspects = {
            _silence(info, now): heard
            for info in signs
            if latest - info.modified_at > _SOONEST and _silence(info, now).key not in self._noted
            if (heard := self.monitors.read(info)) is not None and _silent(heard, latest)
        }
        if not suspects:
            return []
        latest = self._time_of_the_store()  # our clock may be fast, too
        alone = not any(_alive(heard, latest) for heard in self._heard(signs))
        return [
            self._add(evolve(silence, alone=alone))
            for silence, heard in suspects.items()
            if _silent(heard, latest)
        ]

    def _heard(self, signs: Iterable[ObjectInfo]) -> Iterator[Heard]:
        found = (self.monitors.read(info) for info in signs)
        return (heard for heard in found if heard is not None)

    def _time_of_the_store(self) -> datetime:
        self.objects.put(self.mark, b"")
        # What a put answers need not be what the store has stamped.
        return self.objects.info(self.mark).modified_at

    def _add(self, silence: Silence) -> Document:
        document = Document(
            kind=KIND,
            partition=PARTITION,
            key=silence.key,
            body=silence.render(),
            expires_at=silence.expires_at,
        )
        try:
            return self.documents.add(document)
        except AlreadyExistsError:
            # Somebody else has noticed: what they say is what people are told.
            return self.documents.get(KIND, PARTITION, silence.key)

    def _tell(self, document: Document, now: datetime) -> None:
        silence = Silence.parse(document.body)
        if silence is None or silence.told or not self._resting.over(document.key, now):
            return
        try:
            self.notifier.send(silence.event())
        except UnavailableError as error:
            _log.warning("%s stays owed: %s", document.key, error)
            self._resting.begin(document.key, now)
            return
        self._resting.end(document.key)
        told = silence.over()
        try:
            self.documents.replace(evolve(document, body=told.render(), expires_at=told.expires_at))
        except (ConcurrentUpdateError, NotFoundError):
            return  # another has told it too, under the same id


def _silence(info: ObjectInfo, now: datetime) -> Silence:
    name = info.key.rpartition("/")[2].removesuffix(".json")
    return Silence.of(name, info.modified_at, now)


def _silent(heard: Heard, now: datetime) -> bool:
    return heard.vitality(now) is Vitality.SILENT and not heard.forgotten(now)


def _alive(heard: Heard, now: datetime) -> bool:
    """Tell whether it works; one that is called for each cycle does if it was called of late."""
    vitality = heard.vitality(now)
    return vitality in _ALIVE or (vitality is Vitality.ONCE and now - heard.at <= _SOONEST)
