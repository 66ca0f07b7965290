"""DynamoDBCustomers on a real DynamoDB engine, held to the contract of its port."""

import uuid
from typing import TYPE_CHECKING

import pytest

from daylily.adapters.aws.customers import DynamoDBCustomers
from daylily.adapters.aws.schema import create_customer_table
from daylily.domain.customers import Customer
from daylily.ports.customers import Customers
from daylily.testing.contracts.customers import CustomersContract

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.engine


class TestDynamoDBCustomers(CustomersContract):
    """The contract, on ministack or whatever the environment names."""

    @pytest.fixture
    def customers(self, dynamodb: "DynamoDBClient") -> Customers:
        """Return a store of no customers."""
        name = f"daylily-worksets-{uuid.uuid4().hex[:12]}-customers"
        return DynamoDBCustomers(dynamodb, create_customer_table(dynamodb, name))


def test_historic_row(dynamodb: "DynamoDBClient") -> None:
    """A row of the old system reads, whatever else it holds and whatever it lacks (contract 3.9)."""
    name = create_customer_table(dynamodb, f"daylily-customers-{uuid.uuid4().hex[:12]}")
    dynamodb.put_item(
        TableName=name,
        Item={
            "customer_id": {"S": "acme-genomics-1a2b3c4d"},
            "customer_name": {"S": "Acme Genomics"},
            "email": {"S": "ada@acme.example"},
            "s3_bucket": {"S": "daylily-customer-acme-genomics-1a2b3c4d"},
            "max_concurrent_worksets": {"N": "10"},
            "max_storage_gb": {"N": "500.5"},
            "is_admin": {"BOOL": False},
            "api_tokens": {"L": []},
        },
    )
    dynamodb.put_item(TableName=name, Item={"customer_id": {"S": "bare"}})

    customers = DynamoDBCustomers(dynamodb, name)

    assert customers.get("acme-genomics-1a2b3c4d") == Customer(
        customer_id="acme-genomics-1a2b3c4d",
        name="Acme Genomics",
        email="ada@acme.example",
        max_concurrent_worksets=10,
        max_storage_gb=500.5,
    )
    dynamodb.put_item(
        TableName=name,
        Item={
            "customer_id": {"S": "damaged"},
            "customer_name": {"L": []},
            "email": {"N": "1"},
            "max_concurrent_worksets": {"NULL": True},
            "max_storage_gb": {"S": "infinity"},
            "billing_account_id": {"S": ""},
            "cost_center": {"M": {}},
        },
    )

    # What makes no sense counts as what is not there: no customer hides the others.
    assert customers.get("damaged") == Customer(customer_id="damaged", name="damaged")
    assert [each.customer_id for each in customers.list().items] == [
        "acme-genomics-1a2b3c4d",
        "bare",
        "damaged",
    ]
    assert customers.get("bare") == Customer(customer_id="bare", name="bare")
