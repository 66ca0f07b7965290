"""Calls of AWS are counted, by operation and by what came of them."""

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from tests.integration.aws.moto.faulty import answers, refusal

from daylily.adapters.aws.clients import Clients
from daylily.adapters.remote_calls import Outcome, Tallied, Tally

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def client() -> "DynamoDBClient":
    """Return a client of this test's own, which tries once."""
    return Clients(region="us-east-1", attempts=1).dynamodb()


@pytest.fixture
def tally(client: "DynamoDBClient") -> Tally:
    """Return what counts its calls."""
    found = Tally()
    found.watch(client)
    return found


def only(tally: Tally) -> Tallied:
    """Return what was counted of the one operation that was called."""
    (found,) = tally.calls()
    return found


def test_what_came_of_calls(client: "DynamoDBClient", tally: Tally) -> None:
    """What AWS does, refuses, slows down, or does not answer is told apart."""
    client.list_tables()
    for reply in (
        refusal(400, "ResourceNotFoundException", "no such table", json=True),
        refusal(400, "ThrottlingException", "too fast", json=True),
        refusal(500, "InternalServerError", "a fault of AWS", json=True),
    ):
        answers(client, "dynamodb", "ListTables", reply)
        with pytest.raises(ClientError):
            client.list_tables()
    answers(client, "dynamodb", "ListTables", EndpointConnectionError(endpoint_url="http://nobody"))
    with pytest.raises(EndpointConnectionError):
        client.list_tables()

    found = only(tally)

    assert (found.service, found.operation) == ("dynamodb", "ListTables")
    assert found.outcomes == {
        Outcome.OK: 1,
        Outcome.REFUSED: 1,
        Outcome.THROTTLED: 1,
        Outcome.ERROR: 2,
    }
    assert found.seconds > 0


def test_retries_are_one_call() -> None:
    """A call that is tried again counts once, and its retries are told."""
    client = Clients(region="us-east-1", attempts=2).dynamodb()
    tally = Tally()
    tally.watch(client)
    answers(client, "dynamodb", "ListTables", refusal(500, "InternalServerError", "once", json=True))
    client.list_tables()
    assert (only(tally).outcomes[Outcome.OK], only(tally).retries) == (1, 1)
