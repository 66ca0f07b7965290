"""One world in memory, as many Apps on it as a test wants, and people who use it."""

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar, cast

from attrs import define, evolve, field, frozen

from daylily.adapters.document_identities import DocumentIdentities
from daylily.adapters.memory.compute import InMemoryCompute
from daylily.adapters.memory.customers import InMemoryCustomers
from daylily.adapters.memory.documents import InMemoryDocumentStore
from daylily.adapters.memory.notifier import InMemoryNotifier
from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.adapters.memory.state_store import InMemoryStateStore
from daylily.adapters.sentinel_store import ObjectSentinelStore
from daylily.application.submit_workset import Submission
from daylily.bootstrap import App, World, compose
from daylily.config import Settings
from daylily.domain.customers import Principal
from daylily.domain.errors import UnavailableError
from daylily.domain.manifest import FastqPair, Sample
from daylily.domain.sentinels import Sentinel, SentinelBody, projection
from daylily.domain.workset import DEBT_GRACE, Workset
from daylily.ports.object_store import ObjectStore
from daylily.ports.paging import every
from daylily.ports.sentinel_store import Folder
from daylily.ports.state_store import Filter
from daylily.testing.clock import ManualClock
from daylily.testing.samples import a_customer

T = TypeVar("T")

ADA: Final = Principal(name="ada", customer_id="acme")
READS: Final = b"@read\nACGT\n+\nFFFF\n"
PREFIX: Final = "worksets/"

OUR_FILES: Final = {"daylily_work.yaml", "daylily_info.yaml", "stage_samples.tsv", "sample_data/"}


class Wrapper(Protocol):
    """What faults and interleavings have in common."""

    def wrap(self, port: T, name: str) -> T:
        """Return a stand-in for *port*."""


@define
class CountedChance:
    """Tokens in order, jitter in the middle."""

    _numbers: Iterator[int] = field(factory=lambda: itertools.count(1))

    def token(self) -> str:
        """Return the next token."""
        return f"{next(self._numbers):010}"

    def jitter(self) -> float:
        """Return a half."""
        return 0.5


@define
class Meanwhile:
    """
    Lets something happen just before a call.

    Args:
        name: Of the call, as ``port.method``.
        nth: Which call of that name.
    """

    name: str
    happens: Callable[[], object]
    nth: int = 1

    def wrap(self, port: T, name: str) -> T:
        """Return a stand-in for *port*."""
        return cast(T, _Watched(port, name, self))

    def note(self, name: str) -> None:
        """Count a call, and let happen what is to happen."""
        self.nth -= name == self.name
        if name == self.name and self.nth == 0:
            self.happens()


@frozen
class _Watched:
    port: object
    name: str
    meanwhile: Meanwhile

    def __getattr__(self, method: str) -> object:
        self.meanwhile.note(f"{self.name}.{method}")
        return getattr(self.port, method)


class Unreadable:
    """Directories of worksets that raise UnavailableError, as without permission to read them."""

    def __init__(self, *workset_ids: str) -> None:
        self.folders = tuple(f"{PREFIX}{workset_id}/" for workset_id in workset_ids)

    def wrap(self, port: T, name: str) -> T:
        """Return a stand-in for *port*."""
        return cast(T, _Shut(port, self.folders)) if name == "objects" else port


@frozen
class _Shut:
    port: object
    folders: tuple[str, ...]

    def __getattr__(self, method: str) -> object:
        return getattr(self.port, method)

    def browse(self, prefix: str, **named: Any) -> object:
        """See ObjectStore.browse."""
        if prefix in self.folders:
            raise UnavailableError(f"{prefix}: permission denied")
        return cast(ObjectStore, self.port).browse(prefix, **named)


