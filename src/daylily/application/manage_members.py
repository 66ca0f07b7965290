"""Who may sign in for a customer."""

from attrs import frozen

from daylily.application.api_tokens import ApiTokens
from daylily.domain.customers import Principal, Role
from daylily.domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from daylily.ports.customers import Customers
from daylily.ports.identities import Identities, Member


@frozen(kw_only=True)
class ManageMembers:
    """Take members on, list them, and let them go: what admins of a customer, and operators, do."""

    identities: Identities
    customers: Customers
    tokens: ApiTokens

    def list(self, who: Principal, customer_id: str) -> tuple[Member, ...]:
        """
        Return a customer's members, by name.

        Raises:
            NotFoundError: There is no such customer for the caller.
            NotAllowedError: The caller does not manage it.
        """
        self._admit(who, customer_id)
        return self.identities.members(customer_id)

    def add(self, who: Principal, member: Member) -> str | None:
        """
        Take somebody on; return the password that was made for them, if it is not sent to them.

        Raises:
            NotFoundError: There is no such customer for the caller.
            NotAllowedError: The caller does not manage it, or makes more of somebody than they are.
            AlreadyExistsError: There is somebody of that name.
            InvalidInputError: The name is not fit.
        """
        self._admit(who, member.customer_id)
        if member.role is Role.OPERATOR and not who.operator:
            raise NotAllowedError("only operators make operators")
        return self.identities.add(member)

    def remove(self, who: Principal, customer_id: str, name: str) -> None:
        """
        Let somebody go, and revoke the tokens that they have made.

        Raises:
            NotFoundError: There is no such customer for the caller, or no such member of it.
            NotAllowedError: The caller does not manage it.
            InvalidInputError: That is the caller, or whoever made the token that the caller has.
        """
        self._admit(who, customer_id)
        if name.lower() == who.person.lower():
            raise InvalidInputError.of("name", "is yours: have somebody else remove you")
        self.identities.remove(customer_id, name)
        self.tokens.revoke_all(customer_id, name.lower())

    def _admit(self, who: Principal, customer_id: str) -> None:
        if not who.sees(customer_id):
            raise NotFoundError(f"there is no customer {customer_id}")
        self.customers.get(customer_id)
        if not who.manages(customer_id):
            raise NotAllowedError("only admins of the customer, and operators, see to its members")
