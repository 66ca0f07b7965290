"""Who did what, and what came of it."""

import json
from datetime import datetime
from typing import Final

from attrs import frozen

from daylily.domain.customers import Principal
from daylily.domain.errors import NotAllowedError, NotFoundError
from daylily.ports.clock import Chance, Clock
from daylily.ports.customers import Customers
from daylily.ports.documents import Document, DocumentStore, is_name
from daylily.ports.paging import Page

KIND: Final = "audit"
NOBODYS: Final = "0"
"""The partition of what concerns no customer; no customer has an id that short."""


@frozen(kw_only=True)
class Entry:
    """One thing that somebody did, or tried to."""

    at: datetime
    actor: str
    action: str
    """The name of the operation: ``submitWorkset``."""
    target: str
    outcome: str
    """What came of it: ``201``, ``403 not-allowed``."""
    request_id: str


@frozen(kw_only=True)
class AuditTrail:
    """
    The trail of each customer. Entries are only ever added: nothing here changes or removes one.

    What it holds are names, ids and outcomes; never what was sent.
    """

    documents: DocumentStore
    customers: Customers
    clock: Clock
    chance: Chance

    def record(
        self,
        customer_id: str | None,
        *,
        actor: str,
        action: str,
        target: str,
        outcome: str,
        request_id: str,
    ) -> Entry:
        """
        Add an entry.

        Args:
            customer_id: Whose trail it goes to; None: whatever concerns no customer.

        Raises:
            UnavailableError: It could not be stored.
        """
        entry = Entry(
            at=self.clock(),
            actor=actor[:200],
            action=action,
            target=target[:500],
            outcome=outcome,
            request_id=request_id,
        )
        partition = customer_id if customer_id is not None and is_name(customer_id) else NOBODYS
        body = {
            "actor": entry.actor,
            "action": action,
            "target": entry.target,
            "outcome": outcome,
            "request_id": request_id,
        }
        stamp = f"{entry.at:%Y-%m-%dT%H:%M:%S.%fZ}"
        # In the order of time, and no two alike.
        key = f"{stamp}-{self.chance.token()}"
        self.documents.add(Document(kind=KIND, partition=partition, key=key, body=json.dumps(body)))
        return entry

    def list(
        self,
        who: Principal,
        customer_id: str | None,
        *,
        about: str | None = None,
        since: datetime | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[Entry]:
        """
        Return entries, latest first.

        Args:
            customer_id: None: what concerns no customer, which operators may read.
            about: A part of the target's path, such as a workset's id; a page then looks at *limit*
                entries and may have fewer, even none, though more pages follow.
            since: No page follows one that goes back beyond that.

        Raises:
            NotFoundError: There is no such customer for the caller.
            NotAllowedError: The caller does not manage it.
        """
        if customer_id is not None:
            if not who.sees(customer_id):
                raise NotFoundError(f"there is no customer {customer_id}")
            self.customers.get(customer_id)
        if not (who.operator if customer_id is None else who.manages(customer_id)):
            raise NotAllowedError("only admins of the customer, and operators, read its audit trail")
        page = self.documents.list(
            KIND, customer_id or NOBODYS, after=cursor, limit=limit, newest_first=True
        )
        found = map(_entry, page.items)
        told = tuple(each for each in found if about is None or about in each.target.split("/"))
        enough = since is not None and bool(page.items) and _entry(page.items[-1]).at < since
        return Page(told, None if enough else page.cursor)


def _entry(document: Document) -> Entry:
    body: dict[str, str] = json.loads(document.body)
    at = datetime.fromisoformat(document.key.partition("Z")[0] + "+00:00")
    return Entry(at=at, **{name: body[name] for name in _TEXTS})


_TEXTS: Final = ("actor", "action", "target", "outcome", "request_id")
