"""What can happen to a workset from end to end, told so that it can go on after any fault."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from attrs import define, field, frozen
from tests.unit.application.lab import ADA, PREFIX, Lab

from daylily.application.register_workset import Registration
from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.domain.errors import ConflictError, UnavailableError
from daylily.domain.events import EventKind
from daylily.domain.lifecycle import State
from daylily.domain.manifest import FastqPair, Sample
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import Workset
from daylily.ports.compute import Phase
from daylily.testing.faults import FaultInjector, Killed


@define
class Play:
    """
    People, a monitor and an engine at work on one world, in which *faults* strike.

    Whoever meets an outage tries again, as people and monitors do; whoever is killed is replaced by a
    new process, much later, to which the next of *later* faults happen.
    """

    faults: FaultInjector = field(factory=FaultInjector)
    later: list[FaultInjector] = field(factory=list)
    lab: Lab = field(factory=Lab)
    exits: dict[int, int] = field(factory=dict)
    """How attempts end; those that are not named here succeed."""
    app: App = field(init=False)
    untidy: bool = field(init=False, default=False)
    """Whether somebody could not clear away the copies of a submission that came to nothing."""

    def __attrs_post_init__(self) -> None:
        self.app = self.lab.app(self.faults)

    def revive(self) -> None:
        """Let a new process take the place of the one that died, after all grace is over."""
        self.lab.clock.advance(self.lab.patience())
        self.faults = self.later.pop(0) if self.later else FaultInjector()
        self.app = self.lab.app(self.faults)

    def submit(self, name: str = "trio") -> Workset:
        """Submit a workset, and again if nothing came of it."""
        submission = self.lab.submission(name)
        for _ in range(40):
            before = self.lab.worksets()
            try:
                return self.app.submit(ADA, "acme", submission)
            except (Killed, UnavailableError) as error:
                added = [workset for workset in self.lab.worksets() if workset not in before]
                in_doubt = self.faults.calls[-2:] == ["store.add", "store.get"]
                self.untidy |= self.faults.length > 1 or self.faults.dead or in_doubt
                self._check_nothing_shows()
                if isinstance(error, Killed):
                    self.revive()
                else:
                    assert in_doubt or not added, "told that it failed, the customer submits it twice"
                if added:
                    return added[0]
        raise AssertionError("never submitted")

    def _check_nothing_shows(self) -> None:
        known = {workset.workset_id for workset in self.lab.worksets()}
        for key in [info.key for info in self.lab.objects.list(PREFIX).items]:
            workset_id, _, name = key.removeprefix(PREFIX).partition("/")
            # Copies left behind are seen by nobody: there is no sentinel. They are left by who died,
            # by who could not remove them, and by who does not know whether the workset was stored.
            assert workset_id in known or (self.untidy and name.startswith("sample_data/")), key

    def person(self, wish: Callable[[App], object]) -> None:
        """Let a person ask for something, and again if it is not clear what came of it."""
        asked = 0
        while True:
            asked += 1
            try:
                wish(self.app)
            except UnavailableError:
                continue
            except Killed:
                self.revive()
                continue
            except ConflictError:
                assert asked > 1
            return

    def cycle(self) -> None:
        """Run a cycle; an outage is for the next one to mend."""
        try:
            self.app.cycle()
        except UnavailableError:
            pass
        except Killed:
            self.revive()

    def reach(self, goal: Callable[[], bool]) -> None:
        """Run cycles, waits passing in between, until *goal* holds; no job ends meanwhile."""
        for _ in range(12):
            self.cycle()
            if goal():
                return
            self.lab.clock.advance(timedelta(minutes=3))
        raise AssertionError(f"never reached: {self.lab.worksets()}")

    def until(self, workset_id: str, *states: State) -> None:
        """Run cycles, jobs ending and waits passing in between, until a workset has one of *states*."""
        for _ in range(12):
            self.cycle()
            if self.lab.get(workset_id).state in states:
                return
            self.let_jobs_end()
            self.lab.clock.advance(timedelta(minutes=3))
        raise AssertionError(f"never {states}: {self.lab.get(workset_id)}")

    def let_jobs_end(self) -> None:
        """Let all jobs that run end, as they are meant to."""
        for key in self.lab.started():
            status = self.lab.compute.status([key])[key]
            if status.phase is Phase.RUNNING:
                self.lab.compute.end(key, exit_code=self.exits.get(int(key.rpartition("/")[2]), 0))


Scenario = Callable[[Play], None]


def completes(play: Play) -> None:
    """A workset runs and completes."""
    play.until(play.submit().workset_id, State.COMPLETE)


def is_retried(play: Play) -> None:
    """A workset fails of something transient, and completes at the second attempt."""
    play.exits[1] = 75
    play.until(play.submit().workset_id, State.COMPLETE)


def is_retried_by_hand(play: Play) -> None:
    """A workset fails of something permanent; a person retries it; it completes."""
    play.exits[1] = 1
    workset_id = play.submit().workset_id
    play.until(workset_id, State.ERROR)
    play.person(lambda app: app.retry(ADA, workset_id, "the reference is there now"))
    play.until(workset_id, State.COMPLETE)


def is_canceled_when_ready(play: Play) -> None:
    """A workset is canceled before any monitor looks at it."""
    workset_id = play.submit().workset_id
    play.person(lambda app: app.cancel(ADA, workset_id))
    play.until(workset_id, State.CANCELED)


def is_canceled_when_locked(play: Play) -> None:
    """A workset is canceled while its launcher waits for an engine that is away."""
    workset_id = play.submit().workset_id
    play.lab.compute.go_down()
    play.reach(lambda: play.lab.get(workset_id).state is State.LOCKED)
    play.person(lambda app: app.cancel(ADA, workset_id))
    play.lab.compute.come_back()
    play.until(workset_id, State.CANCELED)


def is_canceled_when_running(play: Play) -> None:
    """A workset is canceled while it runs."""
    workset_id = play.submit().workset_id
    play.reach(lambda: play.lab.get(workset_id).state is State.IN_PROGRESS)
    play.person(lambda app: app.cancel(ADA, workset_id, "wrong samples"))
    # Its job goes on until the engine has heard: one that ends while the engine is away is complete.
    play.reach(lambda: play.lab.get(workset_id).state is State.CANCELED)


def is_canceled_when_waiting_for_its_retry(play: Play) -> None:
    """A workset fails of something transient, and is canceled before it is tried again."""
    play.exits[1] = 75
    workset_id = play.submit().workset_id
    play.until(workset_id, State.RETRYING)
    play.person(lambda app: app.cancel(ADA, workset_id))
    play.until(workset_id, State.CANCELED)


def ends_before_its_cancel(play: Play) -> None:
    """The job succeeds before the engine hears of the cancel: the workset is complete."""
    workset_id = play.submit().workset_id
    play.reach(lambda: play.lab.get(workset_id).state is State.IN_PROGRESS)
    play.lab.compute.go_down()
    play.person(lambda app: app.cancel(ADA, workset_id))
    play.lab.compute.end(f"{workset_id}/1")
    play.lab.compute.come_back()
    play.until(workset_id, State.COMPLETE)


def is_refused_by_the_engine(play: Play) -> None:
    """The engine refuses the first attempt for good; a person retries it; it completes."""
    play.lab.compute.reject(lambda job: job.key.endswith("/1"))
    workset_id = play.submit().workset_id
    play.until(workset_id, State.ERROR)
    play.person(lambda app: app.retry(ADA, workset_id))
    play.until(workset_id, State.COMPLETE)


def is_dropped_by_hand(play: Play) -> None:
    """Somebody drops a workset into the bucket; it is found, and completes."""
    play.lab.drop("dropped-1", Sentinel.READY)
    play.reach(lambda: bool(play.lab.worksets()))
    play.until("dropped-1", State.COMPLETE)


def is_run_by_an_old_monitor(play: Play) -> None:
    """An old monitor is at a workset that was dropped, and completes it."""
    play.lab.drop("dropped-1", Sentinel.READY, Sentinel.LOCK, Sentinel.IN_PROGRESS)
    play.reach(lambda: bool(play.lab.worksets()))
    play.cycle()
    play.lab.put("dropped-1", Sentinel.COMPLETE, b"2025-06-02T12:00:00Z")
    play.until("dropped-1", State.COMPLETE)


def is_run_by_a_worker_of_old(play: Play) -> None:
    """Somebody registers a workset, locks it, runs it by other means, and says how it ended."""
    worker = Principal(name="worker-1", customer_id="acme", operator=True)
    pair = FastqPair("s3://reads/a_R1.fastq.gz", "s3://reads/a_R2.fastq.gz")
    registration = Registration(
        workset_id="ws-001",
        customer_id="acme",
        submitted_by="ada",
        name="trio",
        samples=(Sample(sample_id="NA12878", pairs=(pair,)),),
    )
    long = timedelta(days=1)
    play.person(lambda app: app.register(registration))
    play.person(lambda app: app.lock("ws-001", worker.name, long))
    play.person(lambda app: app.tell(worker, "ws-001", State.IN_PROGRESS, "on node 7"))
    play.cycle()
    play.person(lambda app: app.tell(worker, "ws-001", State.COMPLETE, "all well"))
    play.person(lambda app: app.show("ws-001"))
    play.until("ws-001", State.COMPLETE)


def is_held_by_hand(play: Play) -> None:
    """Somebody's ignore stops a workset that runs; when it is gone, it runs anew and completes."""
    workset_id = play.submit().workset_id
    play.reach(lambda: play.lab.get(workset_id).state is State.IN_PROGRESS)
    play.lab.put(workset_id, Sentinel.IGNORE, b"by hand")
    play.reach(lambda: play.lab.get(workset_id).state is State.IGNORED)
    play.lab.remove(workset_id, Sentinel.IGNORE)
    play.until(workset_id, State.COMPLETE)


