"""A world of real stores that outlives the processes at work in it, and a death at any call."""

import json
import os
import threading
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar, cast

from attrs import define, evolve, field, frozen

from daylily.adapters.aws.customers import DynamoDBCustomers
from daylily.adapters.aws.dynamodb import DynamoDBStateStore
from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.adapters.document_identities import DocumentIdentities
from daylily.adapters.local.notifier import JournalNotifier
from daylily.adapters.memory.documents import InMemoryDocumentStore
from daylily.adapters.sentinel_store import ObjectSentinelStore
from daylily.adapters.system import SystemChance
from daylily.application.submit_workset import Submission
from daylily.bootstrap import App, World, compose
from daylily.config import Settings
from daylily.domain.customers import Principal
from daylily.domain.errors import NotFoundError, RejectedError
from daylily.domain.lifecycle import State
from daylily.domain.manifest import FastqPair, Sample
from daylily.domain.sentinels import Sentinel, projection
from daylily.domain.workset import DEBT_GRACE, REFUSED, Workset
from daylily.ports.compute import Job, JobStatus, LogChunk, Phase
from daylily.ports.paging import every
from daylily.testing.clock import ManualClock
from daylily.testing.samples import NOON

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

DIED: Final = 66
"""Exit code of a process that died where it was to."""
ADA: Final = Principal(name="ada", customer_id="acme")
READS: Final = b"@read\nACGT\n+\nFFFF\n"
FILES: Final = ("a_R1.fastq", "a_R2.fastq")


CHANGES: Final = frozenset(
    {
        *("PutItem", "UpdateItem", "PutObject", "CopyObject", "DeleteObject"),
        *("engine.submit", "engine.cancel", "channel.send"),
    }
)
"""
Calls that change something. Who dies at any other leaves the world as if it had died at the next of
these: what it knew is lost either way.
"""


@define
class Death:
    """
    Ends the process, as a loss of power does, at its nth call that changes something outside it.

    Args:
        at: Number of the call, from 1; None: it lives.
        answered: Whether the call is made, and only its answer lost.
    """

    at: int | None = None
    answered: bool = False
    calls: list[str] = field(init=False, factory=list)
    counting: bool = field(init=False, default=False)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock)
    _here: threading.local = field(init=False, factory=threading.local)

    def watch(self, client: Any) -> None:
        """Strike the calls of a client of botocore: before they are sent, or once they are answered."""
        client.meta.events.register("before-send", self._sent)
        client.meta.events.register("response-received", self._received)

    def wrap(self, port: T, name: str) -> T:
        """Return a stand-in for *port*, whose calls are struck too."""
        return cast(T, _Struck(port, name, self))

    def _sent(self, event_name: str, **_: object) -> None:
        self.before(event_name.rpartition(".")[2])

    def _received(self, **_: object) -> None:
        self.after()

    def before(self, name: str) -> None:
        """Note that a call is about to be made."""
        self._here.number = None
        if not self.counting or name not in CHANGES:
            return
        with self._mutex:
            self.calls.append(name)
            self._here.number = len(self.calls)
        if self._here.number == self.at and not self.answered:
            _die()

    def after(self) -> None:
        """Note that the call that this thread made has been answered."""
        if self.answered and self.at is not None and self._here.number == self.at:
            _die()


def _die() -> NoReturn:
    os._exit(DIED)


@frozen
class _Struck:
    port: object
    name: str
    death: Death

    def __getattr__(self, method: str) -> object:
        found = getattr(self.port, method)
        if not callable(found):
            return found

        def call(*args: object, **named: object) -> object:
            self.death.before(f"{self.name}.{method}")
            answer = found(*args, **named)
            self.death.after()
            return answer

        return call


