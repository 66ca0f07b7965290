"""Customers, their people and tokens, and who did what, as they go out over HTTP and as JSON."""

from typing import Self

from attrs import frozen

from daylily.application.api_tokens import ApiToken
from daylily.application.audit_trail import Entry
from daylily.domain.customers import Customer, Principal
from daylily.ports.identities import Challenge, Member, SignedIn
from daylily.ports.paging import Page


@frozen(kw_only=True)
class CustomerView:
    """A customer, as contract 4.2 has it."""

    customer_id: str
    customer_name: str
    email: str | None
    s3_bucket: str | None
    max_concurrent_worksets: int
    max_storage_gb: float
    billing_account_id: str | None
    cost_center: str | None

    @classmethod
    def of(cls, customer: Customer, bucket: str | None) -> Self:
        """Return the view of a customer, whose files are in *bucket*."""
        return cls(
            customer_id=customer.customer_id,
            customer_name=customer.name,
            email=customer.email,
            s3_bucket=bucket,
            max_concurrent_worksets=customer.max_concurrent_worksets,
            max_storage_gb=customer.max_storage_gb,
            billing_account_id=customer.billing_account_id,
            cost_center=customer.cost_center,
        )


@frozen(kw_only=True)
class TokenView:
    """A token for programs, without what opens doors."""

    token_id: str
    customer_id: str
    name: str
    scope: str
    role: str
    created_by: str
    created_at: str
    expires_at: str
    revoked_at: str | None

    @classmethod
    def of(cls, token: ApiToken) -> Self:
        """Return the view of a token."""
        return cls(
            token_id=token.token_id,
            customer_id=token.customer_id,
            name=token.name,
            scope=token.scope,
            role=token.role,
            created_by=token.created_by,
            created_at=token.created_at.isoformat(),
            expires_at=token.expires_at.isoformat(),
            revoked_at=None if token.revoked_at is None else token.revoked_at.isoformat(),
        )


@frozen(kw_only=True)
class NewTokenView:
    """A token that was just made: the only time that its text is shown."""

    token: str
    about: TokenView


@frozen(kw_only=True)
class TokenPage:
    """A page of tokens."""

    tokens: tuple[TokenView, ...]
    cursor: str | None

    @classmethod
    def of(cls, page: Page[ApiToken]) -> Self:
        """Return the view of a page."""
        return cls(tokens=tuple(map(TokenView.of, page.items)), cursor=page.cursor)


@frozen(kw_only=True)
class MemberView:
    """Somebody who may sign in for a customer."""

    name: str
    customer_id: str
    role: str
    added_at: str | None

    @classmethod
    def of(cls, member: Member) -> Self:
        """Return the view of a member."""
        return cls(
            name=member.name,
            customer_id=member.customer_id,
            role=member.role,
            added_at=None if member.added_at is None else member.added_at.isoformat(),
        )


@frozen(kw_only=True)
class NewMemberView:
    """Somebody who was just taken on."""

    member: MemberView
    password: str | None
    """To be handed over, and replaced when they first sign in; null where it is sent to them."""


@frozen(kw_only=True)
class MembersView:
    """A customer's members."""

    members: tuple[MemberView, ...]


@frozen(kw_only=True)
class EntryView:
    """One thing that somebody did, or tried to."""

    at: str
    actor: str
    action: str
    target: str
    outcome: str
    request_id: str

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Return the view of an entry."""
        return cls(
            at=entry.at.isoformat(),
            actor=entry.actor,
            action=entry.action,
            target=entry.target,
            outcome=entry.outcome,
            request_id=entry.request_id,
        )


@frozen(kw_only=True)
class AuditPage:
    """A page of the audit trail, latest first."""

    entries: tuple[EntryView, ...]
    cursor: str | None

    @classmethod
    def of(cls, page: Page[Entry]) -> Self:
        """Return the view of a page."""
        return cls(entries=tuple(map(EntryView.of, page.items)), cursor=page.cursor)


@frozen(kw_only=True)
class WhoView:
    """Who the caller is, as the service sees it."""

    name: str
    customer_id: str
    role: str
    scope: str

    @classmethod
    def of(cls, who: Principal) -> Self:
        """Return the view of a caller."""
        return cls(name=who.name, customer_id=who.customer_id, role=who.role, scope=who.scope)


@frozen(kw_only=True)
class SignInView:
    """What came of signing in: tokens, or a password to be replaced first."""

    token: str | None = None
    """To be sent as ``Authorization: Bearer``."""
    token_type: str = "Bearer"  # noqa: S105 - no secret
    expires_in: int | None = None
    refresh_token: str | None = None
    access_token: str | None = None
    """What the user pool itself wants to see, for signing out everywhere."""
    challenge: str | None = None
    """``NEW_PASSWORD_REQUIRED``: go on at ``/api/auth/new-password``."""
    name: str | None = None
    session: str | None = None

    @classmethod
    def of(cls, found: SignedIn | Challenge) -> Self:
        """Return the view of what came of it."""
        if isinstance(found, Challenge):
            return cls(challenge="NEW_PASSWORD_REQUIRED", name=found.name, session=found.session)
        return cls(
            token=found.token,
            expires_in=int(found.expires_in.total_seconds()),
            refresh_token=found.refresh_token,
            access_token=found.access_token,
        )
