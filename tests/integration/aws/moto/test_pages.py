"""What is no answer of AWS reads as an outage, whatever its status says: nothing is there, or done."""

from collections.abc import Callable
from typing import Final

import pytest
from tests.integration.aws.moto.faulty import answer, answers

from daylily.adapters.aws.clients import Clients
from daylily.adapters.aws.documents import DynamoDBDocumentStore
from daylily.adapters.aws.dynamodb import DynamoDBStateStore
from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.domain.errors import NotFoundError, UnavailableError
from daylily.domain.lifecycle import State
from daylily.ports.state_store import Filter
from daylily.testing.samples import NOON, a_workset

PAGE: Final = answer(200, "text/html; charset=utf-8", "<html><body>Console</body></html>")
CLIENTS: Final = Clients(region="us-west-2", attempts=1)
KEY: Final = "worksets/ws-1/daylily.ready"


def _table() -> list[tuple[str, Callable[[DynamoDBStateStore], object]]]:
    return [
        ("GetItem", lambda store: store.get("ws-1")),
        ("GetItem", lambda store: store.known(["ws-1"])),
        ("PutItem", lambda store: store.add(a_workset())),
        ("UpdateItem", lambda store: store.save(a_workset())),
        ("Query", lambda store: store.queue()),
        ("Query", lambda store: store.due(NOON)),
        ("Query", lambda store: store.list(Filter())),
        ("Query", lambda store: store.count({State.READY})),
        ("Scan", lambda store: store.scan()),
    ]


def _bucket() -> list[tuple[str, Callable[[S3ObjectStore], object]]]:
    return [
        ("ListObjectsV2", lambda store: store.list("worksets/")),
        ("ListObjectsV2", lambda store: store.entries("worksets/")),
        ("PutObject", lambda store: store.put(KEY, b"x")),
        ("PutObject", lambda store: store.put(KEY, b"x", if_absent=True)),
        ("PutObject", lambda store: store.replace(KEY, b"x", if_etag="1")),
        ("DeleteObject", lambda store: store.delete(KEY, if_etag="1")),
        ("CreateMultipartUpload", lambda store: store.put(KEY, b"x" * store.part_size)),
    ]


@pytest.mark.parametrize(("operation", "call"), _table())
def test_a_page_is_no_row(
    table: str, operation: str, call: Callable[[DynamoDBStateStore], object]
) -> None:
    """Nothing is absent, stored or empty because a page says so."""
    client = CLIENTS.dynamodb()
    answers(client, "dynamodb", operation, PAGE)
    with pytest.raises(UnavailableError, match=r"a web page came.*AWS_ENDPOINT_URL"):
        call(DynamoDBStateStore(client, table, adopt_every=None))


def test_a_page_is_no_document(table: str) -> None:
    """Nor is a token, a user or a slot."""
    client = CLIENTS.dynamodb()
    answers(client, "dynamodb", "GetItem", PAGE)
    with pytest.raises(UnavailableError, match="a web page came"):
        DynamoDBDocumentStore(client, table, lambda: NOON).get("token", "acme", "key")


@pytest.mark.parametrize(("operation", "call"), _bucket())
def test_a_page_is_no_object(
    bucket: str, operation: str, call: Callable[[S3ObjectStore], object]
) -> None:
    """An empty listing would be read as that nobody has dropped anything."""
    client = CLIENTS.s3()
    answers(client, "s3", operation, PAGE)
    with pytest.raises(UnavailableError, match="a web page came"):
        call(S3ObjectStore(client, bucket))


def test_an_object_may_be_a_page(bucket: str) -> None:
    """Reports of pipelines are."""
    client = CLIENTS.s3()
    client.put_object(Bucket=bucket, Key="report.html", Body=b"<html/>", ContentType="text/html")
    with S3ObjectStore(client, bucket).open("report.html") as stream:
        assert stream.read() == b"<html/>"


def test_an_answer_that_is_called_a_page(table: str) -> None:
    """Some imitations of AWS call everything so; what they say counts."""
    client = CLIENTS.dynamodb()
    answers(client, "dynamodb", "GetItem", answer(200, "text/html; charset=utf-8", "{}"))
    with pytest.raises(NotFoundError):
        DynamoDBStateStore(client, table, adopt_every=None).get("ws-1")
