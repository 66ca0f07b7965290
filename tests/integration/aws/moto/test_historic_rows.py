"""Rows that other versions wrote: each is read, runs its life under our rules, and loses nothing."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from structlog.testing import capture_logs
from tests.integration.aws.moto.faulty import answers, refusal
from tests.integration.aws.moto.recorded import (
    NAMES,
    dropped,
    recorded,
    stored,
    take_lock,
    update_state,
)
from tests.integration.aws.worlds import counted

from daylily.adapters.aws.dynamodb import DynamoDBStateStore
from daylily.adapters.aws.listings import PASSING
from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.application.mend_ledger import Outcome
from daylily.bootstrap import bootstrap, connect
from daylily.config import Settings
from daylily.domain.divergences import DivergenceKind, Side
from daylily.domain.errors import (
    ConcurrentUpdateError,
    IllegalTransitionError,
    LockHeldError,
    UnavailableError,
)
from daylily.domain.lifecycle import Priority, State
from daylily.domain.names import is_id
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.sentinels import Sentinel
from daylily.domain.workset import Workset
from daylily.ports.paging import every
from daylily.ports.state_store import Filter
from daylily.testing.contracts.state_store import whole_history
from daylily.testing.faults import Blow, FaultInjector
from daylily.testing.samples import LOCK_TIMEOUT, NOON, a_workset, locked, running, settled

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LATER = datetime(2026, 3, 1, tzinfo=UTC)
MONITOR_TEXT = "Sentinel `daylily.in_progress` written by monitor, at quite some length"


@pytest.fixture
def store(dynamodb: "DynamoDBClient", table: str) -> DynamoDBStateStore:
    """Return a store on an empty table."""
    return DynamoDBStateStore(dynamodb, table)


class Old:
    """The other system, at the same table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self.client, self.table = client, table

    def drop(self, name: str) -> str:
        """Put a recorded row there; return its id."""
        return dropped(self.client, self.table, name)

    def row(self, workset_id: str) -> dict[str, object]:
        """Return a row as it stands."""
        return stored(self.client, self.table, workset_id)

    def set_state(self, workset_id: str, state: str, at: datetime = LATER) -> None:
        """Change a state without asking anyone."""
        update_state(self.client, self.table, workset_id, state, f"{at:%Y-%m-%dT%H:%M:%SZ}")

    def lock(self, workset_id: str, owner: str = "worker-host-1") -> None:
        """Take a lock as attributes alone."""
        take_lock(self.client, self.table, workset_id, owner)


@pytest.fixture
def old(dynamodb: "DynamoDBClient", table: str) -> Old:
    """Return the other system."""
    return Old(dynamodb, table)


def id_of(name: str) -> str:
    """Return the id of a recorded row."""
    return str(recorded(name)["workset_id"]["S"])


# Every recorded row


@pytest.mark.parametrize("name", [each for each in NAMES if is_id(id_of(each))])
def test_a_row_is_shown(store: DynamoDBStateStore, old: Old, name: str) -> None:
    """A ledger that is repaired agrees from then on: what it posts for a row is not taken back."""
    workset = store.get(old.drop(name))
    settings = Settings(store="memory", engine="memory")
    app = bootstrap(settings, world=evolve(connect(settings), store=store))
    told = [each.outcome for each in app.mend()]

    assert set(told) <= {Outcome.MENDED}
    assert list(app.check()) == []
    if workset.state is State.READY and workset.lock is None:
        assert app.world.sentinels.look(workset.workset_id).sentinels.keys() == {Sentinel.READY}


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_read(store: DynamoDBStateStore, old: Old, name: str) -> None:
    """Whatever the oddity, the row reads as a workset with a past, and reads the same again."""
    workset = store.get(old.drop(name))

    assert workset.version == 0
    assert workset.history
    assert workset == store.get(workset.workset_id)


def test_an_id_that_is_none(store: DynamoDBStateStore, old: Old) -> None:
    """A row that no directory can be named after is left to a person; all others are checked."""
    odd, other = old.drop("strange-everything"), old.drop("u0-ready")
    settings = Settings(store="memory", engine="memory")
    app = bootstrap(settings, world=evolve(connect(settings), store=store))
    told = {each.divergence.workset_id: each for each in app.mend()}

    assert told[odd].divergence.kind is DivergenceKind.UNREADABLE_ROW
    assert told[odd].divergence.wins is Side.NOBODY
    assert told[odd].outcome is Outcome.LEFT
    assert told[other].outcome is Outcome.MENDED


