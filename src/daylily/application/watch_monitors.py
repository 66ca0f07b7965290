"""Notice that a monitor has gone silent, and tell people once."""

import logging
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from attrs import define, evolve, field

from daylily.application.heartbeats import ShowMonitors
from daylily.application.resting import Resting, within
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
_SOONEST: Final = SILENT_AFTER * BEAT_EVERY
"""No monitor is silent that was heard of more lately, however short its own intervals are."""
_ALIVE: Final = frozenset({Vitality.LIVE, Vitality.FAILING})

_log = logging.getLogger(__name__)


@define(kw_only=True, eq=False)
class WatchMonitors:
    """
    Look at the signs of life of all monitors, at most once a minute; whoever lives does.

    A silence is noted in a document whose key is made of the monitor and its last sign: of any number
    who notice, one adds it. It is owed until its channels have taken it, and anybody may pay that, as
    with the debts of worksets; channels that do not take it for a day are given up on as ever.

    Clocks are not trusted. How long a monitor has been silent is told by the clock of the objects
    alone: an object is put, and asked when it was.

    Cost: a listing and a query a minute. Where somebody seems to be silent, a put, and a read of each
    such sign, until it is noted. Nothing where no channel wants to hear of it.

    Args:
        mark: The key of the object that is put.
    """

    monitors: ShowMonitors
    objects: ObjectStore
    mark: str
    documents: DocumentStore
    notifier: Notifier
    clock: Clock
    _looked_at: datetime | None = field(init=False, default=None)
    _resting: Resting = field(init=False, factory=Resting)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock, repr=False)

    def __call__(self) -> None:
        """Note who is silent, and tell what is owed. No outage is raised: nothing waits for this."""
        now = self.clock()
        if EventKind.MONITOR_SILENT not in self.notifier.kinds or not self._due(now):
            return
        try:
            noted = {document.key: document for document in self._noted()}
            self._note(now, noted)
            for document in noted.values():
                self._tell(document, now)
        except DaylilyError as error:
            _log.warning("monitors cannot be watched: %s", error)
        except Exception:  # noqa: BLE001 - logged with its traceback
            # What somebody has put there must not end who looks at it.
            _log.exception("monitors cannot be watched")

    def _due(self, now: datetime) -> bool:
        # One process may be a monitor and a server.
        with self._mutex:
            if self._looked_at is not None and within(BEAT_EVERY, self._looked_at, now):
                return False
            self._looked_at = now
            return True

    def _noted(self) -> Iterable[Document]:
        return every(lambda after: self.documents.list(KIND, PARTITION, after=after))

    def _note(self, now: datetime, noted: dict[str, Document]) -> None:
        """Note silences that are not in *noted* yet, and add them there."""
        signs = list(self.monitors.signs())
        # Our clock may be slow; the signs of others show how late it is at least.
        latest = max([now, *(info.modified_at for info in signs)])
        suspects = {
            _silence(info, now): heard
            for info in signs
            if latest - info.modified_at > _SOONEST and _silence(info, now).key not in noted
            if (heard := self.monitors.read(info)) is not None and _silent(heard, latest)
        }
        if not suspects:
            return
        latest = self._time_of_the_store()  # our clock may be fast, too
        alone = not any(_alive(heard, latest) for heard in self._heard(signs))
        for silence, heard in suspects.items():
            if _silent(heard, latest):
                noted[silence.key] = self._add(evolve(silence, alone=alone))

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