def is_retried_at_its_directory(play: Play) -> None:
    """A workset fails of something permanent; somebody changes its sentinels; it completes."""
    play.exits[1] = 1
    play.lab.drop("dropped-1", Sentinel.READY)
    play.reach(lambda: bool(play.lab.worksets()))
    play.until("dropped-1", State.ERROR)
    # Its error may still be owed: only what stands there can be taken away.
    play.reach(lambda: Sentinel.ERROR in play.lab.ours("dropped-1"))
    play.lab.remove("dropped-1", Sentinel.ERROR)
    play.until("dropped-1", State.COMPLETE)


def is_given_up_by_an_old_monitor(play: Play) -> None:
    """An old monitor's run vanishes from the directory, where ready is left; it completes here."""
    play.lab.drop("dropped-1", Sentinel.READY, Sentinel.IN_PROGRESS)
    play.reach(lambda: bool(play.lab.worksets()))
    play.cycle()
    play.lab.remove("dropped-1", Sentinel.IN_PROGRESS)
    play.until("dropped-1", State.COMPLETE)


def goes_with_others(play: Play) -> None:
    """Three worksets share two slots; one of them fails, is retried, and completes too."""
    play.exits[1] = 75
    names = [play.submit(f"number {number}").workset_id for number in range(3)]
    for workset_id in names:
        play.until(workset_id, State.COMPLETE)