@pytest.mark.parametrize("name", NAMES)
def test_a_save_loses_nothing(store: DynamoDBStateStore, old: Old, name: str) -> None:
    """A first save, and one more, leave every attribute that was there, in its own words."""
    workset_id = old.drop(name)
    before = old.row(workset_id)
    first = store.save(store.get(workset_id))
    second = store.save(store.get(workset_id))

    after = old.row(workset_id)
    assert (first.version, second.version) == (1, 2)
    for attribute in before.keys() - {"state_history", "metadata"}:
        if before[attribute] is not None:  # NULL says what absence says
            assert after[attribute] == before[attribute], attribute
    assert after.get("metadata") == before.get("metadata", after.get("metadata"))
    entries, found = before.get("state_history"), after["state_history"]
    if isinstance(entries, list):
        assert isinstance(found, list)
        assert [{**each, "n": number} for number, each in enumerate(entries, 1)] == found
    assert evolve(store.get(workset_id), version=0) == evolve(first, version=0)


@pytest.mark.parametrize("name", NAMES)
def test_first_save_of_an_old_row_needs_it_unversioned(
    store: DynamoDBStateStore, old: Old, name: str
) -> None:
    """Of two that read a row without a version, one gives it its first; the other is refused."""
    workset_id = old.drop(name)
    one, other = store.get(workset_id), store.get(workset_id)
    store.save(one)

    with pytest.raises(ConcurrentUpdateError):
        store.save(other)


def test_a_row_that_is_gone_is_not_made_again(
    store: DynamoDBStateStore, dynamodb: "DynamoDBClient", old: Old
) -> None:
    """A save of an old row that somebody has removed says so, and stores nothing."""
    read = store.get(old.drop("u0-ready"))
    dynamodb.delete_item(TableName=store.table, Key={"workset_id": {"S": read.workset_id}})

    with pytest.raises(Exception, match="there is no workset"):
        store.save(read)
    assert store.known([read.workset_id]) == frozenset()


# How some of them read


def test_portal_rows_read_as_they_were_meant(store: DynamoDBStateStore, old: Old) -> None:
    """Name, pipeline, genome and owner come from the metadata of old."""
    workset = store.get(old.drop("u0-ready"))

    assert (workset.name, workset.customer_id) == ("Blood panel", "acme-1a2b3c4d")
    assert (workset.manifest.pipeline, workset.manifest.reference_genome) == ("somatic", "GRCh38")
    assert workset.created_at == datetime(2026, 1, 14, 10, 45, 9, 123456, tzinfo=UTC)
    assert workset.notification_email == "lab@example.org"


def test_samples_of_old_read(store: DynamoDBStateStore, old: Old) -> None:
    """Samples listed in the metadata are the manifest's."""
    manifest = store.get(old.drop("u1-worker-lock")).manifest
    assert [key for _, key in manifest.files()] == [
        "sample_data/a_R1.fastq.gz",
        "sample_data/a_R2.fastq.gz",
    ]


def test_high_reads_as_urgent(store: DynamoDBStateStore, old: Old) -> None:
    """The priority of old portals is first in the queue, and the row keeps its word."""
    old.drop("u0-ready")
    high = old.drop("priority-high")
    assert next(iter(store.queue().items)).workset_id == high
    assert store.get(high).priority is Priority.URGENT
    assert old.row(high)["priority"] == "high"


def test_an_unknown_state_is_nobodys_to_run(store: DynamoDBStateStore, old: Old) -> None:
    """A state that we have no word for is ignored: not queued, not due, and resumed by a person."""
    workset_id = old.drop("u2-paused")
    store.adopt(set(State))
    paused = store.get(workset_id)

    assert (paused.state, paused.due_at) == (State.IGNORED, None)
    assert store.queue().items == store.due(LATER).items == ()
    assert store.count([State.IGNORED]) == 1
    assert store.list(Filter(states=frozenset({State.IGNORED}))).items == (paused,)
    assert old.row(workset_id)["state"] == "paused"
    store.save(paused.unignore(by="ada", at=LATER))
    assert old.row(workset_id)["state"] == "ready"
    assert [workset.workset_id for workset in store.queue().items] == [workset_id]


