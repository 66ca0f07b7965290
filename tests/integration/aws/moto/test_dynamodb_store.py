"""What DynamoDBStateStore owes beyond its contract: calls, sizes, and bad days of AWS."""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError, NoCredentialsError, ReadTimeoutError
from tests.integration.aws.moto.faulty import answers, loses_answer, refusal
from tests.integration.aws.moto.recorded import stored
from tests.integration.aws.worlds import counted, dynamodb_client

from daylily.adapters.aws.customers import DynamoDBCustomers
from daylily.adapters.aws.dynamodb import DynamoDBStateStore
from daylily.adapters.aws.schema import create_customer_table
from daylily.adapters.memory.notifier import InMemoryNotifier
from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.adapters.sentinel_store import ObjectSentinelStore
from daylily.application.ledger import Ledger
from daylily.domain.errors import (
    AlreadyExistsError,
    ConcurrentUpdateError,
    NotFoundError,
    UnavailableError,
)
from daylily.domain.lifecycle import State
from daylily.domain.manifest import Manifest
from daylily.domain.results import OUTCOMES_MOST, SampleOutcome
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.ports.state_store import Filter
from daylily.testing.contracts.state_store import whole_history
from daylily.testing.samples import (
    NOON,
    a_customer,
    a_manifest,
    a_sample,
    a_workset,
    locked,
    running,
    settled,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 3})
SECOND = timedelta(seconds=1)


@pytest.fixture
def client() -> "DynamoDBClient":
    """Return a client of this test's own, to listen in on."""
    return dynamodb_client(config=PATIENT)


@pytest.fixture
def objects() -> InMemoryObjectStore:
    """Return where rows that are too long spill to."""
    return InMemoryObjectStore()


@pytest.fixture
def store(client: "DynamoDBClient", table: str, objects: InMemoryObjectStore) -> DynamoDBStateStore:
    """Return an empty store."""
    return DynamoDBStateStore(client, table, objects)


def size_of(row: object) -> int:
    """Return about how many bytes a row has; never fewer."""
    if isinstance(row, dict):
        return sum(size_of(name) + size_of(value) + 3 for name, value in row.items())
    if isinstance(row, list):
        return sum(size_of(each) + 3 for each in row)
    return len(row if isinstance(row, bytes) else str(row).encode())


# Calls


def test_each_operation_is_one_call(store: DynamoDBStateStore, client: "DynamoDBClient") -> None:
    """Adding, reading, saving, and each of them in vain, is one call."""
    calls = counted(client)
    read = store.add(a_workset())
    assert calls.take() == {"PutItem": 1}
    with pytest.raises(AlreadyExistsError):
        store.add(a_workset())
    assert calls.take() == {"PutItem": 1}
    store.get("ws-1")
    assert calls.take() == {"GetItem": 1}
    with pytest.raises(NotFoundError):
        store.get("ws-2")
    assert calls.take() == {"GetItem": 1}
    store.save(locked(read, owner="a"))
    assert calls.take() == {"UpdateItem": 1}
    with pytest.raises(ConcurrentUpdateError):
        store.save(locked(read, owner="b"))
    assert calls.take() == {"UpdateItem": 1}


def test_pages_are_read_only_as_they_are_wanted(
    store: DynamoDBStateStore, client: "DynamoDBClient"
) -> None:
    """A page of a queue is one query, however long the queue is; others' rows are sought at times."""
    for number in range(30):
        store.add(a_workset(f"ws-{number:02}", at=NOON + number * SECOND))
    store.queue(limit=1)
    calls = counted(client)
    assert len(store.queue(limit=5).items) == 5
    assert calls.take() == {"Query": 1}
    assert len(store.due(NOON + timedelta(days=1), limit=5).items) == 5
    assert calls.take() == {"Query": 1}
    assert len(store.list(Filter(customer_id="acme"), limit=5).items) == 5
    assert calls.take() == {"Query": 1}
    assert store.count([State.READY]) == 30
    assert calls.take() == {"Query": 1}


