"""DynamoDBStateStore on moto, held to the contract of its port."""

from typing import TYPE_CHECKING

import pytest

from daylily.adapters.aws.dynamodb import DynamoDBStateStore
from daylily.ports.state_store import StateStore
from daylily.testing.contracts.outages import BrokenStateStoreContract
from daylily.testing.contracts.state_store import SequentialStateStoreContract

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class TestMotoStateStore(SequentialStateStoreContract):
    """The contract without its races: here they would prove nothing, and they run on a real engine."""

    @pytest.fixture
    def store(self, dynamodb: "DynamoDBClient", table: str) -> StateStore:
        """Return an empty store."""
        return DynamoDBStateStore(dynamodb, table)


class TestBrokenStateStore(BrokenStateStoreContract):
    """What it owes when its table is not there."""

    @pytest.fixture
    def store(self, dynamodb: "DynamoDBClient") -> StateStore:
        """Return the store of a table that nobody has made."""
        return DynamoDBStateStore(dynamodb, "daylily-nowhere")
