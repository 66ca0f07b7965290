"""Whole fleets on one world: monitors, people, an old monitor and an engine, under any script."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from typing import Final, cast

from attrs import define, field, frozen
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from tests.unit.application.lab import ADA, PREFIX, Lab

from daylily.adapters.memory.compute import InMemoryCompute
from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.adapters.memory.state_store import InMemoryStateStore
from daylily.application.mend_ledger import Outcome as MendOutcome
from daylily.application.others import LOCK_TIMEOUT as OLD_LOCK_TIMEOUT
from daylily.application.others import Others
from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.domain.errors import (
    AlreadyExistsError,
    ConflictError,
    DaylilyError,
    NotFoundError,
    UnavailableError,
)
from daylily.domain.events import Event, EventKind
from daylily.domain.lifecycle import TERMINAL, State
from daylily.domain.sentinels import Sentinel, SentinelBody, projection, state_shown
from daylily.domain.workset import Transition, Workset
from daylily.ports.compute import Job, JobStatus, Phase
from daylily.ports.paging import every
from daylily.testing.faults import Blow, Killed
from daylily.testing.interleave import Interleaving, Outcome
from daylily.testing.lagging import LaggingIndexes
from daylily.testing.scripts import Happening, Script

Actor = Callable[[], object]

OLD_BACKOFF: Final = timedelta(seconds=30)
OLD_RUN: Final = timedelta(hours=1)
LONG: Final = timedelta(minutes=10)
WORKING: Final = "on node 7"
WORKER: Final = Principal(name="worker", customer_id="acme", operator=True)
FINAL: Final = frozenset({State.COMPLETE, State.CANCELED})
"""States that nothing leads out of in these plays: nobody archives."""
TOLD: Final = {
    State.IN_PROGRESS: EventKind.STARTED,
    State.RETRYING: EventKind.RETRYING,
    State.COMPLETE: EventKind.COMPLETE,
    State.ERROR: EventKind.ERROR,
    State.FAILED: EventKind.FAILED,
    State.CANCELED: EventKind.CANCELED,
}
_THEIRS: Final = re.compile(r"daylily\.\w+( of another system)? (found|is gone: ready)")
_BUG: Final = re.compile(r": [A-Z]\w+(Error|Exception|Iteration): ")


class Wish:
    """What a person may ask of the API; of the first workset, or the last."""

    SUBMIT = "submit"
    CANCEL = "cancel"
    RETRY = "retry"
    WORK = "work"
    """A worker of old locks it, runs it by means of its own, and says so."""


class Edit:
    """What an operator may do to the directory of a workset, and does not get wrong."""

    HOLD = "hold"
    FREE = "free"
    TRY_AGAIN = "try again"
    DROP_LOCK = "drop lock"
    DROP_READY = "drop ready"


@frozen(kw_only=True)
class Cast:
    """Who plays."""

    monitors: int = 2
    cycles: int = 2
    submitted: int = 1
    """Worksets that are there from the start."""
    dropped: int = 0
    """Directories that somebody has dropped."""
    people: tuple[tuple[str, int], ...] = ()
    """Wishes, and the seconds after which each comes."""
    edits: tuple[tuple[str, int], ...] = ()
    """Of one operator: what, and the seconds since the one before."""
    exits: tuple[int, ...] = ()
    """How jobs end meanwhile; those after succeed."""
    old: bool = False


_WISHES: Final = (Wish.SUBMIT, Wish.CANCEL, Wish.CANCEL, Wish.RETRY, Wish.WORK)
_EDITS: Final = (Edit.HOLD, Edit.FREE, Edit.TRY_AGAIN, Edit.DROP_LOCK, Edit.DROP_READY)
_EXITS: Final = (0, 1, 75)
_PAUSES: Final = (0, 0, 5, 70, 400)


def casts() -> SearchStrategy[Cast]:
    """Any cast: two to four monitors, and whoever else."""
    pauses = st.sampled_from(_PAUSES)
    return st.builds(
        Cast,
        monitors=st.integers(2, 4),
        cycles=st.integers(1, 3),
        submitted=st.integers(1, 2),
        dropped=st.integers(0, 1),
        people=st.lists(st.tuples(st.sampled_from(_WISHES), pauses), max_size=3).map(tuple),
        edits=st.lists(st.tuples(st.sampled_from(_EDITS), pauses), max_size=3).map(tuple),
        exits=st.lists(st.sampled_from(_EXITS), max_size=3).map(tuple),
        old=st.booleans(),
    )


def random_cast(chance: Random) -> Cast:
    """Return the like, drawn by *chance*."""

    def some(what: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
        return tuple((chance.choice(what), chance.choice(_PAUSES)) for _ in range(chance.randint(0, 3)))

    return Cast(
        monitors=chance.randint(2, 4),
        cycles=chance.randint(1, 3),
        submitted=chance.randint(1, 2),
        dropped=chance.randint(0, 1),
        people=some(_WISHES),
        edits=some(_EDITS),
        exits=tuple(chance.choice(_EXITS) for _ in range(chance.randint(0, 3))),
        old=chance.random() < 1 / 2,
    )


@define
class Witness:
    """Sees every effect at the instant it takes place, and notes what must never be."""

    seen: list[str] = field(factory=list)
    old_at: set[str] = field(factory=set)
    """Worksets that the old monitor is running."""

    def rule(self, holds: bool, broken: str) -> None:
        """Note *broken* unless *holds*; whoever is under test lives on, or it might hide the fault."""
        if not holds:
            self.seen.append(broken)


@define
class WitnessedStore(InMemoryStateStore):
    """Worksets of which a witness sees each change."""

    witness: Witness = field(factory=Witness)
    indexes: LaggingIndexes = field(factory=lambda: LaggingIndexes(InMemoryStateStore()))

    def add(self, workset: Workset) -> Workset:
        """See StateStore.add."""
        added = super().add(workset)
        self.indexes.wrote(added)
        return added

    def save(self, workset: Workset) -> Workset:
        """See StateStore.save."""
        before = self.get(workset.workset_id)
        saved = super().save(workset)
        self.witness.rule(
            before.state not in FINAL or saved.state is before.state,
            f"{workset.workset_id} was {before.state}, and became {saved.state}",
        )
        self.witness.rule(
            saved.history[: len(before.history)] == before.history,
            f"{workset.workset_id} has lost some of its history",
        )
        self.indexes.wrote(saved)
        return saved


@define
class WitnessedObjects(InMemoryObjectStore):
    """Objects of which a witness sees each lock go."""

    _name: str = field(init=False, default="the one")  # so that two runs are alike
    witness: Witness = field(factory=Witness)
    store: InMemoryStateStore = field(factory=InMemoryStateStore)

    def delete(self, key: str, *, if_etag: str | None = None) -> bool:
        """See ObjectStore.delete."""
        body = None
        if key.endswith(f"/{Sentinel.LOCK}"):
            try:
                body = SentinelBody.parse(self.open(key).read().decode())
            except NotFoundError:
                body = None
        gone = super().delete(key, if_etag=if_etag)
        if gone and body is not None and if_etag is not None:  # old monitors and hands do not ask
            self._check(key.split("/")[-2], body)
        return gone

    def _check(self, workset_id: str, body: SentinelBody) -> None:
        workset = self.store.get(workset_id)
        self.witness.rule(body.ours, f"{workset_id}: a lock that is not ours was deleted")
        in_force = workset.lock is not None and not workset.lock.expired(self.clock())
        self.witness.rule(
            not (in_force and body.sequence == workset.sequence),
            f"{workset_id}: the lock of {workset.lock} was deleted",
        )


@define
class WitnessedCompute(InMemoryCompute):
    """
    An engine of which a witness sees each start.

    As Slurm does, it takes a job in two steps: one that is held waits until it is let go, by whoever
    submits it or, should they die in between, by a look of anybody's.
    """

    witness: Witness = field(factory=Witness)
    store: InMemoryStateStore = field(factory=InMemoryStateStore)
    held: dict[str, Job] = field(init=False, factory=dict)

    def hold(self, job: Job) -> None:
        """Take a job that does not run yet."""
        self._check_up()
        if job.key not in self._entries:
            self.held[job.key] = job
            self._put(job.key, Phase.QUEUED)

    def let_go(self, key: str) -> None:
        """Have a job run that is held, unless it has been canceled since."""
        self._check_up()
        job = self.held.pop(key, None)
        if job is not None and self._entries[key].status.phase is Phase.QUEUED:
            del self._entries[key]
            self.submit(job)

    def status(self, keys: Collection[str]) -> Mapping[str, JobStatus]:
        """See Compute.status."""
        for key in keys:
            self.let_go(key)
        return super().status(keys)

    def submit(self, job: Job) -> str:
        """See Compute.submit."""
        before = len(self.submitted)
        running = self._at(job.key.partition("/")[0])
        found = super().submit(job)
        if len(self.submitted) > before:
            workset = self.store.get(job.key.partition("/")[0])
            story = f"{job.key} was started while"
            self.witness.rule(not running, f"{story} {running} ran")
            self.witness.rule(workset.workset_id not in self.witness.old_at, f"{story} the old one ran")
            self.witness.rule(
                workset.state is State.LOCKED and workset.attempt_key == job.key,
                f"{story} it was {workset.state}, and next came {workset.attempt_key}",
            )
        return found

    def _at(self, workset_id: str) -> list[str]:
        return [
            key
            for key, status in self.all().items()
            if key.startswith(f"{workset_id}/") and status.phase is Phase.RUNNING
        ]


@frozen
class InTwoSteps:
    """The same engine for those who may die between its two steps."""

    engine: WitnessedCompute

    def submit(self, job: Job) -> str:
        """See Compute.submit."""
        self.engine.hold(job)
        self.engine.let_go(job.key)
        return job.key

    def __getattr__(self, method: str) -> object:
        return getattr(self.engine, method)


@define
class Fleet:
    """One world, and the actors of one play on it."""

    cast: Cast
    happenings: Mapping[int, Happening] = field(factory=dict)
    lab: Lab = field(init=False)
    witness: Witness = field(init=False, factory=Witness)
    interleaving: Interleaving = field(init=False)
    promised: list[str] = field(init=False, factory=list)
    """Worksets that somebody was told are there."""
    evicted: set[str] = field(init=False, factory=set)
    """Worksets of which the operator has taken a lock of the old monitor away, having stopped it."""
    abandoned: set[str] = field(init=False, factory=set)
    """Worksets that the old monitor left in the midst of its run."""
    swept: int = field(init=False, default=0)
    """How often store and directory differed in the end, and the audit mended it."""
    _processes: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        store = WitnessedStore(witness=self.witness)
        self.lab = Lab(store=store)
        self.lab.objects = WitnessedObjects(self.lab.clock, witness=self.witness, store=store)
        self.lab.compute = WitnessedCompute(
            self.lab.clock, duration=None, witness=self.witness, store=store
        )
        script = Script(self.happenings)
        self.interleaving = Interleaving(script, self.lab.clock, script)
        self.promised += [self.lab.submit(f"set {n}").workset_id for n in range(self.cast.submitted)]
        for n in range(self.cast.dropped):
            self.lab.drop(f"dropped-{n}", Sentinel.READY)

    def wrap(self, port: object, name: str) -> object:
        """Return a stand-in for *port*, on the stage."""
        lagging = port.indexes if isinstance(port, WitnessedStore) else None
        staged = self.interleaving.wrap(port, name, lagging)
        if isinstance(port, WitnessedCompute):
            return InTwoSteps(cast("WitnessedCompute", staged))
        return staged

    def app(self) -> App:
        """Return a process of its own."""
        self._processes += 1
        return self.lab.app(self, owner=f"process-{self._processes}")  # type: ignore[arg-type]

    def perform(self) -> None:
        """Play, let all faults end, and check what must hold then."""
        outcomes = self.interleaving.run(self.actors())
        self.tidy_up()
        self.check(outcomes)

    # Who plays

    def actors(self) -> dict[str, Actor]:
        """Return who plays, by name."""
        cast: dict[str, Actor] = {
            f"monitor-{n}": self.monitor for n in range(1, self.cast.monitors + 1)
        }
        for n, (wish, after) in enumerate(self.cast.people, start=1):
            cast[f"person-{n}"] = self.person(wish, timedelta(seconds=after))
        if self.cast.edits:
            cast["operator"] = self.operator
        if self.cast.exits:
            cast["engine"] = self.engine
        if self.cast.old:
            cast["old"] = self.old_monitor
        return cast

    def monitor(self) -> None:
        """Run cycles; who dies is replaced by another process."""
        app = self.app()
        for _ in range(self.cast.cycles):
            try:
                self.cycle(app)
            except UnavailableError:
                continue
            except Killed:
                self.interleaving.revive()
                app = self.app()
            self.interleaving.sleep(timedelta(seconds=60))

    def cycle(self, app: App) -> bool:
        """Run a cycle; tell whether there was nothing to do, and note what can only be a bug."""
        report = app.cycle()
        for fault in report.faults:
            self.witness.rule(_BUG.search(fault) is None, fault)
        return report.idle

    def person(self, wish: str, after: timedelta) -> Actor:
        """Return somebody who asks the API for something once, and goes away if it fails."""

        def act() -> None:
            self.interleaving.sleep(after)
            app = self.app()
            if wish == Wish.SUBMIT:
                submission = self.lab.submission("another")
                self.promised.append(app.submit(ADA, "acme", submission).workset_id)
            elif wish == Wish.CANCEL:
                app.cancel(ADA, self.promised[0])
            elif wish == Wish.WORK:
                self.work(app)
            else:
                app.retry(ADA, self.promised[0])

        return act

    def work(self, app: App) -> None:
        """Run the first workset as workers of old do: by the store alone; asking again, if need be."""
        name = self.promised[0]
        try:
            app.lock(name, WORKER.name, LONG)
        except UnavailableError:
            app.lock(name, WORKER.name, LONG)
        app.tell(WORKER, name, State.IN_PROGRESS, WORKING)
        self.interleaving.sleep(LONG)
        app.tell(WORKER, name, State.COMPLETE, "all well")

    def engine(self) -> None:
        """Let jobs end, one after the other, each at some point."""
        for exit_code in self.cast.exits:
            self.interleaving.pause("engine: a job ends")
            running = self.running()
            if running:
                self.lab.compute.end(running[0], exit_code=exit_code)

    def operator(self) -> None:
        """Edit the directory of the first workset."""
        for edit, pause in self.cast.edits:
            self.interleaving.sleep(timedelta(seconds=pause))
            self.edit(edit, self.promised[0])

    def edit(self, edit: str, workset_id: str) -> None:
        """Do to a directory what an operator does."""
        objects, directory = self.lab.objects, f"{PREFIX}{workset_id}/"
        if edit == Edit.HOLD:
            with suppress(AlreadyExistsError):
                objects.put(directory + Sentinel.IGNORE, b"by hand", if_absent=True)
        elif edit == Edit.FREE:
            self.free(workset_id)
        elif edit == Edit.DROP_LOCK:
            if Sentinel.LOCK not in self.lab.ours(workset_id):
                self.evicted.add(workset_id)
            objects.delete(directory + Sentinel.LOCK)
        elif edit == Edit.DROP_READY:
            if Sentinel.READY in self.lab.ours(workset_id):
                objects.delete(directory + Sentinel.READY)
        elif objects.delete(directory + Sentinel.ERROR):
            objects.put(directory + Sentinel.READY, b"by hand")

    def free(self, workset_id: str) -> None:
        """Take away an ignore that was put there by hand, unless the workset is canceled by now."""
        standing = self.lab.folder(workset_id).sentinels.get(Sentinel.IGNORE)
        canceled = self.lab.get(workset_id).state is State.CANCELED
        if standing and not standing.ours and not canceled:
            self.lab.remove(workset_id, Sentinel.IGNORE)

    def old_monitor(self) -> None:
        """Run a cycle of old: list all there is, then take one after the other (contract 2.6, 6.4)."""
        objects = OldObjects(self.interleaving.wrap(self.lab.objects, "old"))
        try:
            snapshots = {name: objects.sentinels(name) for name in objects.directories()}
            for name, snapshot in snapshots.items():
                self._old_run(objects, name, snapshot)
        except UnavailableError:
            return  # the cycle is over; what it was at stays as it is

    def _old_run(self, objects: "OldObjects", name: str, snapshot: set[str]) -> None:
        decisive = {Sentinel.IGNORE, Sentinel.COMPLETE, Sentinel.ERROR, Sentinel.IN_PROGRESS}
        if snapshot & decisive or Sentinel.READY not in snapshot:
            return
        began = self.lab.clock()
        objects.put(name, Sentinel.LOCK)
        self.interleaving.sleep(OLD_BACKOFF)
        if objects.sentinels(name) - snapshot - {Sentinel.LOCK}:
            objects.delete(name, Sentinel.LOCK)
            return
        self.abandoned.add(name)
        objects.put(name, Sentinel.IN_PROGRESS, lambda: self._old_begins(name, began))
        self.interleaving.sleep(OLD_RUN)
        self.witness.old_at.discard(name)
        objects.put(name, Sentinel.COMPLETE)
        self.abandoned.discard(name)

    def _old_begins(self, name: str, began: datetime) -> None:
        if self.lab.clock() - began > OLD_LOCK_TIMEOUT - OLD_BACKOFF or name in self.evicted:
            # It does not look again, so nothing could help against one that stalls for so long, nor
            # against one whose lock was taken away while it was alive.
            raise Killed("the old monitor was stopped")
        self.witness.rule(not self.running(name), f"the old monitor runs {name}, which runs")
        self.witness.old_at.add(name)

    def running(self, workset_id: str = "") -> list[str]:
        """Return the attempts that are running at our engine."""
        phases = {key: status.phase for key, status in self.lab.compute.all().items()}
        keys = [key for key in self.lab.started() if key.startswith(workset_id)]
        return [key for key in keys if phases[key] is Phase.RUNNING]

    # Afterwards

    def tidy_up(self) -> None:
        """Let a new monitor work, jobs end, and hands take away what hands and the old one left."""
        self.witness.old_at.clear()
        app = self.lab.app(owner="the-last")
        for name in self.abandoned:
            self.lab.objects.delete(f"{PREFIX}{name}/{Sentinel.IN_PROGRESS}")
        for workset in self.lab.worksets():
            self.free(workset.workset_id)
            if workset.foreign_run and workset.history[-1].reason == WORKING:
                app.tell(WORKER, workset.workset_id, State.ERROR, "the worker has died")
        for _ in range(40):
            self.lab.clock.advance(self.lab.patience())
            idle = self.cycle(app)
            for key in self.running():
                self.lab.compute.end(key)
            waiting = self.lab.due() or self.lab.queued() or self.running()
            if idle and not (waiting or self.locked_by_others() or self.wanted_again()):
                return
        raise AssertionError(f"still not idle: {self.lab.worksets()}\n{self.story()}")

    def locked_by_others(self) -> bool:
        """Tell whether a lock that the old monitor has left behind still counts."""
        folders = (self.lab.folder(workset.workset_id) for workset in self.lab.worksets())
        times = (folder.locked_at for folder in folders if folder.locked_at is not None)
        return any(self.lab.clock() < since + OLD_LOCK_TIMEOUT for since in times)

    def wanted_again(self) -> bool:
        """Tell whether a hand wants an error tried again whose directory has not had its turn yet."""
        ended = (each for each in self.lab.worksets() if each.state in {State.ERROR, State.FAILED})
        at = self.lab.clock()
        found = (
            Others(workset=each, folder=self.lab.folder(each.workset_id), at=at, actor="")
            for each in ended
        )
        return any(each.step(hands=True) is not None for each in found)

    def check(self, outcomes: Mapping[str, Outcome]) -> None:
        """Assert what must hold, whatever happened."""
        broken = list(self.witness.seen)
        for name, outcome in outcomes.items():
            if isinstance(outcome.error, DaylilyError):
                fine = isinstance(outcome.error, (UnavailableError, ConflictError))
                if not fine:
                    broken.append(f"{name}: {outcome.error!r}")
        worksets = {workset.workset_id: workset for workset in self.lab.worksets()}
        broken += [f"{each} is lost" for each in self.expected() if each not in worksets]
        for workset in worksets.values():
            broken += self.faults_of(workset)
        broken += self.disagreements()
        assert not broken, "\n".join([*broken, self.story()])

    def disagreements(self) -> list[str]:
        """Return where store and directories differ that nobody could know of any more."""
        auditor = self.lab.app(owner="auditor")
        found = []
        if any(isinstance(each, Blow) for each in self.happenings.values()):
            # Who is struck between a late post and its withdrawal leaves a sentinel that an earlier
            # step has been shown by. It is outranked, and for the audit to sweep away.
            for workset in self.lab.worksets():
                standing = self.lab.folder(workset.workset_id).sentinels.keys()
                wanted = projection(workset.state)
                if wanted - standing or state_shown(standing) is not state_shown(wanted):
                    found.append(f"{workset.workset_id} is {workset.state}, and shows {standing}")
            swept = list(auditor.mend())
            self.swept = len(swept)
            found += [f"not swept: {each}" for each in swept if each.outcome is not MendOutcome.MENDED]
        found += [f"not agreed: {each}" for each in auditor.check()]
        try:
            self.lab.check()
        except AssertionError as error:
            found.append(f"not shown: {error}")
        return found

    def expected(self) -> list[str]:
        """Return the ids of what must not be lost."""
        return [*self.promised, *(f"dropped-{n}" for n in range(self.cast.dropped))]

    def faults_of(self, workset: Workset) -> list[str]:
        """Return what is wrong with a workset."""
        name = workset.workset_id
        faults = []
        if workset.state not in TERMINAL:
            faults.append(f"{name} is {workset.state}")
        keys = [key for key in self.lab.started() if key.startswith(f"{name}/")]
        if max(Counter(keys).values(), default=0) > 1:
            faults.append(f"{name}: started {Counter(keys)}")
        # What a stalled process told the engine never to run was launched in vain, and never ran.
        engine = self.lab.compute.all()
        vain = {key for key, status in engine.items() if status.started_at is None}
        known = [f"{name}/{attempt.number}" for attempt in workset.attempts if attempt.ran]
        known = [key for key in known if key not in vain]
        if keys != known:
            faults.append(f"{name}: the engine had {keys}, the store {known}")
        for earlier, later in zip(workset.attempts, workset.attempts[1:], strict=False):
            if earlier.ended_at is None or earlier.ended_at > later.started_at:
                faults.append(f"{name}: {earlier} runs into {later}")
        times = [step.at for step in workset.history]
        if times != sorted(times):
            faults.append(f"{name}: its history goes back in time")
        return faults + self.faults_of_notices(workset)

    def faults_of_notices(self, workset: Workset) -> list[str]:
        """Return what people were told that did not happen, or not told that did."""
        name = workset.workset_id
        sent = {event.event_id: event for event in self.lab.notifier.sent if event.workset_id == name}
        faults = []
        history = dict(enumerate(workset.history, start=1))
        for event in sent.values():
            number = _step_of(event)
            if number not in history or history[number].state is not event.state:
                faults.append(f"{name}: told {event}, which did not happen")
        for number, step in history.items():
            kind = EventKind.REGISTERED if number == 1 else TOLD.get(step.state)
            if kind and not _is_theirs(history, number) and f"{name}-{number}-{kind}" not in sent:
                faults.append(f"{name}: never told of {step}")
        # What is told while it runs is told as often as there is news.
        steps = (
            event for event in sent.values() if event.kind not in {EventKind.ATTENTION, EventKind.STEP}
        )
        numbers = Counter(map(_step_of, steps))
        faults += [f"{name}: told twice of step {n}" for n, times in numbers.items() if times > 1]
        return faults

    def story(self) -> str:
        """Return all that happened."""
        steps = [f"{w.workset_id}: {step}" for w in self.lab.worksets() for step in w.history]
        return "\n".join([f"{self.cast}", f"{self.happenings}", *self.interleaving.log, *steps])


def _step_of(event: Event) -> int:
    """Return the number of the step that is told of, or after which something is told; 0 if of none."""
    number, _, _ = event.event_id.removeprefix(f"{event.workset_id}-").partition("-")
    return int(number) if number.isdigit() else 0


def _is_theirs(history: Mapping[int, Transition], number: int) -> bool:
    """Tell whether a step was another system's, or one that was found together with it."""
    reason = history[2 if number == 1 and len(history) > 1 else number].reason
    if reason == WORKING:
        return history[number].state is State.IN_PROGRESS and history[number - 1].state is State.READY
    return bool(_THEIRS.search(reason)) and "at the engine" not in reason


