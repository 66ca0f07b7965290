"""DynamoDBStateStore on a real DynamoDB engine, held to the contract of its port."""

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.integration.aws.worlds import a_table

from daylily.adapters.aws.dynamodb import DynamoDBStateStore
from daylily.ports.state_store import StateStore
from daylily.testing.contracts.state_store import StateStoreContract
from daylily.testing.contracts.state_store_machine import StateStoreMachine

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.engine


class TestDynamoDBStateStore(StateStoreContract):
    """The contract, on ministack or whatever the environment names."""

    @pytest.fixture
    def store(self, dynamodb: "DynamoDBClient") -> StateStore:
        """Return an empty store."""
        return DynamoDBStateStore(dynamodb, a_table(dynamodb))


def test_random_lives(dynamodb: "DynamoDBClient") -> None:
    """What the store says after any steps in any order is what a dict would say."""

    class DynamoDBStateStoreMachine(StateStoreMachine):
        """The machine, on a table that is made anew for each life."""

        def make_store(self) -> StateStore:
            """Return an empty store."""
            return DynamoDBStateStore(dynamodb, a_table(dynamodb))

    run_state_machine_as_test(
        DynamoDBStateStoreMachine,
        settings=settings(
            max_examples=6,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