SCENARIOS: Final[tuple[Scenario, ...]] = (
    completes,
    is_retried,
    is_retried_by_hand,
    is_canceled_when_ready,
    is_canceled_when_locked,
    is_canceled_when_running,
    is_canceled_when_waiting_for_its_retry,
    ends_before_its_cancel,
    is_refused_by_the_engine,
    is_dropped_by_hand,
    is_run_by_an_old_monitor,
    is_run_by_a_worker_of_old,
    goes_with_others,
)


@frozen
class Ending:
    """How a play ended, as far as it must not depend on faults."""

    states: dict[str, State]
    attempts: dict[str, tuple[State | None, ...]]
    started: Counter[str]
    told: Counter[tuple[str, str]]

    @classmethod
    def of(cls, lab: Lab) -> "Ending":
        """Return how the worksets of *lab* ended, by name: a second submission has a new id."""
        worksets = lab.worksets()
        names = {workset.workset_id: workset.name for workset in worksets}
        events = {event.event_id: event for event in lab.notifier.sent}.values()
        return cls(
            {workset.name: workset.state for workset in worksets},
            {workset.name: tuple(one.outcome for one in workset.attempts) for workset in worksets},
            Counter(f"{names[key.split('/')[0]]}/{key.split('/')[1]}" for key in lab.started()),
            # That a launch went silent is news of its own: without the fault there is none.
            Counter(
                (names[event.subject], event.kind.value)
                for event in events
                if event.kind is not EventKind.LOCK_EXPIRED
            ),
        )


def perform(scenario: Scenario, *faults: FaultInjector, lab: Lab | None = None) -> Ending:
    """
    Play *scenario*, let a new monitor tidy up, and return how it ended once all is proved sound.

    Args:
        faults: Those of the first process, of the one that takes its place, and so on.
        lab: The world, if it is not to be one of dicts.
    """
    lab = lab or Lab()
    play = Play(faults[0], list(faults[1:]), lab)
    scenario(play)
    lab.drain(lab.app())
    lab.check()
    assert lab.due() == ()
    assert lab.queued() == ()
    assert max(Counter(lab.started()).values(), default=1) == 1, "an attempt was started twice"
    events: dict[str, object] = {}
    for event in lab.notifier.sent:
        assert events.setdefault(event.event_id, event) == event, "one id, two stories"
    return Ending.of(lab)