def test_what_has_no_sound_id_is_shown_and_never_run(store: DynamoDBStateStore, old: Old) -> None:
    """A row whose id could be no directory is listed, and no monitor is offered it."""
    workset_id = old.drop("strange-everything")
    assert store.adopt(set(State)) == 0
    store.save(store.get(workset_id))

    assert store.queue().items == store.due(LATER).items == ()
    assert [each.workset_id for each in store.list(Filter(customer_id="acme")).items] == [workset_id]


def test_a_workset_goes_into_the_archive_and_out_as_it_was(store: DynamoDBStateStore, old: Old) -> None:
    """What was complete comes back complete; what was to run comes back for a person to decide."""
    complete = store.get(old.drop("u2-archived")).restore(by="ada", at=LATER)
    queued = store.get(old.drop("u2-archived-while-queued")).restore(by="ada", at=LATER)
    assert (complete.state, queued.state) == (State.COMPLETE, State.IGNORED)


# The faults of old (contract 10)


def test_d_01_a_release_makes_no_finished_workset_ready(store: DynamoDBStateStore, old: Old) -> None:
    """D-01: what is complete stays so, though the processor of old sets it to ready afterwards."""
    done = store.save(running(store.add(a_workset())).completed(at=NOON, actor="m"))
    old.set_state("ws-1", "ready")

    assert store.get("ws-1").state is State.COMPLETE
    assert store.queue().items == ()  # and the row is put right, whoever reads it
    assert old.row("ws-1")["state"] == "complete"
    assert store.get("ws-1").sequence == done.sequence + 1


def test_d_02_a_lock_that_another_took_meanwhile_is_seen(store: DynamoDBStateStore, old: Old) -> None:
    """D-02: who read before another system took its lock is refused, though no version moved on."""
    read = store.add(a_workset())
    old.lock("ws-1")

    with pytest.raises(ConcurrentUpdateError):
        store.save(locked(read))
    with pytest.raises(LockHeldError):
        locked(store.get("ws-1"))


def test_d_03_an_expired_lock_can_be_taken_over(store: DynamoDBStateStore, old: Old) -> None:
    """D-03: a lock of old runs out an hour after it was taken, and then anyone may have it."""
    read = store.get(old.drop("u0-locked"))
    acquired = datetime(2026, 1, 14, 11, tzinfo=UTC)
    just_before = acquired + timedelta(hours=1) - timedelta(microseconds=1)

    with pytest.raises(LockHeldError):
        locked(read, at=just_before)
    taken = store.save(locked(read, at=acquired + timedelta(hours=1)))
    assert (taken.version, taken.lock and taken.lock.token) == (1, 1)
    assert old.row(read.workset_id)["lock_owner"] == "monitor-a"


@pytest.mark.parametrize("name", ["u0-locked", "u0-locked-by-nobody"])
def test_d_03_a_lock_without_a_monitor_is_found(store: DynamoDBStateStore, old: Old, name: str) -> None:
    """D-03: a workset left locked, even by nobody, is due when the lock has run out."""
    workset_id = old.drop(name)
    at = datetime(2026, 1, 14, 12, tzinfo=UTC)
    assert store.due(at - timedelta(seconds=1)).items == ()
    assert [workset.workset_id for workset in store.due(at).items] == [workset_id]


@pytest.mark.parametrize("state", ["ready", "in_progress", "locked", "error", "canceled", "ignored"])
@pytest.mark.parametrize("name", ["u2-complete", "ours"])
def test_d_04_nothing_brings_back_what_is_complete(
    store: DynamoDBStateStore, old: Old, state: str, name: str
) -> None:
    """D-04: once we have it as complete, no late writer makes it anything else."""
    if name == "ours":
        store.add(a_workset())
        store.save(running(store.get("ws-1")).completed(at=NOON, actor="m"))
        workset_id = "ws-1"
    else:
        workset_id = old.drop(name)
        store.save(store.get(workset_id))
    old.set_state(workset_id, state)

    after = store.get(workset_id)
    assert after.state is State.COMPLETE
    store.save(after)
    assert old.row(workset_id)["state"] == "complete"