@frozen
class FileCompute:
    """An engine whose jobs are files: they outlive their monitors, and end when a test says so."""

    folder: Path

    def submit(self, job: Job) -> str:
        """See Compute.submit."""
        if self._refusing.exists():
            raise RejectedError("there is no such partition")
        self._create(job.key, Phase.RUNNING)
        return job.key

    def status(self, keys: Collection[str]) -> Mapping[str, JobStatus]:
        """See Compute.status."""
        return {key: self._status(key) for key in keys if self._path(key).exists()}

    def cancel(self, key: str) -> None:
        """See Compute.cancel."""
        if not self._create(key, Phase.CANCELED) and not self._status(key).ended:
            self._write(key, Phase.CANCELED, None)

    def log(self, key: str, *, offset: int = 0, limit: int = 65536) -> LogChunk:
        """See Compute.log."""
        raise NotFoundError(f"{key} has written nothing")

    def refuse(self) -> None:
        """Take no job from now on, as an engine that is set up wrongly."""
        self._refusing.touch()

    @property
    def _refusing(self) -> Path:
        return self.folder / "refusing"

    def end(self, exit_code: int) -> None:
        """End all that runs."""
        for key in self.started():
            if not self._status(key).ended:
                self._write(key, Phase.FAILED if exit_code else Phase.SUCCEEDED, exit_code)

    def started(self) -> list[str]:
        """Return the attempts that have been started."""
        found = sorted(path.stem.replace("@", "/") for path in self.folder.glob("*.job"))
        return [key for key in found if self._status(key).started_at]

    def _path(self, key: str) -> Path:
        return self.folder / f"{key.replace('/', '@')}.job"

    def _create(self, key: str, phase: Phase) -> bool:
        """Write a job down, whole or not at all; return False if there is one of that key."""
        path = self._path(key)
        new = path.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps({"phase": phase, "exit_code": None}))
        try:
            os.link(new, path)
        except FileExistsError:
            return False
        finally:
            new.unlink()
        return True

    def _write(self, key: str, phase: Phase, exit_code: int | None) -> None:
        new = self._path(key).with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps({"phase": phase, "exit_code": exit_code, "ran": True}))
        new.rename(self._path(key))

    def _status(self, key: str) -> JobStatus:
        said = json.loads(self._path(key).read_text())
        phase = Phase(said["phase"])
        started = NOON if phase is not Phase.CANCELED or said.get("ran") else None
        return JobStatus(phase=phase, job=key, exit_code=said["exit_code"], started_at=started)


@frozen(kw_only=True)
class Place:
    """Where a world is: what its processes have in common."""

    table: str
    customers: str
    bucket: str
    prefix: str
    folder: Path