def test_only_permitted_actions_are_used(store: DynamoDBStateStore, client: "DynamoDBClient") -> None:
    """S-71: nothing at run time needs more than the guide's policy allows."""
    calls = counted(client)
    store.add(a_workset())
    store.save(running(store.get("ws-1")))
    store.list(Filter())
    store.queue()
    store.due(NOON)
    store.count(set(State))
    store.known(["ws-1", "ws-2"])
    store.adopt(set(State))
    assert calls.take().keys() <= {"GetItem", "PutItem", "UpdateItem", "Query", "Scan"}


# Sizes


def test_d_15_five_thousand_transitions(store: DynamoDBStateStore) -> None:
    """D-15: after 5,000 transitions the row is below 100 KB, and every one of them can be read."""
    workset = store.add(a_workset())
    reason = "no room on the cluster: " + "x" * 60
    largest = 0
    while workset.sequence < 5000:
        for _ in range(25):
            workset = locked(workset)
            workset = workset.release(workset.fence, at=NOON + workset.sequence * SECOND, reason=reason)
        for _ in range(5):
            failure = Failure(ErrorCategory.DATA, f"truncated FASTQ {workset.sequence}", 65)
            ran = running(workset)
            workset = ran.failed(failure, at=NOON, actor="m", policy=RetryPolicy(), jitter=0.5)
            workset = workset.retry(by="ada", at=NOON)
        workset = store.save(settled(workset))
        largest = max(largest, size_of(stored(store.client, store.table, "ws-1")))
    assert largest < 100_000
    found = store.get("ws-1")
    assert found.sequence == workset.sequence
    assert len(found.attempts) == len(workset.attempts)

    history = whole_history(store, "ws-1")
    assert len(history) == workset.sequence
    assert history[-1].reason == "Initial registration"
    assert history[0] == workset.history[-1]
    failures = [step.reason for step in history if step.state is State.ERROR]
    assert failures == sorted(failures, key=lambda text: -int(text.split()[-1]))
    assert len(set(failures)) == len(workset.attempts)


def test_d_15_a_huge_error_text_is_kept_elsewhere(store: DynamoDBStateStore) -> None:
    """D-15: a traceback of 300 KB leaves the row small, later writes work, and its end can be read."""
    text = "Traceback: \N{DNA DOUBLE HELIX}\ud800 " + "x" * 300_000 + " the end"
    failure = Failure(ErrorCategory.DATA, text)
    ran = running(store.add(a_workset()))
    saved = store.save(ran.failed(failure, at=NOON, actor="m", policy=RetryPolicy(), jitter=0))

    assert saved == store.get("ws-1")
    assert saved.failure is not None
    assert saved.failure.message.startswith("Traceback: ")
    assert saved.failure.message.endswith("…")
    assert size_of(stored(store.client, store.table, "ws-1")) < 50_000
    store.save(store.get("ws-1").retry(by="ada", at=NOON))
    whole = [step.reason for step in whole_history(store, "ws-1") if step.state is State.ERROR]
    assert [reason.endswith("x the end") for reason in whole] == [True]


def test_a_lost_race_leaves_history_whole(store: DynamoDBStateStore) -> None:
    """Who loses the save in which history moves out leaves no trace in it."""
    workset = store.add(a_workset())
    for _ in range(80):
        workset = locked(workset).release(workset.fence + 1, at=NOON, reason="ours")
    theirs = a_workset()
    stale = evolve(theirs, version=1)
    for _ in range(90):
        stale = locked(stale).release(stale.fence + 1, at=NOON, reason="never happened")
    store.save(workset)

    with pytest.raises(ConcurrentUpdateError):
        store.save(stale)
    assert {step.reason for step in whole_history(store, "ws-1")}.isdisjoint({"never happened"})
    assert len(whole_history(store, "ws-1")) == 161


