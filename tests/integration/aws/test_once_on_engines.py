"""``Idempotency-Key`` on DynamoDB and S3, and on a bucket alone."""

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.integration.aws.engines import Endpoint
from tests.integration.aws.worlds import use_engines
from tests.integration.http.once import submit_fifty_times

from daylily.adapters.aws.schema import create_customer_table, create_document_table, create_table
from daylily.bootstrap import bootstrap
from daylily.config import NO_TABLE, Settings
from daylily.domain.customers import Customer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("with_table", [True, False])
def test_fifty_at_once_on_two_servers(
    with_table: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dynamodb: "DynamoDBClient",
    dynamodb_endpoint: Endpoint,
    s3_endpoint: Endpoint,
    bucket: str,
) -> None:
    """Two servers, fifty requests with one key: one workset, and fifty times its answer."""
    use_engines(monkeypatch, dynamodb_endpoint, s3_endpoint)
    table = f"daylily-worksets-{uuid.uuid4().hex[:12]}" if with_table else NO_TABLE
    if with_table:
        create_table(dynamodb, table)
        create_customer_table(dynamodb, f"{table}-customers")
        create_document_table(dynamodb, f"{table}-documents")
    settings = Settings(
        home=tmp_path,
        store="aws",
        engine="memory",
        region="us-east-1",
        bucket=bucket,
        prefix=f"{uuid.uuid4().hex[:8]}/",
        table=table,
    )
    apps = [bootstrap(settings) for _ in range(2)]
    apps[0].world.customers.add(Customer(customer_id="acme", name="Acme"))
    submit_fifty_times(apps)
