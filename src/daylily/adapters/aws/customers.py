"""Customers in a table of DynamoDB, which old versions of the system may keep too (contract 3.9)."""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from daylily.adapters.aws.rows import Row, present
from daylily.adapters.aws.schema import CUSTOMER_KEY
from daylily.adapters.aws.table import Table, Terms
from daylily.adapters.paging import check_limit, decode_cursor, encode_cursor, page_of
from daylily.domain.customers import Customer
from daylily.domain.errors import AlreadyExistsError, ConcurrentUpdateError, NotFoundError
from daylily.ports.paging import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KNOWN: Final = (
    *("customer_name", "email", "max_concurrent_worksets", "max_storage_gb"),
    *("billing_account_id", "cost_center"),
)

_PLAIN: Final = Customer(customer_id="", name="")
"""What is agreed upon where a row does not say."""


@frozen(eq=False)
class DynamoDBCustomers:
    """
    Customers in one table; its rows may hold more than we know of, which is left alone.

    Args:
        client: A low-level client, which threads may share.
        table: Its name.
    """

    client: "DynamoDBClient"
    table: str
    _table: Table = field(init=False)

    @_table.default
    def _new_table(self) -> Table:
        return Table(self.client, self.table, CUSTOMER_KEY)

    def get(self, customer_id: str) -> Customer:
        """See Customers.get."""
        row = self._table.get(customer_id)
        if row is None:
            raise NotFoundError(f"there is no customer {customer_id}")
        return _customer(row)

    def add(self, customer: Customer) -> None:
        """See Customers.add."""
        refused = self._table.create(_row(customer))
        if refused and not (refused.repeated and refused.row and _customer(refused.row) == customer):
            raise AlreadyExistsError(f"there is a customer {customer.customer_id} already")

    def save(self, before: Customer, after: Customer) -> None:
        """See Customers.save. What the row holds beyond what we know of stays."""
        name = before.customer_id
        unknown = NotFoundError(f"there is no customer {name}")
        moved = ConcurrentUpdateError(f"{name} has been changed: read it again")
        there = self._table.get(name)
        if there is None:
            raise unknown
        if _customer(there) != before:
            raise moved
        terms, row = Terms(), _row(after)
        unchanged = [
            f"{terms.name(each)} = {terms.value(there[each])}"
            if each in there
            else f"attribute_not_exists({terms.name(each)})"
            for each in _KNOWN
        ]
        refused = self._table.update(
            name,
            to_set={each: row[each] for each in _KNOWN if each in row},
            to_keep={},
            to_remove=[each for each in _KNOWN if each not in row],
            condition=" AND ".join([f"attribute_exists({terms.name(CUSTOMER_KEY)})", *unchanged]),
            terms=terms,
        )
        # Ours whose answer was lost stands there as we wrote it.
        if refused is not None and (refused.row is None or _customer(refused.row) != after):
            raise unknown if refused.row is None else moved

    def list(self, *, cursor: str | None = None, limit: int = 100) -> Page[Customer]:
        """See Customers.list. Reads them all: there are as many as a core facility has clients."""
        check_limit(limit)
        (after,) = decode_cursor("customers", cursor, 1) if cursor is not None else ("",)
        there = sorted(self._table.scan(), key=lambda row: str(row[CUSTOMER_KEY]))
        found = [_customer(row) for row in there if row[CUSTOMER_KEY] > after]
        return page_of(found, limit, lambda last: encode_cursor("customers", last.customer_id))


def _row(customer: Customer) -> Row:
    return present(
        {
            CUSTOMER_KEY: customer.customer_id,
            "customer_name": customer.name,
            "email": customer.email,
            "max_concurrent_worksets": customer.max_concurrent_worksets,
            "max_storage_gb": Decimal(str(customer.max_storage_gb)),
            "billing_account_id": customer.billing_account_id,
            "cost_center": customer.cost_center,
        }
    )


def _customer(row: Row) -> Customer:
    customer_id = str(row[CUSTOMER_KEY])
    return Customer(
        customer_id=customer_id,
        name=_text(row, "customer_name") or customer_id,
        email=_text(row, "email"),
        max_concurrent_worksets=int(_number(row, "max_concurrent_worksets")),
        max_storage_gb=float(_number(row, "max_storage_gb")),
        billing_account_id=_text(row, "billing_account_id"),
        cost_center=_text(row, "cost_center"),
    )


def _text(row: Row, name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) and value else None


def _number(row: Row, name: str) -> Decimal:
    """Return a number in whatever form it was written; one that is none counts as not being there."""
    try:
        found = Decimal(str(row[name]))
        if found.is_finite():
            return found
    except (KeyError, InvalidOperation):
        pass
    return Decimal(str(getattr(_PLAIN, name)))