def test_d_04_a_late_writer_loses(store: DynamoDBStateStore, old: Old) -> None:
    """D-04: a save from before another system's change is refused; nothing of that change is lost."""
    read = store.add(a_workset())
    old.set_state("ws-1", "in_progress")

    with pytest.raises(ConcurrentUpdateError):
        store.save(locked(read))
    found = store.get("ws-1")
    assert (found.state, found.foreign_run) == (State.IN_PROGRESS, True)
    with pytest.raises(IllegalTransitionError):
        locked(found)


def test_d_04_what_we_run_is_ours(store: DynamoDBStateStore, old: Old) -> None:
    """While an attempt of ours runs, no other system says how it ended; a stop is heard as a wish."""
    ours = store.save(running(store.add(a_workset())))
    old.set_state("ws-1", "complete")
    found = store.get("ws-1")
    assert (found.state, found.running) == (State.IN_PROGRESS, ours.running)
    assert found.cancel is None

    old.set_state("ws-1", "canceled")
    found = store.get("ws-1")
    assert found.state is State.IN_PROGRESS
    assert found.cancel is not None
    assert store.save(found.canceled(at=LATER, actor="m")).state is State.CANCELED
    assert old.row("ws-1")["state"] == "canceled"


def test_d_05_numbers_of_old_count_on(store: DynamoDBStateStore, old: Old) -> None:
    """D-05: counts that were stored as floats are counted on, up to the cap and no further."""
    workset = store.get(old.drop("u0-failed-twice"))
    assert (workset.retries_used, workset.max_retries) == (1, 3)
    assert workset.retry_at == datetime(2026, 1, 14, 11, 0, 2, tzinfo=UTC)
    assert workset.failure == Failure(ErrorCategory.TRANSIENT, "spot node lost")

    failure = Failure(ErrorCategory.TRANSIENT, "again")
    while workset.state is State.RETRYING:
        assert workset.retry_at is not None
        ready = store.save(workset.retry_due(at=workset.retry_at, actor="m"))
        ran = store.save(running(ready, at=workset.retry_at))
        workset = store.save(
            ran.failed(failure, at=workset.retry_at, actor="m", policy=RetryPolicy(), jitter=0.5)
        )
    assert (workset.state, workset.retries_used) == (State.FAILED, 3)
    assert old.row(workset.workset_id)["retry_count"] == 3


def test_d_05_a_retry_without_a_time_is_due(store: DynamoDBStateStore, old: Old) -> None:
    """A retry that waits for no time is due at once, as old readers took it."""
    workset_id = old.drop("u0-retrying-without-time")
    assert [workset.workset_id for workset in store.due(LATER).items] == [workset_id]


def test_d_13_a_row_without_history_lives_on(store: DynamoDBStateStore, old: Old) -> None:
    """D-13: a workset born in S3 is shown, watched and finished, though its row had no history."""
    workset_id = old.drop("s3-born-without-history")
    workset = store.get(workset_id)
    assert workset.foreign_run
    assert [each.workset_id for each in store.due(LATER).items] == [workset_id]

    store.save(store.get(workset_id).adopt(State.COMPLETE, at=LATER, reason="sentinel", actor="m"))
    row = old.row(workset_id)
    assert row["state"] == "complete"
    assert [entry["state"] for entry in row["state_history"]] == ["in_progress", "complete"]  # type: ignore[attr-defined]


def test_d_13_what_we_add_has_a_history(store: DynamoDBStateStore, old: Old) -> None:
    """D-13: what we add can be changed by versions that append to the history."""
    store.add(a_workset())
    old.set_state("ws-1", "in_progress")
    assert [step.state for step in store.get("ws-1").history] == [State.READY, State.IN_PROGRESS]


def test_d_15_a_frozen_row_thaws(dynamodb: "DynamoDBClient", table: str, old: Old) -> None:
    """D-15: a row of old with thousands of entries is taken on, shrinks, and keeps all of them."""
    store = DynamoDBStateStore(dynamodb, table, InMemoryObjectStore())
    item = recorded("u0-ready")
    entry = item["state_history"]["L"][0]["M"] | {"reason": {"S": MONITOR_TEXT}}
    item["state_history"]["L"] = [{"M": entry}] * 2500
    dynamodb.put_item(TableName=table, Item=item)

    saved = store.save(locked(store.get("blood-panel-1a2b3c4d"), at=LATER))
    assert saved.sequence == 2501
    assert len(old.row(saved.workset_id)["state_history"]) == 50  # type: ignore[arg-type]
    assert len(whole_history(store, saved.workset_id)) == 2501


