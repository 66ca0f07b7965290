"""DynamoDBDocumentStore and its table on moto."""

from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from tests.integration.aws.moto.faulty import answers, refusal
from tests.integration.aws.moto.test_aws_checks import bare, findings

from daylily.adapters.aws.documents import DynamoDBDocumentStore
from daylily.adapters.aws.installation import AWSInstallation
from daylily.adapters.aws.schema import DOCUMENT_TTL, create_document_table
from daylily.domain.errors import ConflictError, UnavailableError
from daylily.ports.documents import DocumentStore
from daylily.testing.clock import ManualClock
from daylily.testing.contracts.documents import DocumentStoreContract, a_document
from daylily.testing.samples import NOON

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "daylily-worksets-documents"


class TestMotoDocumentStore(DocumentStoreContract):
    """The contract; threads that race prove nothing here, and do so on a real engine."""

    runners = 1

    @pytest.fixture
    def documents(self, dynamodb: "DynamoDBClient", clock: ManualClock) -> DocumentStore:
        """Return a store of no documents."""
        return DynamoDBDocumentStore(dynamodb, create_document_table(dynamodb, TABLE), clock)

    def test_no_count_is_lost(self, documents: DocumentStore) -> None:
        """Proved on a real engine."""


@pytest.fixture
def installation() -> AWSInstallation:
    """Return an installation of which nothing is there, with a table of documents."""
    plain = bare()
    return evolve(plain, policies=evolve(plain.policies, documents=TABLE))


def test_init_makes_the_table(installation: AWSInstallation) -> None:
    """Nothing is missing afterwards, rows expire, and doctor finds the table."""
    dynamodb = installation.dynamodb
    assert findings(installation)["documents"].verdict == "FAIL"
    for step in installation.plan():
        step.carry_out(lambda _: None)
    assert {step.thing for step in installation.plan() if step.change} == set()
    expiry = dynamodb.describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]
    assert expiry == {"AttributeName": DOCUMENT_TTL, "TimeToLiveStatus": "ENABLED"}
    assert findings(installation)["documents"].text == f"{TABLE} is there"
    store = DynamoDBDocumentStore(dynamodb, TABLE, ManualClock())
    assert store.add(a_document()).version == 1


def test_a_table_of_that_name_that_is_something_else(installation: AWSInstallation) -> None:
    """Nothing is put into a table of another key."""
    installation.dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "place", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "place", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(ConflictError, match="keyed by place, not by place, key"):
        installation.plan()


def test_a_store_without_expiry(installation: AWSInstallation) -> None:
    """Imitations of AWS that remove nothing serve all the same."""
    for step in installation.plan():
        step.carry_out(lambda _: None)
    unknown = refusal(400, "UnknownOperationException", "no", json=True)
    answers(installation.dynamodb, "dynamodb", "DescribeTimeToLive", unknown)
    (step,) = [step for step in installation.plan() if step.thing == f"expiry of {TABLE}"]
    assert (step.now, step.change) == ("not offered by this store", "")


def test_the_answer_to_a_write_is_lost(dynamodb: "DynamoDBClient") -> None:
    """A write that is refused since it was done the first time counts as done."""
    store = DynamoDBDocumentStore(dynamodb, create_document_table(dynamodb, TABLE), ManualClock())
    update = dynamodb.update_item
    seen = []

    def twice(**arguments: object) -> object:
        seen.append(update(**arguments))  # type: ignore[arg-type]
        return update(**arguments)  # type: ignore[arg-type]

    dynamodb.update_item = twice  # type: ignore[method-assign,assignment]
    try:
        added = store.add(a_document())
        replaced = store.replace(evolve(added, body="2", expires_at=NOON))
    finally:
        dynamodb.update_item = update  # type: ignore[method-assign]
    assert (added.version, replaced.version, len(seen)) == (1, 2, 2)


def test_a_damaged_row_hides_no_other(dynamodb: "DynamoDBClient") -> None:
    """It raises where it is asked for, and is passed over where others are listed."""
    store = DynamoDBDocumentStore(dynamodb, create_document_table(dynamodb, TABLE), ManualClock())
    kept = store.add(a_document())
    for key, wrong in (("a", {}), ("b", {"version": {"S": "x"}})):
        place = {"place": {"S": f"{kept.kind}#{kept.partition}"}, "key": {"S": key}}
        dynamodb.put_item(TableName=TABLE, Item={**place, "body": {"S": "1"}, **wrong})
        with pytest.raises(UnavailableError, match=f"{kept.kind} {key}"):
            store.get(kept.kind, kept.partition, key)
    assert store.list(kept.kind, kept.partition).items == (kept,)
