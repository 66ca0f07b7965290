"""Tokens for programs: shown once, stored as a digest, reaching no further than they must."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import evolve, field, frozen

from daylily.domain.customers import Principal, Role, Scope, maker_of
from daylily.domain.errors import (
    Fault,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    UnauthenticatedError,
)
from daylily.ports.clock import Chance, Clock
from daylily.ports.customers import Customers
from daylily.ports.documents import Document, DocumentStore, is_name
from daylily.ports.paging import Page

KIND: Final = "api-token"
PREFIX: Final = "dly."
LONGEST: Final = timedelta(days=366)
_SHOWN_AFTER: Final = timedelta(days=30)
"""How long a token that has run out is still listed, so that people see why a program fails."""
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,60}")


@frozen(kw_only=True)
class ApiToken:
    """A token as people see it: all but what opens doors."""

    token_id: str
    customer_id: str
    name: str
    scope: Scope
    role: Role
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    digest: str = field(repr=False)

    def good(self, at: datetime) -> bool:
        """Tell whether it still opens doors."""
        return self.revoked_at is None and at < self.expires_at


def faults_of_token(name: str, lasts: timedelta) -> Iterator[Fault]:
    """Yield what is wrong with what somebody wants of a new token."""
    if not _NAME.fullmatch(name) or not name.strip():
        yield Fault("name", "must be 1 to 60 printable characters")
    if not timedelta() < lasts <= LONGEST:
        yield Fault("expires_in_days", f"must be from 1 to {LONGEST.days}")


@frozen(kw_only=True)
class ApiTokens:
    """
    Create, list, revoke and verify tokens.

    A token acts for one customer, in the role of whoever made it, and in its scope; one that an
    operator makes for somebody else's customer acts as an admin of that customer. It names its
    customer, so that it can be looked up without a search, and its secret is 256 bits of chance.
    """

    documents: DocumentStore
    customers: Customers
    clock: Clock
    chance: Chance
    secret: Callable[[], str]
    """Returns a text that nobody can guess, of letters, digits, ``-`` and ``_``."""

    def create(
        self, who: Principal, customer_id: str, *, name: str, scope: Scope, lasts: timedelta
    ) -> tuple[ApiToken, str]:
        """
        Make a token, and return it with its text, which nobody can be told again.

        Raises:
            NotFoundError: There is no such customer for the caller.
            NotAllowedError: The scope reaches further than the caller.
            InvalidInputError: The name or the time is not fit.
        """
        self._admit(who, customer_id)
        if not who.scope.covers(Scope.ADMIN):
            # What it made would outlive it.
            raise NotAllowedError(f"a token of the scope {who.scope} makes no other tokens")
        if scope is Scope.ADMIN and not who.manages(customer_id):
            raise NotAllowedError(f"you may not make a token of the scope {scope}")
        if faults := [*faults_of_token(name, lasts)]:
            raise InvalidInputError(faults)
        at, secret = self.clock(), self.secret()
        token = ApiToken(
            token_id=self.chance.token(),
            customer_id=customer_id,
            name=name,
            scope=scope,
            role=who.role if who.customer_id == customer_id else Role.ADMIN,
            created_by=who.name,
            created_at=at,
            expires_at=at + lasts,
            digest=_digest(secret),
        )
        self.documents.add(_document(token))
        return token, f"{PREFIX}{customer_id}.{token.token_id}.{secret}"

    def list(
        self, who: Principal, customer_id: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[ApiToken]:
        """
        Return a customer's tokens; those who do not manage it see their own alone.

        Raises:
            NotFoundError: There is no such customer for the caller.
        """
        self._admit(who, customer_id)
        page = self.documents.list(KIND, customer_id, after=cursor, limit=limit)
        found = (_token(document) for document in page.items)
        seen = tuple(each for each in found if self._concerns(who, each))
        return Page(seen, page.cursor)

    def revoke(self, who: Principal, customer_id: str, token_id: str) -> ApiToken:
        """
        Have a token open no door any more, at once; doing it again changes nothing.

        Raises:
            NotFoundError: There is no such token for the caller.
            ConcurrentUpdateError: Somebody else is at it.
        """
        self._admit(who, customer_id)
        document = self.documents.get(KIND, customer_id, token_id)
        token = _token(document)
        if not self._concerns(who, token):
            raise NotFoundError(f"there is no document {KIND} {token_id[:80]}")
        if token.revoked_at is not None:
            return token
        revoked = evolve(token, revoked_at=self.clock())
        self.documents.replace(evolve(_document(revoked), version=document.version))
        return revoked

    def revoke_all(self, customer_id: str, created_by: str) -> int:
        """
        Revoke all tokens that somebody has made, also by way of others of theirs; return how many.
        """
        manager = Principal(name=created_by, customer_id=customer_id, admin=True)
        maker = created_by.lower()  # as an issuer writes the name, which is the same in any case
        count, cursor = 0, None
        while True:
            page = self.list(manager, customer_id, cursor=cursor)
            for token in page.items:
                if maker_of(token.created_by).lower() == maker and token.revoked_at is None:
                    self.revoke(manager, customer_id, token.token_id)
                    count += 1
            cursor = page.cursor
            if cursor is None:
                return count

    def knows(self, token: str) -> bool:
        """See TokenVerifier.knows."""
        return token.startswith(PREFIX)

    def verify(self, token: str) -> Principal:
        """See TokenVerifier.verify."""
        parts = token.removeprefix(PREFIX).split(".")
        unknown = UnauthenticatedError("the token is not valid")
        if len(parts) != 3 or not all(map(is_name, parts[:2])):
            raise unknown
        customer_id, token_id, secret = parts
        try:
            found = _token(self.documents.get(KIND, customer_id, token_id))
        except NotFoundError:
            raise unknown from None
        sound = hmac.compare_digest(found.digest, _digest(secret))
        if not sound or not found.good(self.clock()):
            raise unknown
        name = f"{found.created_by}/{found.name}"
        return Principal.of(name, customer_id, found.role, found.scope)

    def _admit(self, who: Principal, customer_id: str) -> None:
        if not who.sees(customer_id):
            raise NotFoundError(f"there is no customer {customer_id}")
        self.customers.get(customer_id)

    def _concerns(self, who: Principal, token: ApiToken) -> bool:
        # A token that somebody made acts as them, and sees what they see.
        return who.manages(token.customer_id) or maker_of(token.created_by) == who.person


def _digest(secret: str) -> str:
    # A plain hash is enough for 256 bits of chance: there is nothing to guess from a dictionary.
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _document(token: ApiToken) -> Document:
    body = {
        "name": token.name,
        "scope": token.scope.value,
        "role": token.role.value,
        "created_by": token.created_by,
        "created_at": token.created_at.isoformat(),
        "expires_at": token.expires_at.isoformat(),
        "revoked_at": None if token.revoked_at is None else token.revoked_at.isoformat(),
        "digest": token.digest,
    }
    return Document(
        kind=KIND,
        partition=token.customer_id,
        key=token.token_id,
        body=json.dumps(body),
        expires_at=token.expires_at + _SHOWN_AFTER,
    )


def _token(document: Document) -> ApiToken:
    body: dict[str, Any] = json.loads(document.body)
    revoked_at = body["revoked_at"]
    return ApiToken(
        token_id=document.key,
        customer_id=document.partition,
        name=body["name"],
        scope=Scope(body["scope"]),
        role=Role(body["role"]),
        created_by=body["created_by"],
        created_at=datetime.fromisoformat(body["created_at"]),
        expires_at=datetime.fromisoformat(body["expires_at"]),
        revoked_at=None if revoked_at is None else datetime.fromisoformat(revoked_at),
        digest=body["digest"],
    )
