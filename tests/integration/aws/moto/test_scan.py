"""What a scan of the table costs, and what it makes of rows that nobody can read."""

from typing import TYPE_CHECKING

from tests.integration.aws.worlds import counted

from daylily.adapters.aws.dynamodb import DynamoDBStateStore
from daylily.domain.workset import Workset
from daylily.ports.state_store import Unreadable
from daylily.testing.samples import a_workset

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def test_a_scan_is_one_call_a_page(dynamodb: "DynamoDBClient", table: str) -> None:
    """Whatever state they are in, all worksets come with one Scan, where they fit into a page."""
    store = DynamoDBStateStore(dynamodb, table)
    for n in range(30):
        store.add(a_workset(f"ws-{n}"))
    calls = counted(dynamodb)

    assert len(store.scan().items) == 30
    assert calls.take() == {"Scan": 1}


def test_a_damaged_row_is_named_and_hides_no_other(dynamodb: "DynamoDBClient", table: str) -> None:
    """A row of a newer version comes back as unreadable, among the worksets around it."""
    store = DynamoDBStateStore(dynamodb, table)
    for name in ("ws-1", "ws-2", "ws-3"):
        store.add(a_workset(name))
    dynamodb.update_item(
        TableName=table,
        Key={"workset_id": {"S": "ws-2"}},
        UpdateExpression="SET #record = :new",
        ExpressionAttributeNames={"#record": "record"},
        ExpressionAttributeValues={":new": {"S": '{"state": "in another galaxy"}'}},
    )

    found = {each.workset_id: each for each in store.scan().items}
    assert isinstance(found["ws-1"], Workset)
    assert isinstance(found["ws-3"], Workset)
    assert isinstance(found["ws-2"], Unreadable)
