"""Say why a workset is where it is, and what it waits for."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Final

from attrs import evolve, frozen

from daylily.application.engines import Engines
from daylily.application.heartbeats import ShowMonitors
from daylily.application.others import Others
from daylily.application.poll_worksets import MISSING_FOR
from daylily.application.read_worksets import ReadWorksets
from daylily.application.room import MakeRoom
from daylily.domain.clusters import Shortage, Unplaced
from daylily.domain.customers import Principal
from daylily.domain.diagnosis import remedy_of
from daylily.domain.errors import UnavailableError
from daylily.domain.heartbeat import Vitality
from daylily.domain.lifecycle import TERMINAL, State
from daylily.domain.retry import Failure
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import Workset
from daylily.ports.clock import Clock
from daylily.ports.compute import Phase
from daylily.ports.paging import every
from daylily.ports.sentinel_store import SentinelStore
from daylily.ports.state_store import Filter, StateStore

RANKED: Final = 10_000
"""How far down the queue a rank is looked for."""


class Cause(StrEnum):
    """What a workset waits for."""

    NOTHING = "nothing"
    """It has ended, or it runs."""
    MONITOR = "monitor"
    """Its turn has come: the next cycle of a monitor takes it on."""
    SLOT = "slot"
    """As many worksets run as may."""
    QUOTA = "quota"
    """As many worksets of its customer run as may."""
    CLUSTER = "cluster"
    """No cluster that would do has room for it."""
    LOCK = "lock"
    OTHER_SYSTEM = "other_system"
    RETRY = "retry"
    ENGINE_QUEUE = "engine_queue"
    """The engine has it and has not started it yet."""
    ENGINE_DOWN = "engine_down"
    CANCEL = "cancel"
    PERSON = "person"
    """Somebody has to act."""


_MONITORS_TURN: Final = frozenset({Cause.MONITOR, Cause.CANCEL, Cause.RETRY})
"""What a monitor has to do something for."""
_NO_CLUSTERS: Final = "Name the cluster under 'clusters' in the settings of monitors, or cancel it."
START: Final = "Start a monitor: `daylily monitor`, or `daylily up`."


@frozen(kw_only=True)
class Explanation:
    """Why a workset is where it is."""

    workset_id: str
    state: State
    cause: Cause
    text: str
    """In words, for people."""
    rank: int | None = None
    """Its place in the queue, from 1."""
    until: datetime | None = None
    """When the wait ends at the latest, where that is known."""
    remedy: str | None = None
    """What somebody can do."""


@frozen
class _Answer:
    cause: Cause
    text: str
    rank: int | None = None
    until: datetime | None = None
    remedy: str | None = None


@frozen(kw_only=True)
class ExplainWorkset:
    """Look at store, queue, directory and engine as far as the state asks for it; change nothing."""

    read: ReadWorksets
    store: StateStore
    sentinels: SentinelStore
    engines: Engines
    clock: Clock
    room: MakeRoom
    monitors: ShowMonitors

    def __call__(self, who: Principal, workset_id: str) -> Explanation:
        """
        Say why a workset is where it is.

        Raises:
            NotFoundError: There is none that the caller may see.
            UnavailableError: The state store does not answer.
        """
        workset = self.read.get(who, workset_id)
        answer = self._answer(workset)
        if answer.cause in _MONITORS_TURN and not self._watched():
            answer = evolve(answer, text=f"{answer.text}. No monitor has been heard of", remedy=START)
        return Explanation(
            workset_id=workset_id,
            state=workset.state,
            cause=answer.cause,
            text=answer.text,
            rank=answer.rank,
            until=answer.until,
            remedy=answer.remedy,
        )

    def _watched(self) -> bool:
        """Tell whether a monitor has given a sign of life, for all that can be found out."""
        try:
            heard = self.monitors()
        except UnavailableError:
            return True
        now = self.clock()
        return any(each.vitality(now) is not Vitality.SILENT for each in heard)

    def _answer(self, workset: Workset) -> _Answer:
        if workset.state in TERMINAL:
            return self._ended(workset)
        if workset.state is State.LOCKED:
            return self._locked(workset)
        if workset.state is State.IN_PROGRESS:
            return self._running(workset)
        if workset.state is State.RETRYING:
            return self._retrying(workset)
        if workset.state is State.IGNORED:
            if not workset.held:
                return _Answer(Cause.PERSON, f"it was set aside: {workset.history[-1].reason}")
            text = "somebody put daylily.ignore into its directory"
            return _Answer(Cause.PERSON, text, remedy="Remove daylily.ignore to let it go on.")
        return self._ready(workset)

    @staticmethod
    def _ended(workset: Workset) -> _Answer:
        if workset.failure is None:
            return _Answer(Cause.NOTHING, f"it is {workset.state}")
        text = f"it is {workset.state}: {_first_line(workset.failure)}"
        return _Answer(Cause.PERSON, text, remedy=remedy_of(workset.failure))

    def _retrying(self, workset: Workset) -> _Answer:
        why = f": {_first_line(workset.failure)}" if workset.failure else ""
        text = f"it is tried again once the wait is over{why}"
        return _Answer(Cause.RETRY, text, until=workset.retry_at)

    def _locked(self, workset: Workset) -> _Answer:
        lock = workset.lock
        if lock is None or lock.expired(self.clock()):
            text = "the launch went silent: the next cycle of a monitor takes it over"
            return _Answer(Cause.MONITOR, text)
        return _Answer(Cause.LOCK, f"{lock.owner} is launching it", until=lock.expires_at)

    def _running(self, workset: Workset) -> _Answer:
        if workset.foreign_run:
            text = "another system runs it: what that writes into the directory decides"
            return _Answer(Cause.OTHER_SYSTEM, text)
        try:
            engine = self.engines.of(workset.cluster)
            status = engine.status([workset.attempt_key]).get(workset.attempt_key)
        except UnavailableError as error:
            since = workset.unknown_since
            known = f" since {since:%Y-%m-%d %H:%M:%S} UTC" if since else ""
            text = f"the engine does not answer{known}, which says nothing about the job: {error}"
            return _Answer(Cause.ENGINE_DOWN, text)
        ended = "it has ended at the engine: the next cycle of a monitor records it"
        if workset.cancel is not None:
            stopped = status is None or status.ended
            text = f"{workset.cancel.by} asked for a cancel; "
            return _Answer(Cause.CANCEL, text + (ended if stopped else "the engine has yet to stop it"))
        if status is not None and status.ended:
            return _Answer(Cause.MONITOR, ended)
        if workset.gives_up:
            text = "it is being stopped, since its launch was given up; then it is launched anew"
            return _Answer(Cause.MONITOR, text)
        if status is None:
            return self._missing(workset)
        if status.phase is Phase.QUEUED:
            text = f"the engine has it in its queue as {status.job}"
            text += f" ({status.message})" if status.message else ""
            return _Answer(Cause.ENGINE_QUEUE, text)
        text = f"it runs as {status.job}" + (f" on {workset.cluster}" if workset.cluster else "")
        # What is on record is what all else shows: of two figures nobody knows which one holds.
        progress = workset.progress or status.progress
        if progress is not None:
            text += f": {progress.done} of {progress.total} {progress.message}"
        return _Answer(Cause.NOTHING, text.rstrip())

    @staticmethod
    def _missing(workset: Workset) -> _Answer:
        since = workset.missing_since
        known = f" since {since:%Y-%m-%d %H:%M:%S} UTC" if since else ""
        text = (
            f"the engine answers, and has no record of it{known}: if it stays so, it is launched anew"
        )
        return _Answer(Cause.MONITOR, text, until=since + MISSING_FOR if since else None)

    def _ready(self, workset: Workset) -> _Answer:
        if (others := self._held_by_others(workset)) is not None:
            return others
        rank = self._rank(workset)
        place = f"number {rank} in the queue" if rank else "in the queue"
        down = self._down(workset)
        room = self.room(self._running_ones(), down)
        placed = room.place(workset)
        nowhere = isinstance(placed, Unplaced) and placed.shortage is Shortage.CLUSTER
        if down and (nowhere or not room.answers):
            said = "; ".join(str(error) for error in down.values())
            text = f"it is {place}, and its engine does not answer: {said}"
            return _Answer(Cause.ENGINE_DOWN, text, rank)
        if isinstance(placed, Unplaced):
            text = f"it is {place}, and waits for {placed.reason}"
            remedy = _NO_CLUSTERS if nowhere and not room.clustered else None
            return _Answer(Cause(placed.shortage), text, rank, remedy=remedy)
        ahead = rank - 1 if rank else 0
        if ahead >= room.max_concurrent - room.running:
            text = f"it is {place}, and {room.max_concurrent - room.running} can be launched"
            return _Answer(Cause.SLOT, text, rank)
        text = f"it is {place}: the next cycle of a monitor launches it"
        return _Answer(Cause.MONITOR, text, rank)

    def _held_by_others(self, workset: Workset) -> _Answer | None:
        try:
            folder = self.sentinels.look(workset.workset_id)
        except UnavailableError as error:
            return _Answer(Cause.OTHER_SYSTEM, f"its directory cannot be read: {error}")
        # What a monitor passes over at the launch keeps nobody waiting.
        others = Others(workset=workset, folder=folder, at=self.clock(), actor="")
        for sentinel in (Sentinel.IGNORE, Sentinel.IN_PROGRESS, Sentinel.LOCK):
            if sentinel in others.news:
                body = folder.sentinels[sentinel]
                since = f" since {body.at:%Y-%m-%d %H:%M:%S} UTC" if body.at else ""
                text = f"{sentinel} of another system stands in its directory{since}"
                remedy = f"If nobody is at work there, remove {sentinel}."
                until = others.lock_counts_until if sentinel is Sentinel.LOCK else None
                return _Answer(Cause.OTHER_SYSTEM, text, until=until, remedy=remedy)
        return None

    def _down(self, workset: Workset) -> dict[str | None, UnavailableError]:
        """Return those of the engines that may get it which do not answer, and what they say."""
        wanted = workset.requirements.cluster
        clusters: list[str | None] = [each.name for each in self.engines.clusters]
        silent: dict[str | None, UnavailableError] = {}
        for name in [each for each in clusters if wanted in {None, each}] if clusters else [None]:
            try:
                self.engines.of(name).status([workset.attempt_key])
            except UnavailableError as error:
                silent[name] = error
        return silent

    def _running_ones(self) -> Iterator[Workset]:
        where = Filter(states=frozenset({State.IN_PROGRESS}))
        running = every(lambda cursor: self.store.list(where, cursor=cursor, limit=1000))
        return islice(running, RANKED)

    def _rank(self, workset: Workset) -> int | None:
        queue = every(lambda cursor: self.store.queue(cursor=cursor, limit=1000))
        for rank, waiting in enumerate(islice(queue, RANKED), 1):
            if waiting.workset_id == workset.workset_id:
                return rank
        return None


def _first_line(failure: Failure) -> str:
    return failure.message.partition("\n")[0]