@frozen
class OldObjects:
    """The bucket as an old monitor uses it: it asks for nothing, and writes over everything."""

    objects: InMemoryObjectStore

    def directories(self) -> list[str]:
        """Return the names of all worksets."""
        found = every(lambda cursor: self.objects.entries(PREFIX, cursor=cursor))
        return [key.removeprefix(PREFIX).rstrip("/") for key in found]

    def sentinels(self, name: str) -> set[str]:
        """Return the sentinels of one."""
        directory = f"{PREFIX}{name}/"
        names = {key.removeprefix(directory) for key in self.objects.entries(directory).items}
        return names & set(Sentinel)

    def put(self, name: str, sentinel: Sentinel, then: Callable[[], None] = lambda: None) -> None:
        """Write a sentinel, and have *then* happen at the same instant."""
        self.objects.put(f"{PREFIX}{name}/{sentinel}", _Instant(then))  # type: ignore[arg-type]

    def delete(self, name: str, sentinel: Sentinel) -> None:
        """Delete a sentinel, whoever wrote it."""
        self.objects.delete(f"{PREFIX}{name}/{sentinel}")


@frozen
class _Instant:
    """A source that is read when, and only if, the put really takes place."""

    then: Callable[[], None]

    def read(self) -> bytes:
        self.then()
        return b"2025-06-02T12:00:00Z"
