"""Tables as `daylily init` makes and mends them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, field
from tests.integration.aws.moto.faulty import answers, refusal
from tests.integration.aws.worlds import counted, dynamodb_client

from daylily.adapters.aws.errors import NotPermittedError
from daylily.adapters.aws.schema import CREATED, INDEXES, KEY, STATE_PRIORITY, Index, index_definition
from daylily.adapters.aws.setup_tables import TableSetup
from daylily.domain.errors import ConflictError, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

OLD = (STATE_PRIORITY, CREATED)
NAME = "daylily-worksets"


@define
class Pauses:
    """Waits without waiting."""

    taken: list[float] = field(factory=list)

    def __call__(self, seconds: float) -> None:
        """Wait."""
        self.taken.append(seconds)


@pytest.fixture
def client() -> "DynamoDBClient":
    """Return a client of this test's own."""
    return dynamodb_client()


@pytest.fixture
def pauses() -> Pauses:
    """Return what counts the seconds."""
    return Pauses()


@pytest.fixture
def setup(client: "DynamoDBClient", pauses: Pauses) -> TableSetup:
    """Return what sets a table up."""
    return TableSetup(client=client, name=NAME, key=KEY, indexes=INDEXES, pause=pauses)


def make(client: "DynamoDBClient", *indexes: Index, **more: Any) -> None:
    """Create a table as an old version did."""
    names = {KEY} | {name for index in indexes for name in (index.partition, index.order)}
    arguments: dict[str, Any] = {
        "TableName": NAME,
        "KeySchema": [{"AttributeName": KEY, "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": n, "AttributeType": "S"} for n in sorted(names)],
        "BillingMode": "PAY_PER_REQUEST",
        **more,
    }
    if indexes and "GlobalSecondaryIndexes" not in more:
        arguments["GlobalSecondaryIndexes"] = [index_definition(index) for index in indexes]
    client.create_table(**arguments)


def carry_out(setup: TableSetup) -> list[str]:
    """Carry all steps out; return what was told meanwhile."""
    told: list[str] = []
    for step in setup.steps():
        step.carry_out(told.append)
    return told


def describe(client: "DynamoDBClient", change: Callable[[dict[str, Any]], None], times: int) -> None:
    """Let DynamoDB say something else of a table, the next few times."""
    left = [None] * times

    def other(parsed: dict[str, Any], **_: object) -> None:
        if left and "Table" in parsed:
            left.pop()
            change(parsed["Table"])

    client.meta.events.register("after-call.dynamodb.DescribeTable", other)


def test_an_old_table_gets_what_it_lacks(client: "DynamoDBClient", setup: TableSetup) -> None:
    """Tables of the first day have two indexes: the others come one by one, and rows stay."""
    make(client, *OLD)
    row: Any = {KEY: {"S": "ws-1"}, "state": {"S": "ready"}, "queue": {"S": "ready"}}
    row["queue_rank"] = {"S": "2025-06-04T12:00:00.000000Z#ws-1"}
    client.put_item(TableName=NAME, Item=row)
    assert [(step.thing.split()[1], step.now) for step in setup.steps() if step.change] == [
        ("customer-created-index", "missing"),
        ("queue-index", "missing"),
        ("due-index", "missing"),
        ("of", "off"),
    ]
    calls = counted(client)

    carry_out(setup)

    assert calls.take()["UpdateTable"] == 3
    assert [step.now for step in setup.steps()] == ["there, on demand", "5 of 5 are there", "on"]
    found = client.query(
        TableName=NAME,
        IndexName="queue-index",
        KeyConditionExpression="queue = :q",
        ExpressionAttributeValues={":q": {"S": "ready"}},
    )
    assert found["Items"] == [row]
    calls.take()
    assert [step for step in setup.steps() if step.change] == []
    assert set(calls.take()) == {"DescribeTable", "DescribeContinuousBackups"}


def test_one_index_is_built_at_a_time(
    client: "DynamoDBClient", setup: TableSetup, pauses: Pauses
) -> None:
    """What takes long is waited for before the next begins, and people are told what is going on."""
    make(client, *OLD)
    add = [step for step in setup.steps() if "index " in step.thing]
    state = {"building": False}
    asked: list[str] = []

    def begin(params: dict[str, Any], **_: object) -> None:
        assert not state["building"]
        asked.append(params["GlobalSecondaryIndexUpdates"][0]["Create"]["IndexName"])
        state["building"] = True

    def build(parsed: dict[str, Any], **_: object) -> None:
        if state["building"]:
            parsed["Table"]["GlobalSecondaryIndexes"][-1]["IndexStatus"] = "CREATING"
            state["building"] = len(pauses.taken) % 40 != 39

    client.meta.events.register("provide-client-params.dynamodb.UpdateTable", begin)
    client.meta.events.register("after-call.dynamodb.DescribeTable", build)
    told: list[str] = []
    for step in add:
        step.carry_out(told.append)

    assert asked == ["customer-created-index", "queue-index", "due-index"]
    assert told[0] == "customer-created-index is being built (0 s)"
    assert len([line for line in told if line.startswith("due-index")]) > 1
    assert max(pauses.taken) == 10


def test_what_somebody_else_builds_is_waited_for(
    client: "DynamoDBClient", setup: TableSetup, pauses: Pauses
) -> None:
    """A run that was broken off, or that of somebody else, is no reason to begin again."""
    make(client, *INDEXES)

    def building(table: dict[str, Any]) -> None:
        table["GlobalSecondaryIndexes"][4]["IndexStatus"] = "CREATING"

    describe(client, building, 3)
    (wait, *_) = [step for step in setup.steps() if step.change]
    assert (wait.thing, wait.now) == (f"index due-index of {NAME}", "being built")
    told: list[str] = []
    wait.carry_out(told.append)
    assert told == ["due-index is being built (0 s)"]
    assert len(pauses.taken) == 2


