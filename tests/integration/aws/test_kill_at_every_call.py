"""A process that dies at any call to the outside, in whatever it is at: one later cycle mends all."""

import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from tests.integration.aws.engines import Endpoint
from tests.integration.aws.kill_stories import STORIES
from tests.integration.aws.kill_world import DIED, FILES, READS
from tests.integration.aws.worlds import a_table

from daylily.adapters.aws.customers import DynamoDBCustomers
from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.adapters.aws.schema import create_customer_table
from daylily.testing.samples import a_customer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

Ask = Callable[..., dict[str, Any]]
Place = dict[str, str]

LATE = 600.0
"""Seconds after noon when the later monitor comes: after all that a story takes."""


@pytest.fixture(scope="module")
def ask(dynamodb_endpoint: Endpoint, s3_endpoint: Endpoint) -> Iterator[Ask]:
    """Return a way to have a part of a story played by a process of its own."""
    said = [json.dumps(attrs.asdict(each)) for each in (dynamodb_endpoint, s3_endpoint)]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.integration.aws.kill_server", *said],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin
        assert server.stdout

        def ask(**request: object) -> dict[str, Any]:
            assert server.stdin
            assert server.stdout
            server.stdin.write(json.dumps(request) + "\n")
            server.stdin.flush()
            answer: dict[str, Any] = json.loads(server.stdout.readline())
            assert "error" not in answer, f"{request}\n{answer['error']}"
            return answer

        yield ask
        server.stdin.close()


@pytest.fixture(scope="module")
def common(dynamodb: "DynamoDBClient", s3: "S3Client", bucket: str) -> Place:
    """Return what all worlds share: a customer, and its files."""
    name = create_customer_table(dynamodb, f"customers-{uuid.uuid4().hex[:12]}")
    DynamoDBCustomers(dynamodb, name).add(a_customer())
    for file in FILES:
        S3ObjectStore(s3, bucket).put(f"files/acme/{file}", READS)
    return {"customers": name, "bucket": bucket}


@pytest.fixture
def new_place(dynamodb: "DynamoDBClient", common: Place, tmp_path: Path) -> Callable[[], Place]:
    """Return a way to get an empty world."""

    def new_place() -> Place:
        name = uuid.uuid4().hex[:12]
        (tmp_path / name).mkdir()
        table = {"table": a_table(dynamodb), "prefix": f"kill-{name}/"}
        return {**common, **table, "folder": str(tmp_path / name)}

    return new_place


@pytest.mark.load
@pytest.mark.parametrize("story", STORIES)
def test_one_later_cycle_mends_all(ask: Ask, new_place: Callable[[], Place], story: str) -> None:
    """
    Wherever a process dies, one cycle of another monitor leaves both ledgers in agreement.

    It dies just before each call that changes something, in turn, and once when the last one has been
    made and its answer is lost: after any other, it leaves the world as it does before the next. Then
    nothing is lost: whatever anybody was promised comes to its end, each attempt has run once, and
    people were told of everything under one id each.
    """
    calls = _told(ask, new_place(), story, None)
    assert calls
    last = len(calls)
    for number, answered in [*((number, False) for number in range(1, last + 1)), (last, True)]:
        place = new_place()
        _told(ask, place, story, number, answered=answered)
        found = ask(task="recover", now=LATE, place=place)
        states = found["states"] or [None]
        when = f"{'after' if answered else 'before'} {calls[number - 1]}, number {number}"
        assert {*states} <= {*STORIES[story].ends}, f"{when}: {states}"


def _told(ask: Ask, place: Place, story: str, at: int | None, *, answered: bool = False) -> list[str]:
    """Have a story told; return the calls that were made, if its teller has lived to say so."""
    told = ask(task="tell", story=story, at=at, answered=answered, place=place)
    assert told["exit"] == (DIED if at else 0)
    calls: list[str] = told.get("calls", [])
    return calls
