"""Find the worksets that people and other systems dropped into the object store."""

import logging
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from attrs import define, evolve, field, frozen

from daylily.application.ledger import Ledger
from daylily.application.others import Others
from daylily.application.resting import Resting, within
from daylily.application.restore_workset import RestoreWorkset
from daylily.application.strays import RefuseStrays
from daylily.application.workers import Workers
from daylily.domain.customer_keys import OWN_FOLDER
from daylily.domain.debts import SendNotice
from daylily.domain.errors import ConflictError, InvalidInputError, UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.names import ID_RULE, is_id
from daylily.domain.pipelines import PipelineRegistry
from daylily.domain.sentinels import Sentinel, state_shown
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock
from daylily.ports.paging import Page, every
from daylily.ports.sentinel_store import DroppedWorkset, Folder, SentinelStore
from daylily.ports.state_store import StateStore

OUTAGES: Final = 3
"""How many directories of a look may meet an outage before it ends."""
LOOK_EVERY: Final = timedelta(minutes=1)
"""How long a directory that is not ready yet, or damaged, may be left alone."""
TELL_AGAIN: Final = timedelta(hours=1)
PAGE_PAUSE: Final = timedelta(seconds=2)
"""Time between two listings, for each page beyond the first: a listing of all must not be all we do."""

MOST_FAULTS: Final = 5
"""How many faults of one directory are told in a line."""

MOST_TAKEN: Final = 1000
"""How many directories a look takes: what runs is not to wait for a flood to be over."""

_BATCH: Final = 500

_log = logging.getLogger(__name__)