@define(kw_only=True)
class Play:
    """One process at work in a world."""

    place: Place
    dynamodb: "DynamoDBClient"
    s3: "S3Client"
    death: Death = field(factory=Death)
    clock: ManualClock = field(factory=ManualClock)
    engine: FileCompute = field(init=False)
    store: DynamoDBStateStore = field(init=False)
    objects: S3ObjectStore = field(init=False)
    app: App = field(init=False)

    def __attrs_post_init__(self) -> None:
        place = self.place
        self.engine = FileCompute(place.folder)
        self.objects = S3ObjectStore(self.s3, place.bucket)
        # Tables of old have a test of their own.
        self.store = DynamoDBStateStore(
            self.dynamodb, place.table, spill=self.objects, prefix=place.prefix, adopt_every=None
        )
        self.death.watch(self.dynamodb)
        self.death.watch(self.s3)
        world = World(
            store=self.store,
            objects=self.objects,
            sentinels=ObjectSentinelStore(self.objects, place.prefix),
            compute=self.death.wrap(self.engine, "engine"),
            notifier=self.death.wrap(JournalNotifier(place.folder / "notices.jsonl"), "channel"),
            customers=DynamoDBCustomers(self.dynamodb, place.customers),
            documents=InMemoryDocumentStore(self.clock),
            identities=DocumentIdentities(InMemoryDocumentStore(self.clock), self.clock),
            clock=self.clock,
            chance=SystemChance(),
        )
        # One after the other, so that the nth call is the same one each time.
        settings = Settings(store="memory", engine="memory", prefix=place.prefix, workers=1)
        self.app = compose(settings, world)

    # What happens

    def begin(self) -> None:
        """Let death come at the nth call from here on."""
        self.death.counting = True

    def submit(self, **changes: Any) -> Workset:
        """Submit a workset of one sample."""
        sample = Sample(sample_id="NA12878", pairs=(FastqPair(*FILES),))
        submission = Submission(name="trio", pipeline="fastq-qc", samples=(sample,))
        return self.app.submit(ADA, "acme", evolve(submission, **changes))

    def cycle(self, after: timedelta = timedelta()) -> None:
        """Let the monitor have its turn."""
        self.clock.advance(after)
        report = self.app.cycle()
        assert report.faults == [], report.faults

    def put(self, workset_id: str, name: str, content: bytes = b"2025-06-02T12:00:00Z") -> None:
        """Put a file into a directory by hand."""
        self.objects.put(f"{self.place.prefix}{workset_id}/{name}", content)

    def remove(self, workset_id: str, name: str) -> None:
        """Remove a file from a directory by hand."""
        assert self.objects.delete(f"{self.place.prefix}{workset_id}/{name}")

    def drop(self, workset_id: str, *sentinels: Sentinel) -> None:
        """Drop a workset by hand."""
        listed = "samples: [{sample_id: a, fastq_r1: sample_data/a.fastq}]\n"
        self.put(workset_id, "sample_data/a.fastq", READS)
        self.put(workset_id, "daylily_work.yaml", f"pipeline: fastq-qc\n{listed}".encode())
        for sentinel in sentinels:
            self.put(workset_id, sentinel)

    # What there is to see

    def worksets(self) -> list[Workset]:
        """Return every workset of the table."""
        found = self.dynamodb.scan(TableName=self.place.table, ConsistentRead=True)["Items"]
        return [self.store.get(item["workset_id"]["S"]) for item in found]

    def patience(self) -> timedelta:
        """Return a time after which locks have run out, debts are overdue and waits are over."""
        return self.app.settings.lock_timeout + DEBT_GRACE + timedelta(minutes=2)

    def check(self) -> list[Workset]:
        """
        Assert that both ledgers agree, and that people were told all there was, each thing once.

        Returns:
            The worksets.
        """
        worksets = {workset.workset_id: workset for workset in self.worksets()}
        sentinels = ObjectSentinelStore(self.objects, self.place.prefix)
        for workset in worksets.values():
            assert workset.debts == ()
            folder = sentinels.look(workset.workset_id)
            theirs = folder.foreign(workset.sequence)
            wanted = projection(workset.state, workset.archived_from)
            if not workset.held:
                assert folder.sentinels.keys() - theirs == wanted - theirs, workset.state
            assert folder.names >= {"daylily_work.yaml", "stage_samples.tsv", "sample_data/"}
            self._check_told(workset)
            taken = [attempt for attempt in workset.attempts if attempt.job != REFUSED]
            jobs = {f"{workset.workset_id}/{attempt.number}" for attempt in taken}
            assert jobs == {key for key in self.engine.started() if key.startswith(workset.workset_id)}
        for info in every(lambda cursor: self.objects.list(self.place.prefix, cursor=cursor)):
            workset_id, _, name = info.key.removeprefix(self.place.prefix).partition("/")
            # What a dead submission has left: nobody sees it, as there is no sentinel.
            assert workset_id in worksets or name not in {*Sentinel}, info.key
        return list(worksets.values())

    def _check_told(self, workset: Workset) -> None:
        journal = self.place.folder / "notices.jsonl"
        lines = journal.read_text().splitlines() if journal.exists() else []
        notices = [each for each in map(json.loads, lines) if each["workset_id"] == workset.workset_id]
        events = {each["event_id"]: each for each in notices}
        for each in notices:
            assert each == events[each["event_id"]], "one id, two stories"
        # That a launch went silent is news of its own, and no step of the workset's.
        told = Counter(each["kind"] for each in events.values() if each["kind"] != "lock_expired")
        # What comes back from the archive, or is restored from its directory, is no news.
        before = (None, *(step.state for step in workset.history))
        steps = [
            step.state
            for step, last in zip(workset.history, before, strict=False)
            if last is not State.ARCHIVED
        ]
        expected = Counter(_KINDS[state] for state in steps if state in _KINDS)
        restored = any(step.reason.startswith("restored from") for step in workset.history)
        assert told == expected + Counter([] if restored else ["registered"]), (told, expected)


_KINDS: Final = {
    State.IN_PROGRESS: "started",
    State.RETRYING: "retrying",
    State.COMPLETE: "complete",
    State.ERROR: "error",
    State.FAILED: "failed",
    State.CANCELED: "canceled",
}


def at(seconds: float) -> ManualClock:
    """Return a clock that shows so many seconds after noon."""
    return ManualClock(NOON + timedelta(seconds=seconds))


def seconds_of(now: datetime) -> float:
    """Return how many seconds after noon it is."""
    return (now - NOON).total_seconds()