def test_d_23_urgent_first_then_oldest(store: DynamoDBStateStore, old: Old) -> None:
    """D-23: rows of old and ours queue by priority and age, not by the letters of the priority."""
    old.drop("u0-ready")  # a normal one, of the morning before
    next_day = datetime(2026, 1, 15, tzinfo=UTC)
    for name, priority in (("ws-low", Priority.LOW), ("ws-normal", Priority.NORMAL)):
        store.add(a_workset(name, priority=priority, at=next_day))
    store.add(a_workset("ws-urgent", priority=Priority.URGENT, at=next_day))
    found = [
        workset.workset_id for workset in every(lambda cursor: store.queue(cursor=cursor, limit=1))
    ]
    assert found == ["ws-urgent", "blood-panel-1a2b3c4d", "ws-normal", "ws-low"]


def test_d_24_all_pages_are_read(
    store: DynamoDBStateStore, dynamodb: "DynamoDBClient", old: Old
) -> None:
    """D-24: 60 rows of 50 KB are three pages of DynamoDB's; all are listed, counted and queued."""
    for number in range(60):
        item = recorded("u0-ready") | {
            "workset_id": {"S": f"ws-{number:02}"},
            "customer_id": {"S": "acme"},
            "performance_metrics": {"S": "x" * 50_000},
        }
        dynamodb.put_item(TableName=store.table, Item=item)

    assert len(store.list(Filter(customer_id="acme"), limit=1000).items) == 60
    assert len(store.list(Filter(), limit=1000).items) == 60
    assert store.count([State.READY]) == 60
    assert len(store.queue(limit=1000).items) == 60


# What other systems do to our rows


@pytest.mark.parametrize("state", ["complete", "error", "in_progress", "ignored"])
def test_what_another_monitor_did_is_a_fact(store: DynamoDBStateStore, old: Old, state: str) -> None:
    """A workset of ours that another monitor ran is what it says; people are told once."""
    store.add(settled(a_workset()))
    old.set_state("ws-1", state)
    found = store.get("ws-1")

    assert found.state == state
    assert [step.actor for step in found.history] == ["ada", "another system"]
    assert store.queue().items == ()
    saved = store.get("ws-1")
    assert (saved.state, saved.sequence, saved.debts) == (found.state, 2, found.debts)
    assert [entry["reason"] for entry in old.row("ws-1")["state_history"]] == [  # type: ignore[attr-defined]
        "Initial registration",
        "old",
    ]


def test_their_lock_is_let_go_when_they_do(
    store: DynamoDBStateStore, dynamodb: "DynamoDBClient", old: Old
) -> None:
    """A lock of theirs on a workset of ours holds until they remove it, or it runs out."""
    store.add(settled(a_workset()))
    old.lock("ws-1")
    store.adopt()
    assert old.row("ws-1")["lock_owner"] == "worker-host-1"
    with pytest.raises(LockHeldError):
        locked(store.get("ws-1"), at=NOON + timedelta(minutes=59))

    dynamodb.update_item(
        TableName=store.table,
        Key={"workset_id": {"S": "ws-1"}},
        UpdateExpression="REMOVE lock_owner, lock_acquired_at, lock_expires_at",
    )
    assert store.save(locked(store.get("ws-1"))).state is State.LOCKED


def test_attributes_of_others_stay(
    store: DynamoDBStateStore, dynamodb: "DynamoDBClient", old: Old
) -> None:
    """What we know nothing of stays as it is, whatever we save."""
    store.add(a_workset())
    dynamodb.update_item(
        TableName=store.table,
        Key={"workset_id": {"S": "ws-1"}},
        UpdateExpression="SET preferred_cluster = :c, metadata.estimated_cost_usd = :n",
        ExpressionAttributeValues={":c": {"S": "cluster-1"}, ":n": {"N": "13.04"}},
    )
    store.save(running(store.get("ws-1")))
    row = old.row("ws-1")
    assert row["preferred_cluster"] == "cluster-1"
    assert str(row["metadata"]["estimated_cost_usd"]) == "13.04"  # type: ignore[index]