def test_outcomes_of_many_samples(store: DynamoDBStateStore) -> None:
    """Ever so many retries of ever so many failed samples leave the row below 250 KB."""
    names = [sha256(str(number).encode()).hexdigest() for number in range(OUTCOMES_MOST)]
    workset = store.add(a_workset(manifest=a_manifest(*names)))
    told = [SampleOutcome.of(name, name * 5 if n else None) for n, name in enumerate(names)]
    failure = Failure(ErrorCategory.DATA, "truncated FASTQ", 65)
    for _ in range(20):
        ran = running(workset).with_samples(told)
        ended = ran.failed(failure, at=NOON, actor="m", policy=RetryPolicy(), jitter=0)
        workset = ended.retry(by="ada", at=NOON, failed_samples=True)
    saved = store.save(settled(workset))

    assert size_of(stored(store.client, store.table, "ws-1")) < 250_000
    assert store.get("ws-1") == saved
    assert (saved.retry_only, saved.outcomes) == (workset.retry_only, workset.outcomes)
    assert [len(attempt.only) for attempt in saved.attempts[-3:]] == [OUTCOMES_MOST - 1] * 3


def test_ten_thousand_samples(
    store: DynamoDBStateStore, client: "DynamoDBClient", objects: InMemoryObjectStore
) -> None:
    """The longest manifest there may be is kept beside the row, is written once, and reads back."""
    samples = tuple(a_sample(f"S{number:05}-{number * 7919 % 10007}") for number in range(10_000))
    workset = a_workset(manifest=Manifest(samples=samples, pipeline="germline"))
    added = store.add(workset)

    assert size_of(stored(client, store.table, "ws-1")) < 60_000
    assert store.get("ws-1") == added
    keys = [info.key for info in objects.list("").items]
    assert len(keys) == 1
    another = DynamoDBStateStore(client, store.table, objects)
    assert another.save(locked(another.get("ws-1"))).version == 2
    assert [info.key for info in objects.list("").items] == keys


def test_without_room_elsewhere_the_latest_is_kept(client: "DynamoDBClient", table: str) -> None:
    """A store without spill keeps the latest history, and goes on."""
    store = DynamoDBStateStore(client, table)
    workset = store.add(a_workset())
    for _ in range(100):
        workset = locked(workset).release(workset.fence + 1, at=NOON, reason="r" * 3000)
    saved = store.save(workset)
    assert saved == store.get("ws-1")
    assert saved.sequence == 201
    assert 0 < len(whole_history(store, "ws-1")) <= 150