def test_dynamodb_is_busy(client: "DynamoDBClient", setup: TableSetup, pauses: Pauses) -> None:
    """Where another change is on its way, the index is asked for again after it."""
    make(client, *INDEXES[:4])
    busy = refusal(400, "ResourceInUseException", "being updated", json=True)
    answers(client, "dynamodb", "UpdateTable", busy)
    carry_out(setup)
    assert [step.now for step in setup.steps()][1] == "5 of 5 are there"
    assert pauses.taken == [1.0]


def test_an_index_that_cannot_be_added(client: "DynamoDBClient", setup: TableSetup) -> None:
    """Any other refusal is told, as is a missing permission, with the action's name."""
    make(client)
    for reply, kind, told in (
        (refusal(400, "ValidationException", "no such", json=True), UnavailableError, "no such"),
        (refusal(400, "AccessDeniedException", json=True), NotPermittedError, "iam-policy"),
    ):
        answers(client, "dynamodb", "UpdateTable", reply)
        with pytest.raises(kind, match=f"dynamodb.*UpdateTable on table {NAME}.*{told}"):
            carry_out(setup)


def test_a_table_of_something_else(client: "DynamoDBClient", setup: TableSetup) -> None:
    """A table of another key is never touched."""
    keys: Any = [{"AttributeName": "id", "KeyType": "HASH"}]
    make(client, KeySchema=keys, AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    with pytest.raises(ConflictError, match="keyed by id, not by workset_id"):
        list(setup.steps())


@pytest.mark.parametrize("projection", ["ALL", "KEYS_ONLY"])
def test_an_index_of_something_else(
    client: "DynamoDBClient", setup: TableSetup, projection: Any
) -> None:
    """An index of our name over other attributes, or without whole rows, is not one we can read."""
    index = CREATED if projection == "KEYS_ONLY" else Index(CREATED.name, "state", "updated_at")
    definition = {**index_definition(index), "Projection": {"ProjectionType": projection}}
    make(client, index, GlobalSecondaryIndexes=[definition])
    with pytest.raises(ConflictError, match=r"index created-at-index of table .* remove it"):
        list(setup.steps())


def test_a_provisioned_table_stays_one(client: "DynamoDBClient", setup: TableSetup) -> None:
    """Who pays for capacity goes on doing so; DynamoDB wants to know how much an index gets."""
    units = {"ReadCapacityUnits": 7, "WriteCapacityUnits": 3}
    old: Any = [{**index_definition(index), "ProvisionedThroughput": units} for index in INDEXES[:4]]
    names = {KEY} | {name for index in INDEXES[:4] for name in (index.partition, index.order)}
    client.create_table(
        TableName=NAME,
        KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in sorted(names)],
        GlobalSecondaryIndexes=old,
        ProvisionedThroughput={"ReadCapacityUnits": 7, "WriteCapacityUnits": 3},
    )
    carry_out(setup)
    assert next(iter(setup.steps())).now == "there, provisioned, which is left as it is"
    found = client.describe_table(TableName=NAME)["Table"]["GlobalSecondaryIndexes"][-1]
    assert (found["IndexName"], found["ProvisionedThroughput"]["ReadCapacityUnits"]) == ("due-index", 7)


def test_a_table_on_its_way(client: "DynamoDBClient", setup: TableSetup, pauses: Pauses) -> None:
    """One being created is waited for, one being deleted is not taken for a table."""
    make(client, *INDEXES)
    describe(client, lambda table: table.update(TableStatus="CREATING"), 2)
    told = carry_out(setup)
    assert told == ["the table is being created (0 s)"]
    assert pauses.taken == [1.0]
    describe(client, lambda table: table.update(TableStatus="DELETING"), 1)
    with pytest.raises(ConflictError, match="is being deleted"):
        list(setup.steps())


def test_a_table_that_never_comes(client: "DynamoDBClient", setup: TableSetup, pauses: Pauses) -> None:
    """One that was created and is not there is told of, not waited for without end."""
    create = next(iter(setup.steps()))
    absent = refusal(400, "ResourceNotFoundException", json=True)
    answers(client, "dynamodb", "DescribeTable", *[absent] * 30)
    with pytest.raises(UnavailableError, match="is not there, although"):
        create.carry_out(print)


def test_backups_of_a_new_table(client: "DynamoDBClient", setup: TableSetup, pauses: Pauses) -> None:
    """Just after its creation a table cannot be backed up yet: that is waited for, not for ever."""
    make(client, *INDEXES)
    early = refusal(400, "ContinuousBackupsUnavailableException", "not yet", json=True)
    answers(client, "dynamodb", "UpdateContinuousBackups", early, early)
    assert carry_out(setup) == ["the table is not ready for it yet"]
    assert len(pauses.taken) == 2
    assert setup.backed_up()

    client.update_continuous_backups(
        TableName=NAME, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )
    answers(client, "dynamodb", "UpdateContinuousBackups", *[early] * 30)
    with pytest.raises(UnavailableError, match="try again later"):
        carry_out(setup)


def test_a_store_without_backups(client: "DynamoDBClient", setup: TableSetup) -> None:
    """Imitations of DynamoDB have not everything: what they lack is said, and no reason to stop."""
    make(client, *INDEXES)
    unknown = refusal(400, "UnknownOperationException", json=True)
    answers(client, "dynamodb", "DescribeContinuousBackups", unknown)
    assert [step.now for step in setup.steps()][-1] == "not offered by this store"
    answers(client, "dynamodb", "UpdateContinuousBackups", unknown)
    assert carry_out(setup) == ["not offered by this store"]