@frozen
class Damaged:
    """A directory that shows ``daylily.ready`` and yet cannot be taken."""

    workset_id: str
    """The directory's name, which may be no id."""
    error: InvalidInputError

    def __str__(self) -> str:
        faults = [str(fault) for fault in self.error.faults]
        more = [f"and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
        name = self.workset_id if is_id(self.workset_id) else repr(self.workset_id[:80])
        return f"{name}: {'; '.join(faults[:MOST_FAULTS] + more)}"


@frozen(kw_only=True)
class Discovered:
    """What a look at the directories brought to light."""

    registered: tuple[Workset, ...] = ()
    damaged: tuple[Damaged, ...] = ()
    """Told when it is found or has changed, and once an hour."""
    outages: tuple[UnavailableError, ...] = ()
    """What kept directories from being looked at; they are looked at again next time."""


@frozen
class _Told:
    text: str
    at: datetime


@define(kw_only=True)
class DiscoverWorksets:
    """
    Register directories that no workset is known for.

    Remembers, for speed alone, which directories it has seen, and when to look again at those that
    cannot be taken yet. What is remembered never decides anything. Of several threads one looks at a
    time.
    """

    ledger: Ledger
    store: StateStore
    sentinels: SentinelStore
    pipelines: PipelineRegistry
    restore: RestoreWorkset
    refuse_strays: RefuseStrays
    clock: Clock
    customer_id: str
    """Whose the dropped worksets are."""
    max_retries: int
    """Of those that do not say."""
    actor: str
    workers: Workers = Workers()
    _mark: str | None = field(init=False, default=None)
    _listed_at: datetime | None = field(init=False, default=None)
    _pause: timedelta = field(init=False, default=timedelta())
    _known: set[str] = field(init=False, factory=set)
    _waiting: set[str] = field(init=False, factory=set)
    _looks: Resting = field(init=False, factory=lambda: Resting(LOOK_EVERY))
    _told: dict[str, _Told] = field(init=False, factory=dict)
    _troubled: set[str] = field(init=False, factory=set)
    """Those that met an outage; they come last, so that they cannot keep the others from being seen."""
    _mutex: threading.Lock = field(init=False, factory=threading.Lock, repr=False, eq=False)

    def __call__(self) -> Discovered:
        """
        Look for new directories and register those that are ready, running, held or done.

        Raises:
            UnavailableError: Directories cannot be listed.
        """
        with self._mutex:
            return self._look()

    def _look(self) -> Discovered:
        now = self.clock()
        self._list(now)
        waiting = [each for each in self._waiting if self._looks.over(each, now)]
        waiting.sort(key=lambda each: (each in self._troubled, each))
        registered: list[Workset] = []
        damaged: list[Damaged] = []
        outages: list[UnavailableError] = []
        # A few at a time: where nothing answers, each takes long to fail.
        for start in range(0, min(len(waiting), MOST_TAKEN), self.workers.number):
            batch = waiting[start : start + self.workers.number]
            for workset_id, found in zip(batch, self.workers.each(self._try, batch), strict=True):
                match found:
                    case Workset():
                        registered.append(found)
                        self._settle(workset_id)
                    case None:
                        self._looks.begin(workset_id, now)
                    case InvalidInputError():
                        self._looks.begin(workset_id, now)
                        if self._is_to_be_told(workset_id, str(found), now):
                            damaged.append(Damaged(workset_id, found))
                    case UnavailableError():
                        # It may be this one directory.
                        outages.append(found)
                        self._troubled.add(workset_id)
                    case _:
                        self._settle(workset_id)  # another monitor took it first
            if len(outages) >= OUTAGES:
                break
        return Discovered(registered=tuple(registered), damaged=tuple(damaged), outages=tuple(outages))

    def _try(
        self, workset_id: str
    ) -> Workset | InvalidInputError | UnavailableError | ConflictError | None:
        try:
            return self.take(workset_id)
        except (InvalidInputError, UnavailableError, ConflictError) as error:
            return error
        except Exception as error:  # noqa: BLE001 - logged with its traceback
            # A bug that one directory brings to light must not hide all others for ever (D-21).
            _log.error("%r: %s", workset_id, error, exc_info=error)
            return InvalidInputError.of("the directory", f"{type(error).__name__}: {error}")

    def take(self, workset_id: str) -> Workset | None:
        """
        Register one directory as the workset that it shows; None where it is not to be touched now.

        One that bears our marks is a workset that the store has lost, and is put back. One that is to
        be run is as old as its ``daylily.ready``, and stands in the queue so.

        Raises:
            AlreadyExistsError: There is a workset of that id.
            InvalidInputError: It cannot be taken; every fault is listed.
            UnavailableError: A store does not answer.
        """
        if not is_id(workset_id):
            self._refuse_name(workset_id)
            return None
        folder = self.sentinels.look(workset_id)
        if _is_ours(folder):
            return self.restore(workset_id, folder)
        dropped = self._dropped(workset_id, folder)
        return dropped and self.ledger.register(dropped)

    def foresee(self) -> Iterator[Workset | Damaged]:
        """
        Yield what looks would register, and what they would tell of, without doing so.

        Raises:
            UnavailableError: A store does not answer.
        """
        names = sorted(
            {*every(lambda cursor: self.sentinels.directories(cursor=cursor))} - {OWN_FOLDER}
        )
        for start in range(0, len(names), _BATCH):
            batch = names[start : start + _BATCH]
            known = self.store.known([name for name in batch if is_id(name)])
            for name in batch:
                if name not in known:
                    try:
                        found = self._foreseen(name)
                    except InvalidInputError as error:
                        yield Damaged(name, error)
                    else:
                        if found is not None:
                            yield found

    def _foreseen(self, name: str) -> Workset | None:
        if not is_id(name):
            self._refuse_name(name)
            return None
        folder = self.sentinels.look(name)
        return self.restore.told(name, folder) if _is_ours(folder) else self._dropped(name, folder)

    def _dropped(self, workset_id: str, folder: Folder) -> Workset | None:
        """
        Return one directory as the workset that it shows; None where it is not to be touched now.

        Raises:
            InvalidInputError: It cannot be taken; every fault is listed.
            UnavailableError: The object store does not answer.
        """
        shown = state_shown(folder.sentinels)
        if shown is State.LOCKED and Sentinel.READY in folder.sentinels:
            # Whether that lock still counts is asked before each launch.
            shown = State.READY
        if shown is None or shown is State.LOCKED:
            return None
        try:
            dropped = self.sentinels.read(workset_id)
        except InvalidInputError:
            if shown is State.IGNORED:
                return None  # it may be under construction; nobody wants it run
            raise
        self.refuse_strays(dropped.manifest, workset_id, self.customer_id)
        if shown is State.READY:
            self._refuse_what_is_not_ours(dropped)
        return self._workset(workset_id, dropped, folder, shown)

    def _workset(
        self, workset_id: str, dropped: DroppedWorkset, folder: Folder, shown: State
    ) -> Workset:
        workset = Workset.register(
            workset_id=workset_id,
            customer_id=self.customer_id,
            name=dropped.name,
            manifest=dropped.manifest,
            at=self.clock(),
            actor=self.actor,
            priority=dropped.priority,
            notification_email=dropped.notification_email,
            max_retries=self.max_retries if dropped.max_retries is None else dropped.max_retries,
            requirements=dropped.requirements,
        )
        if shown is State.READY:
            since = self.sentinels.ready_since(workset_id)
            return evolve(workset, created_at=min(since or workset.created_at, workset.created_at))
        others = Others(workset=workset, folder=folder, at=self.clock(), actor=self.actor)
        adopted = others.adopt(workset, shown)
        # It was under way before we knew of it: that is no news.
        quiet = tuple(debt for debt in adopted.debts if not isinstance(debt, SendNotice))
        return evolve(adopted, debts=quiet)

    def _refuse_name(self, name: str) -> None:
        """
        Pass over a directory whose name leads who knows where.

        Raises:
            InvalidInputError: It shows ``daylily.ready``: somebody waits for it.
        """
        if self.sentinels.ready_since(name) is not None:
            raise InvalidInputError.of("the directory's name", f"is not one of a workset: {ID_RULE}")

    def _refuse_what_is_not_ours(self, dropped: DroppedWorkset) -> None:
        """
        Leave to the old engine what only that can run.

        Raises:
            InvalidInputError: It names no pipeline, and what it says is not one that runs here.
        """
        if dropped.for_us:
            return
        name = dropped.manifest.pipeline
        try:
            runs = self.pipelines.get(name).runs_here
        except InvalidInputError:
            runs = False
        if not runs:
            raise InvalidInputError.of(
                "daylily_work.yaml, pipeline",
                "is missing: what it says is left to the engine of old; to have it run here, name one"
                f" of {', '.join(self.pipelines.runnable)}",
            )

    def _list(self, now: datetime) -> None:
        """List the directories, if some may have come and the last listing was not just now."""
        if self._listed_at is not None and within(self._pause, self._listed_at, now):
            return
        mark = self.sentinels.changed(self._mark)
        if mark is not None:
            pages = self._look_around()
            self._mark, self._listed_at, self._pause = mark, now, PAGE_PAUSE * (pages - 1)

    def _look_around(self) -> int:
        there: set[str] = set()
        page: Page[str] = self.sentinels.directories()
        there.update(page.items)
        pages = 1
        while page.cursor is not None:
            page = self.sentinels.directories(cursor=page.cursor)
            there.update(page.items)
            pages += 1
        there.discard(OWN_FOLDER)
        self._known &= there
        self._waiting &= there
        self._troubled &= there
        self._told = {name: told for name, told in self._told.items() if name in self._waiting}
        new = sorted(there - self._known - self._waiting)
        # All at once: a store may know cheaper ways for many than for a few.
        known = self.store.known([name for name in new if is_id(name)]) if new else frozenset()
        self._known |= known
        self._waiting |= set(new) - known
        return pages

    def _is_to_be_told(self, workset_id: str, text: str, now: datetime) -> bool:
        told = self._told.get(workset_id)
        if told is not None and told.text == text and within(TELL_AGAIN, told.at, now):
            return False
        self._told[workset_id] = _Told(text, now)
        return True

    def _settle(self, workset_id: str) -> None:
        self._waiting.discard(workset_id)
        self._troubled.discard(workset_id)
        self._told.pop(workset_id, None)
        self._looks.end(workset_id)
        self._known.add(workset_id)


def _is_ours(folder: Folder) -> bool:
    """Tell whether a directory bears our marks: the store has lost its workset then."""
    return any(body.ours for body in folder.sentinels.values())