# Bad days


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (refusal(400, "ProvisionedThroughputExceededException", json=True), "Throughput"),
        (refusal(400, "ThrottlingException", json=True), "Throttling"),
        (refusal(500, "InternalServerError", json=True), "InternalServerError"),
        (refusal(503, "ServiceUnavailable", json=True), "ServiceUnavailable"),
        (refusal(400, "AccessDeniedException", json=True), "not permitted"),
        (refusal(400, "ResourceNotFoundException", json=True), "there is no"),
        (refusal(400, "ExpiredTokenException", json=True), "credentials"),
        (ReadTimeoutError(endpoint_url="u"), "ReadTimeout"),
        (ConnectTimeoutError(endpoint_url="u"), "ConnectTimeout"),
        (NoCredentialsError(), "no AWS credentials"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_d_25_an_outage_is_no_empty_answer(
    client: "DynamoDBClient", table: str, reply: AWSResponse | Exception, told: str
) -> None:
    """D-25: whatever keeps DynamoDB from answering raises; the error names table and action."""
    store = DynamoDBStateStore(client, table)
    for operation in ("GetItem", "PutItem", "UpdateItem", "Query"):
        answers(client, "dynamodb", operation, *[reply] * 200)
    calls: list[tuple[str, Callable[[], object]]] = [
        ("GetItem", lambda: store.get("ws-1")),
        ("PutItem", lambda: store.add(a_workset())),
        ("UpdateItem", lambda: store.save(a_workset())),
        ("Query", lambda: store.list(Filter())),
        ("Query", lambda: store.queue()),
        ("Query", lambda: store.due(NOON)),
        ("Query", lambda: store.count([State.READY])),
        ("GetItem", lambda: store.known(["ws-1"])),
    ]
    for action, call in calls if told == "not permitted" else calls[::3]:
        with pytest.raises(UnavailableError, match=told) as raised:
            call()
        assert table in str(raised.value)
        assert action in str(raised.value)


def test_d_25_a_missing_table_says_so(client: "DynamoDBClient") -> None:
    """A table that is not there is an error that names it, not an empty queue."""
    store = DynamoDBStateStore(client, "daylily-nowhere")
    for call in (store.queue, lambda: store.get("ws-1"), lambda: store.known(["ws-1"])):
        with pytest.raises(UnavailableError, match="daylily-nowhere"):
            call()


def test_a_missing_index_says_what_to_do(client: "DynamoDBClient") -> None:
    """On an old table, which has no queue of ours, the error says how to get it."""
    client.create_table(
        TableName="daylily-old",
        KeySchema=[{"AttributeName": "workset_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "workset_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    store = DynamoDBStateStore(client, "daylily-old", adopt_every=None)
    with pytest.raises(UnavailableError, match="queue-index"):
        store.queue()


def test_an_add_whose_answer_is_lost_is_an_add(
    store: DynamoDBStateStore, client: "DynamoDBClient"
) -> None:
    """When a retry of botocore's meets the row that its first try has written, that is no conflict."""
    loses_answer(client, dynamodb_client(), "dynamodb", "PutItem")
    added = store.add(a_workset())
    assert added == store.get("ws-1")


def test_an_add_whose_answer_is_lost_while_others_go_on(
    store: DynamoDBStateStore, client: "DynamoDBClient"
) -> None:
    """A monitor has it before botocore tries again: nobody is told that it is somebody else's."""
    objects, twin = InMemoryObjectStore(), evolve(store, client=dynamodb_client())
    ledger = Ledger(store, ObjectSentinelStore(objects), InMemoryNotifier())
    loses_answer(
        client,
        twin.client,
        "dynamodb",
        "PutItem",
        meanwhile=lambda: twin.save(locked(twin.get("ws-1"))),
    )
    registered = ledger.register(a_workset())
    assert registered == store.get("ws-1")
    assert registered.state is State.LOCKED
    assert objects.list("").items == ()
    with pytest.raises(AlreadyExistsError):
        ledger.register(evolve(a_workset(), submitted_by="bob"))


def test_a_customer_whose_answer_is_lost(client: "DynamoDBClient") -> None:
    """Who added one is told so; of another of that name, that there is one."""
    table = create_customer_table(client, "daylily-lost-customers")
    customers = DynamoDBCustomers(client, table)
    loses_answer(client, dynamodb_client(), "dynamodb", "PutItem")
    customers.add(a_customer("acme"))
    with pytest.raises(AlreadyExistsError):
        customers.add(a_customer("acme"))


def test_a_save_whose_answer_is_lost(store: DynamoDBStateStore, client: "DynamoDBClient") -> None:
    """The same holds for a save: who has won its lock is told so."""
    read = store.add(a_workset())
    loses_answer(client, dynamodb_client(), "dynamodb", "UpdateItem")
    saved = store.save(locked(read))
    assert saved == store.get("ws-1")


def test_a_damaged_row_hides_no_other(store: DynamoDBStateStore, client: "DynamoDBClient") -> None:
    """A record that cannot be read raises on its own, and keeps no other from the queue."""
    store.add(a_workset("ws-1"))
    store.add(a_workset("ws-2"))
    client.update_item(
        TableName=store.table,
        Key={"workset_id": {"S": "ws-1"}},
        UpdateExpression="SET #r = :r",
        ExpressionAttributeNames={"#r": "record"},
        ExpressionAttributeValues={":r": {"S": "{}"}},
    )
    with pytest.raises(UnavailableError, match="ws-1"):
        store.get("ws-1")
    assert [each.workset_id for each in store.queue().items] == ["ws-2"]
    assert [each.workset_id for each in store.list(Filter()).items] == ["ws-2"]