def test_old_readers_read_our_rows(store: DynamoDBStateStore, old: Old) -> None:
    """State, lock, history and metadata stand where, and as, old readers look for them."""
    store.add(a_workset(notification_email="lab@example.org"))
    store.save(locked(store.get("ws-1"), owner="monitor-a"))
    row = old.row("ws-1")

    assert row["state"] == "locked"
    assert row["lock_owner"] == "monitor-a"
    assert row["lock_acquired_at"] == "2025-06-02T12:00:00.000000Z"
    assert row["lock_expires_at"] == "2025-06-02T12:05:00.000000Z"
    assert row["prefix"] == "worksets/ws-1/"
    history = row["state_history"]
    assert isinstance(history, list)
    assert history[0] == {
        "state": "ready",
        "timestamp": "2025-06-02T12:00:00.000000Z",
        "reason": "Initial registration",
        "actor": "ada",
        "n": 1,
    }
    metadata = row["metadata"]
    assert isinstance(metadata, dict)
    assert metadata["workset_name"] == "Workset ws-1"
    assert metadata["samples"][0]["r1_file"] == "sample_data/NA12878_R1.fastq.gz"


def test_adoption_can_be_repeated(store: DynamoDBStateStore, old: Old) -> None:
    """Rows are adopted once; those that are ours already are left alone."""
    old.drop("u0-ready")
    old.drop("u0-failed-twice")
    store.add(a_workset())
    store.save(locked(store.add(a_workset("ws-2")), at=NOON + LOCK_TIMEOUT))

    assert store.adopt() == 2
    assert store.adopt() == 0
    found: Workset = store.get("blood-panel-1a2b3c4d")
    assert found.version == 1


def test_a_row_that_takes_no_more_hides_no_other(
    dynamodb: "DynamoDBClient", table: str, old: Old
) -> None:
    """One that is full, or whose history has nowhere to go, is told of; a table that is away raises."""
    faults = FaultInjector(at=1, blow=Blow.OUTAGE_BEFORE, length=99, on="objects.put")
    store = DynamoDBStateStore(dynamodb, table, faults.wrap(InMemoryObjectStore(), "objects"))
    full, frozen = recorded("u0-ready"), recorded("u0-ready")
    full |= {"workset_id": {"S": "a-full-one"}, "notes": {"S": "x" * 404_300}}
    entries = frozen["state_history"]["L"] * 200
    frozen |= {"workset_id": {"S": "a-frozen-one"}, "state_history": {"L": entries}}
    for item in (full, frozen):
        dynamodb.put_item(TableName=table, Item=item)
    old.drop("u0-ready")
    with capture_logs() as told:
        assert [each.workset_id for each in store.queue().items] == ["blood-panel-1a2b3c4d"]
    assert {each["workset_id"] for each in told} == {"a-full-one", "a-frozen-one"}

    answers(dynamodb, "dynamodb", "UpdateItem", refusal(503, "ServiceUnavailable", json=True))
    answers(dynamodb, "dynamodb", "GetItem", refusal(503, "ServiceUnavailable", json=True))
    with pytest.raises(UnavailableError, match="ServiceUnavailable"):
        store.adopt()


def test_rows_of_others_are_a_chore(dynamodb: "DynamoDBClient", table: str, old: Old) -> None:
    """
    The first question takes them in; then a monitor is told of it when it is due, one query at a time.

    What waits to be launched comes first, and questions that come meanwhile cost nothing more. Where
    no monitor asks for chores, whoever asks for the queue does it, as often.
    """
    time = [0.0]
    store, lonely = (DynamoDBStateStore(dynamodb, table, elapsed=lambda: time[0]) for _ in range(2))
    assert store.queue().items == lonely.queue().items == ()
    assert store.chore() is None
    old.drop("u0-ready")
    time[0] += 299
    assert store.chore() is None
    time[0] += 1
    made = counted(dynamodb)
    chore = store.chore()
    assert chore is not None
    assert store.queue().items == ()
    assert made.take() == {"Query": 1}
    chore()
    assert made.take() == {"Query": 1, "UpdateItem": 1}
    assert len(store.queue().items) == 1
    done = 1
    while (chore := store.chore()) is not None:
        chore()
        done += 1
    assert done == len(PASSING)
    made.take()
    lonely.queue()
    assert made.take() == {"Query": 1 + len(PASSING)}
