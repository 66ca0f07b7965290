"""What a monitor asks of AWS grows with the listing of directories, and with nothing else."""

from typing import TYPE_CHECKING

import pytest
from benchmarks.bench_scale import CYCLES, POLLS, asked
from botocore.exceptions import ClientError
from tests.integration.aws.worlds import counted

from daylily.adapters.aws.dynamodb import DynamoDBStateStore
from daylily.testing.samples import a_workset

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def test_cycles_of_a_monitor_where_most_is_over() -> None:
    """
    A new one learns by pages what is stored; then it asks for what is due, and lists directories.

    Results are never listed. No cycle asks for more than it may, be it one of thirty in a minute or the
    only one: what is not for every cycle takes turns.
    """
    found = asked(120)
    assert found["first cycle"]["in all"] <= 40
    assert found["first cycle"]["dynamodb.Scan"] == 1
    assert "dynamodb.GetItem" not in found["first cycle"]
    for rest in POLLS:
        steady = found[f"{CYCLES} steady cycles, one in {rest}"]
        # Of objects: names at one level, what the running one shows, and signs of life.
        assert steady["calls"].keys() == {
            *("compute.status", "documents.list", "dynamodb.Query"),
            *("objects.browse", "objects.entries", "objects.list", "objects.put"),
        }
        assert steady["most"] <= steady["may be"] < 6


@pytest.mark.parametrize(("asked_for", "calls"), [(3, {"GetItem": 3}), (60, {"Scan": 1})])
def test_many_ids_are_looked_for_by_pages(
    dynamodb: "DynamoDBClient", table: str, asked_for: int, calls: dict[str, int]
) -> None:
    """A few are asked for one by one; for many, pages of ids cost less."""
    store = DynamoDBStateStore(dynamodb, table)
    for number in range(0, 60, 2):
        store.add(a_workset(f"ws-{number:02}"))
    made = counted(dynamodb)
    names = [f"ws-{number:02}" for number in range(asked_for)]
    assert store.known(names) == frozenset(names[::2])
    assert made.take() == calls


def test_ids_are_asked_for_one_by_one_where_a_table_may_not_be_read_whole(
    dynamodb: "DynamoDBClient", table: str
) -> None:
    """A policy may leave out Scan: that makes it slower, and nothing else."""
    store = DynamoDBStateStore(dynamodb, table)
    store.add(a_workset("ws-07"))

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Scan")

    dynamodb.meta.events.register("before-call.dynamodb.Scan", refuse)
    made = counted(dynamodb)
    names = [f"ws-{number:02}" for number in range(30)]
    assert store.known(names) == {"ws-07"}
    assert made.take() == {"GetItem": 30}
