"""Rows as other versions wrote them (tests/data/dynamodb), and what those versions do to rows."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from daylily.adapters.aws.rows import Row, from_wire, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FOLDER: Final = Path(__file__).parents[3] / "data" / "dynamodb"
NAMES: Final = sorted(path.stem for path in FOLDER.glob("*.json"))


def recorded(name: str) -> dict[str, Any]:
    """Return a row in DynamoDB's notation."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def dropped(client: "DynamoDBClient", table: str, name: str) -> str:
    """Put a recorded row into the table, past the store; return its id."""
    item = recorded(name)
    client.put_item(TableName=table, Item=item)
    return str(item["workset_id"]["S"])


def stored(client: "DynamoDBClient", table: str, workset_id: str) -> Row:
    """Return a row as it stands in the table."""
    found = client.get_item(TableName=table, Key={"workset_id": {"S": workset_id}}, ConsistentRead=True)
    return from_wire(found["Item"])


def update_state(
    client: "DynamoDBClient", table: str, workset_id: str, state: str, at: str, reason: str = "old"
) -> None:
    """Change a state as the version of the guide does: without a condition, and no version moved on."""
    entry = {"state": state, "timestamp": at, "reason": reason}
    client.update_item(
        TableName=table,
        Key={"workset_id": {"S": workset_id}},
        UpdateExpression="SET #s = :s, updated_at = :a, state_history = list_append(state_history, :h)",
        ExpressionAttributeNames={"#s": "state"},
        ExpressionAttributeValues=to_wire({":s": state, ":a": at, ":h": [entry]}),
    )


def take_lock(client: "DynamoDBClient", table: str, workset_id: str, owner: str) -> None:
    """Take a lock as later versions do: only the three attributes, whatever the state."""
    client.update_item(
        TableName=table,
        Key={"workset_id": {"S": workset_id}},
        UpdateExpression="SET lock_owner = :o, lock_acquired_at = :a, lock_expires_at = :e",
        ExpressionAttributeValues=to_wire(
            {":o": owner, ":a": "2025-06-02T12:00:00Z", ":e": "2025-06-02T13:00:00Z"}
        ),
    )
