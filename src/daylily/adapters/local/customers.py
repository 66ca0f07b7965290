"""Customers in one SQLite file, which may be that of the worksets."""

import sqlite3
from datetime import timedelta
from pathlib import Path

from attrs import field, frozen

from daylily.adapters.local.database import Database, InDatabase
from daylily.adapters.local.records import from_record, to_record
from daylily.adapters.paging import check_limit, decode_cursor, encode_cursor, page_of
from daylily.domain.customers import Customer
from daylily.domain.errors import AlreadyExistsError, ConcurrentUpdateError, NotFoundError
from daylily.ports.paging import Page


@frozen(eq=False)
class SQLiteCustomers(InDatabase):
    """
    Customers in a file.

    Args:
        path: Made, with its folder, if it is not there.
        patience: How long to wait for another process's write.

    Raises:
        InvalidInputError: A newer version of Daylily has written the file.
        UnavailableError: The file cannot be made or opened.
    """

    path: Path
    patience: timedelta = timedelta(seconds=10)
    _database: Database = field(init=False)

    @_database.default
    def _open(self) -> Database:
        return Database(self.path, self.patience)

    def get(self, customer_id: str) -> Customer:
        """See Customers.get."""
        rows = self._database.rows("SELECT record FROM customers WHERE customer_id = ?", (customer_id,))
        if not rows:
            raise NotFoundError(f"there is no customer {customer_id}")
        return from_record(Customer, rows[0][0], customer_id)

    def add(self, customer: Customer) -> None:
        """See Customers.add."""
        try:
            self._database.write(
                "INSERT INTO customers (customer_id, record) VALUES (?, ?)",
                (customer.customer_id, to_record(customer)),
            )
        except sqlite3.IntegrityError as error:
            raise AlreadyExistsError(f"there is a customer {customer.customer_id} already") from error

    def save(self, before: Customer, after: Customer) -> None:
        """See Customers.save."""
        name = before.customer_id
        rows = self._database.rows("SELECT record FROM customers WHERE customer_id = ?", (name,))
        if not rows:
            raise NotFoundError(f"there is no customer {name}")
        (record,) = rows[0]
        changed = from_record(Customer, record, name) == before and self._database.write(
            # An older version may have written the same customer as another text.
            "UPDATE customers SET record = ? WHERE customer_id = ? AND record = ?",
            (to_record(after), name, record),
        )
        if not changed:
            raise ConcurrentUpdateError(f"{name} has been changed: read it again")

    def list(self, *, cursor: str | None = None, limit: int = 100) -> Page[Customer]:
        """See Customers.list."""
        (after,) = decode_cursor("customers", cursor, 1) if cursor is not None else ("",)
        rows = self._database.rows(
            "SELECT customer_id, record FROM customers WHERE customer_id > ?"
            " ORDER BY customer_id LIMIT ?",
            (after, check_limit(limit) + 1),
        )
        page = page_of(rows, limit, lambda row: encode_cursor("customers", row[0]))
        return Page(tuple(from_record(Customer, row[1], row[0]) for row in page.items), page.cursor)
