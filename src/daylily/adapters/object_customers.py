"""Customers kept in an object store alone: for installations without a database."""

from attrs import field, frozen

from daylily.adapters.keys import check_folder
from daylily.adapters.paging import check_limit, decode_cursor, encode_cursor
from daylily.adapters.records import from_record, to_record
from daylily.domain.customers import Customer
from daylily.domain.errors import AlreadyExistsError, ConcurrentUpdateError, NotFoundError
from daylily.domain.names import is_id
from daylily.ports.object_store import ObjectStore
from daylily.ports.paging import Page


@frozen(eq=False)
class ObjectCustomers:
    """
    Customers on top of any ObjectStore: one JSON record each.

    Args:
        folder: Where the records are; nothing else may write there.
    """

    objects: ObjectStore
    folder: str = field(default="worksets/.daylily/customers/", converter=check_folder)

    def get(self, customer_id: str) -> Customer:
        """See Customers.get."""
        if not is_id(customer_id):
            raise NotFoundError(f"there is no customer {customer_id}")
        try:
            with self.objects.open(self._record(customer_id)) as stream:
                record = stream.read().decode(errors="replace")
        except NotFoundError:
            raise NotFoundError(f"there is no customer {customer_id}") from None
        return from_record(Customer, record, customer_id)

    def add(self, customer: Customer) -> None:
        """See Customers.add."""
        record = to_record(customer).encode()
        try:
            self.objects.put(self._record(customer.customer_id), record, if_absent=True)
        except AlreadyExistsError as error:
            raise AlreadyExistsError(f"there is a customer {customer.customer_id} already") from error

    def save(self, before: Customer, after: Customer) -> None:
        """See Customers.save."""
        name, key = before.customer_id, self._record(before.customer_id)
        try:
            # The etag first: what is read is then that object, or the replacing refuses.
            etag = self.objects.info(key).etag
        except NotFoundError:
            raise NotFoundError(f"there is no customer {name}") from None
        record = to_record(after).encode()
        if self.get(name) != before or not self.objects.replace(key, record, if_etag=etag):
            raise ConcurrentUpdateError(f"{name} has been changed: read it again")

    def list(self, *, cursor: str | None = None, limit: int = 100) -> Page[Customer]:
        """See Customers.list."""
        inner = decode_cursor("customers", cursor, 1)[0] if cursor is not None else None
        page = self.objects.list(self.folder, cursor=inner, limit=check_limit(limit))
        names = (info.key.removeprefix(self.folder) for info in page.items)
        found = tuple(self.get(name) for name in names if is_id(name))
        return Page(found, None if page.cursor is None else encode_cursor("customers", page.cursor))

    def _record(self, customer_id: str) -> str:
        # With an ending of any kind, "a-b" would sort before "a".
        return f"{self.folder}{customer_id}"
