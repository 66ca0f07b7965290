"""Customers: who owns worksets, and who may do what."""

from enum import StrEnum
from typing import Final

from attrs import frozen


@frozen(kw_only=True)
class Customer:
    """A tenant."""

    customer_id: str
    name: str
    email: str | None = None
    max_concurrent_worksets: int = 5
    max_storage_gb: float = 1000.0
    billing_account_id: str | None = None
    cost_center: str | None = None


class Scope(StrEnum):
    """How far a token reaches; each includes those before it."""

    READ = "read"
    SUBMIT = "submit"
    ADMIN = "admin"

    def covers(self, other: "Scope") -> bool:
        """Tell whether whoever has this one has *other* too."""
        return _REACH[other] <= _REACH[self]


_REACH: Final = {scope: number for number, scope in enumerate(Scope)}


class Role(StrEnum):
    """What people are to a customer, or to the installation."""

    USER = "user"
    """Submits, watches, cancels and retries worksets of the customer."""
    ADMIN = "admin"
    """Sees to the customer's members and tokens as well, and reads its audit trail."""
    OPERATOR = "operator"
    """Sees and acts for every customer."""


@frozen(kw_only=True)
class Principal:
    """Who is asking: taken from a verified token, never from what the caller says of itself."""

    name: str
    customer_id: str
    operator: bool = False
    """Operators see and act for every customer."""
    admin: bool = False
    """Admins see to members and tokens of their customer."""
    scope: Scope = Scope.ADMIN
    """How far the token reaches that they came with: never further than they do themselves."""

    @classmethod
    def of(cls, name: str, customer_id: str, role: Role, scope: Scope = Scope.ADMIN) -> "Principal":
        """Return somebody who has a role."""
        return cls(
            name=name,
            customer_id=customer_id,
            operator=role is Role.OPERATOR,
            admin=role is Role.ADMIN,
            scope=scope,
        )

    @property
    def role(self) -> Role:
        """What they are."""
        if self.operator:
            return Role.OPERATOR
        return Role.ADMIN if self.admin else Role.USER

    @property
    def person(self) -> str:
        """Whose doing it is: a token goes by the name of its maker, a slash, and its own."""
        return maker_of(self.name)

    def sees(self, customer_id: str) -> bool:
        """Tell whether this caller may see what belongs to a customer."""
        return self.operator or self.customer_id == customer_id

    def manages(self, customer_id: str) -> bool:
        """Tell whether this caller sees to members and tokens of a customer."""
        admin = self.operator or (self.admin and self.customer_id == customer_id)
        return admin and self.scope.covers(Scope.ADMIN)


def maker_of(name: str) -> str:
    """
    Return who is behind a name by which somebody asks.

    >>> maker_of("ada@acme.example/sequencer 7"), maker_of("ada@acme.example")
    ('ada@acme.example', 'ada@acme.example')
    """
    return name.partition("/")[0]
