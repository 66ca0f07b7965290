"""Customers: who owns worksets, and who may do what."""

from attrs import frozen


@frozen(kw_only=True)
class Customer:
    """A tenant."""

    customer_id: str
    name: str
    email: str | None = None
    max_concurrent_worksets: int = 5
    max_storage_gb: float = 1000.0


@frozen(kw_only=True)
class Principal:
    """Who is asking: taken from a verified token, never from what the caller says of itself."""

    name: str
    customer_id: str
    operator: bool = False
    """Operators see and act for every customer."""

    def sees(self, customer_id: str) -> bool:
        """Tell whether this caller may see what belongs to a customer."""
        return self.operator or self.customer_id == customer_id
