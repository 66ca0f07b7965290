"""The table of worksets: names that old readers know (contract 3.1), and the indexes that are ours."""

from typing import TYPE_CHECKING, Final

from attrs import frozen

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeDefinitionTypeDef,
        GlobalSecondaryIndexTypeDef,
    )

KEY: Final = "workset_id"
CUSTOMER_KEY: Final = "customer_id"
DOCUMENT_PLACE: Final = "place"
"""``<kind>#<partition>``."""
DOCUMENT_KEY: Final = "key"
DOCUMENT_TTL: Final = "remove_at"


@frozen
class Index:
    """A global secondary index, which projects whole rows."""

    name: str
    partition: str
    order: str


STATE_PRIORITY: Final = Index("state-priority-index", "state", "priority")
CREATED: Final = Index("created-at-index", "state", "created_at")
CUSTOMER: Final = Index("customer-created-index", "customer_id", "created_at")
QUEUE: Final = Index("queue-index", "queue", "queue_rank")
DUE: Final = Index("due-index", "due", "due_at")
INDEXES: Final = (STATE_PRIORITY, CREATED, CUSTOMER, QUEUE, DUE)


def definitions() -> "list[AttributeDefinitionTypeDef]":
    """Return the definitions of all attributes that some key is made of."""
    names = {KEY} | {name for index in INDEXES for name in (index.partition, index.order)}
    return [{"AttributeName": name, "AttributeType": "S"} for name in sorted(names)]


def index_definition(index: Index) -> "GlobalSecondaryIndexTypeDef":
    """Return what CreateTable and UpdateTable want to know of an index."""
    return {
        "IndexName": index.name,
        "KeySchema": [
            {"AttributeName": index.partition, "KeyType": "HASH"},
            {"AttributeName": index.order, "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "ALL"},
    }


def create_table(client: "DynamoDBClient", name: str) -> str:
    """Create the table with all its indexes, paid by the request; return its name once it is there."""
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
        AttributeDefinitions=definitions(),
        GlobalSecondaryIndexes=[index_definition(index) for index in INDEXES],
        BillingMode="PAY_PER_REQUEST",
    )
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    return name


def create_customer_table(client: "DynamoDBClient", name: str) -> str:
    """Create the table of customers, paid by the request; return its name once it is there."""
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": CUSTOMER_KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": CUSTOMER_KEY, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    return name


def create_document_table(client: "DynamoDBClient", name: str) -> str:
    """Create the table of documents, paid by the request; return its name once it is there."""
    client.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": DOCUMENT_PLACE, "KeyType": "HASH"},
            {"AttributeName": DOCUMENT_KEY, "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": DOCUMENT_KEY, "AttributeType": "S"},
            {"AttributeName": DOCUMENT_PLACE, "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    return name