@define(kw_only=True)
class Lab:
    """A world whose parts a test can reach, whatever Apps do on it."""

    clock: ManualClock = field(factory=ManualClock)
    settings: Settings = field(factory=lambda: Settings(store="memory", engine="memory"))
    store: InMemoryStateStore = field(factory=InMemoryStateStore)
    notifier: InMemoryNotifier = field(factory=InMemoryNotifier)
    chance: CountedChance = field(factory=CountedChance)
    customers: InMemoryCustomers = field(factory=InMemoryCustomers)
    objects: InMemoryObjectStore = field(init=False)
    compute: InMemoryCompute = field(init=False)
    documents: InMemoryDocumentStore = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.objects = InMemoryObjectStore(self.clock)
        # Jobs end when a test says so.
        self.compute = InMemoryCompute(self.clock, duration=None)
        self.documents = InMemoryDocumentStore(self.clock)
        for customer_id in ("acme", self.settings.customer):
            self.customers.add(evolve(a_customer(customer_id), max_concurrent_worksets=1000))

    def app(self, *wrappers: Wrapper, owner: str | None = None, ahead: timedelta = timedelta()) -> App:
        """
        Return a new App, as of another process, whose calls to ports all go through *wrappers*.

        Args:
            owner: What its monitor calls itself; None for a name by chance.
            ahead: How far the clock of its machine is ahead of that of the stores.
        """

        def wrapped(port: T, name: str) -> T:
            for wrapper in wrappers:
                port = wrapper.wrap(port, name)
            return port

        objects: ObjectStore = wrapped(self.objects, "objects")
        world = World(
            store=wrapped(self.store, "store"),
            objects=objects,
            # Sentinels are made of objects: striking these strikes between the lines of the former.
            sentinels=ObjectSentinelStore(objects, self.settings.prefix),
            compute=wrapped(self.compute, "compute"),
            notifier=wrapped(self.notifier, "notifier"),
            customers=wrapped(self.customers, "customers"),
            documents=wrapped(self.documents, "documents"),
            identities=DocumentIdentities(InMemoryDocumentStore(self.clock), self.clock),
            clock=(lambda: self.clock() + ahead) if ahead else self.clock,
            chance=self.chance,
        )
        # One after the other, so that tests can say what comes first.
        return compose(evolve(self.settings, workers=1), world, owner=owner)

    # What people do

    def upload(self, *names: str) -> None:
        """Put reads into the space of the customer."""
        for name in names:
            self.objects.put(f"files/acme/{name}", READS)

    def submission(self, name: str = "trio", **changes: Any) -> Submission:
        """Return a submission of one sample, whose files are uploaded."""
        self.upload("a_R1.fastq", "a_R2.fastq")
        sample = Sample(sample_id="NA12878", pairs=(FastqPair("a_R1.fastq", "a_R2.fastq"),))
        plain = Submission(name=name, pipeline="fastq-qc", samples=(sample,))
        return evolve(plain, **changes)

    def submit(self, name: str = "trio", **changes: Any) -> Workset:
        """Submit a workset through an App of its own, in which nothing goes wrong."""
        return self.app().submit(ADA, "acme", self.submission(name, **changes))

    def drop(self, workset_id: str, *sentinels: Sentinel, body: bytes = b"") -> None:
        """Drop a sound workset by hand, with sentinels such as other systems write."""
        self.put(workset_id, "stage_samples.tsv", SHEET.encode())
        self.put(workset_id, "daylily_work.yaml", b"dy-r: -p help\npipeline: fastq-qc\n")
        self.put(workset_id, "daylily_info.yaml", b"{}\n")
        for name in ("HG002_R1.fastq.gz", "HG002_R2.fastq.gz"):
            self.put(workset_id, f"sample_data/{name}", READS)
        for sentinel in sentinels:
            self.put(workset_id, sentinel, body)

    def put(self, workset_id: str, name: str, content: bytes) -> None:
        """Put a file into a workset's directory, whatever stands there."""
        self.objects.put(f"{PREFIX}{workset_id}/{name}", content)

    def remove(self, workset_id: str, name: str) -> None:
        """Remove a file from a workset's directory."""
        assert self.objects.delete(f"{PREFIX}{workset_id}/{name}")

    # What there is to see

    def worksets(self) -> tuple[Workset, ...]:
        """Return every workset of the store."""
        return tuple(every(lambda cursor: self.store.list(Filter(), cursor=cursor)))

    def get(self, workset_id: str) -> Workset:
        """Return a workset as it is stored."""
        return self.store.get(workset_id)

    def folder(self, workset_id: str) -> Folder:
        """Return what stands in a workset's directory."""
        return ObjectSentinelStore(self.objects, PREFIX).look(workset_id)

    def ours(self, workset_id: str) -> dict[Sentinel, SentinelBody]:
        """Return the sentinels in a workset's directory that we wrote."""
        shown = self.folder(workset_id).sentinels
        return {sentinel: body for sentinel, body in shown.items() if body.ours}

    def started(self) -> list[str]:
        """Return the attempts that the engine has started, in order."""
        return [job.key for job in self.compute.submitted]

    def sent(self) -> list[str]:
        """Return the kinds of news that were sent, in order, without repeats."""
        return [event.kind.value for event in {e.event_id: e for e in self.notifier.sent}.values()]

    def queued(self) -> tuple[Workset, ...]:
        """Return the queue."""
        return tuple(every(lambda cursor: self.store.queue(cursor=cursor)))

    def due(self) -> tuple[Workset, ...]:
        """Return what is due now."""
        return tuple(every(lambda cursor: self.store.due(self.clock(), cursor=cursor)))

    def fingerprint(self) -> str:
        """Return what tells two worlds apart that may go on differently."""
        parts = (
            self.clock(),
            sorted(map(repr, self.worksets())),
            sorted((info.key, info.etag, content) for info, content in self.objects.contents()),
            sorted(self.started()),
            sorted(map(repr, self.compute.all().items())),
            sorted(map(repr, self.notifier.sent)),
        )
        return repr(parts)

    # What passes

    def patience(self) -> timedelta:
        """Return a time after which locks have run out, debts are overdue and waits are over."""
        return self.settings.lock_timeout + DEBT_GRACE + timedelta(minutes=10)

    def drain(
        self, app: App, *, between: Callable[[], object] = lambda: None, cycles: int = 40
    ) -> None:
        """
        Run cycles, time passing generously in between, until nothing is left to be done.

        Args:
            between: What the world does between two cycles.
        """
        for _ in range(cycles):
            self.clock.advance(self.patience())
            report = app.cycle()
            between()
            if report.idle and not self.due() and not self.queued():
                return
        raise AssertionError(f"still not idle: {self.worksets()}")

    def check(self, *workset_ids: str) -> None:
        """Assert that nothing is owed, and that directories show what the store says."""
        for workset in self.worksets() if not workset_ids else map(self.get, workset_ids):
            assert workset.debts == ()
            ours = frozenset(self.ours(workset.workset_id))
            theirs = self.folder(workset.workset_id).sentinels.keys() - ours
            wanted = projection(workset.state, workset.archived_from)
            # Another system's run is shown by its sentinels, not by ours.
            assert ours == wanted - theirs or (workset.foreign_run and ours < wanted), ours
            assert self.folder(workset.workset_id).names >= OUR_FILES


SHEET: Final = "\n".join(
    "\t".join(row)
    for row in (
        (
            *("RUN_ID", "SAMPLE_ID", "EXPERIMENTID", "SAMPLE_TYPE", "LIB_PREP", "SEQ_VENDOR"),
            *("SEQ_PLATFORM", "LANE", "SEQBC_ID", "PATH_TO_CONCORDANCE_DATA_DIR", "R1_FQ", "R2_FQ"),
            *("STAGE_DIRECTIVE", "STAGE_TARGET", "SUBSAMPLE_PCT", "IS_POS_CTRL", "IS_NEG_CTRL"),
            *("N_X", "N_Y", "EXTERNAL_SAMPLE_ID"),
        ),
        (
            *("R1", "HG002", "E1", "blood", "noampwgs", "ILMN", "NOVASEQX", "0", "S1", "na"),
            *("sample_data/HG002_R1.fastq.gz", "sample_data/HG002_R2.fastq.gz"),
            *("stage_data", "/fsx/staged_sample_data/", "na", "false", "false", "na", "na", "na"),
        ),
    )
)
"""A sheet of one sample, as labs write them (contract 2.9)."""
