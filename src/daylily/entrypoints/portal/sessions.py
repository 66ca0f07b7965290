"""
Who is signed in to the portal. Cookies hold random ids; what somebody signed in with stays here.

It is looked at again every minute: whoever was removed, or whose token was revoked, is out soon after.
"""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, Protocol

from attrs import define, evolve, field, frozen

from daylily.domain.customers import Principal
from daylily.domain.errors import NotAllowedError, UnauthenticatedError
from daylily.entrypoints.http.errors import ForbiddenError
from daylily.ports.clock import Clock
from daylily.ports.identities import SignedIn

LASTS: Final = timedelta(hours=12)
CHECKED_EVERY: Final = timedelta(minutes=1)
"""How long a token that was revoked, or a person who was removed, may go unnoticed."""
RENEWED_EVERY: Final = timedelta(minutes=10)
"""The same where tokens are signed, and only whoever renews them tells."""
MOST_SESSIONS: Final = 1000
MOST_EACH: Final = 50
"""Of one person: whoever signs in again and again ends sessions of their own, not those of others."""


class Keeper(Protocol):
    """Whoever gave out a token: renews it, and takes it back."""

    def refresh(self, refresh_token: str) -> SignedIn:
        """See Identities.refresh."""

    def sign_out(self, signed_in: SignedIn, *, everywhere: bool = False) -> None:
        """See Identities.sign_out."""


@frozen
class Session:
    """One person signed in with one browser."""

    principal: Principal
    csrf: str = field(repr=False)
    """Goes into every form, and must come back with it."""
    expires_at: datetime | None = None
    """None where there is nothing to sign in to."""


@define(eq=False)
class _Kept:
    """A session, and what it was begun with."""

    session: Session
    held: SignedIn
    keeper: Keeper | None
    checked_at: datetime
    renewed_at: datetime
    mutex: threading.Lock = field(init=False, factory=threading.Lock, repr=False)

    def checked(self, verify: Callable[[str], Principal], now: datetime) -> None:
        """
        See whether whoever signed in still may.

        Raises:
            UnauthenticatedError: They may not, or NotAllowedError.
            UnavailableError: What is needed to tell does not answer.
        """
        # Where a pool keeps people, a token that it signed says nothing of what it did since.
        if self.held.access_token is not None and now - self.renewed_at >= RENEWED_EVERY:
            self._renew(now)
        try:
            principal = verify(self.held.token)
        except UnauthenticatedError:
            self._renew(now)
            principal = verify(self.held.token)
        self.session = evolve(self.session, principal=principal)
        self.checked_at = now

    def _renew(self, now: datetime) -> None:
        if self.keeper is None or self.held.refresh_token is None:
            raise UnauthenticatedError("sign in again")
        renewed = self.keeper.refresh(self.held.refresh_token)
        kept = renewed.refresh_token or self.held.refresh_token
        self.held, self.renewed_at = evolve(renewed, refresh_token=kept), now


@define
class Sessions:
    """
    Sessions in memory: a restart signs everybody out. Safe to share between threads.

    Args:
        clock: Tells the time.
        verify: Tells whose a token is, as the API does.
    """

    clock: Clock
    verify: Callable[[str], Principal]
    _by_digest: dict[bytes, _Kept] = field(init=False, factory=dict, repr=False)
    """In the order of signing in. Ids themselves are not kept either."""
    _mutex: threading.Lock = field(init=False, factory=threading.Lock, repr=False)

    def begin(self, principal: Principal, held: SignedIn, keeper: Keeper | None = None) -> str:
        """Sign somebody in, and return the id for their cookie."""
        session_id = secrets.token_urlsafe(32)
        now = self.clock()
        with self._mutex:
            self._make_room(principal, now)
            session = Session(principal, secrets.token_urlsafe(32), now + LASTS)
            self._by_digest[_digest(session_id)] = _Kept(session, held, keeper, now, now)
        return session_id

    def _make_room(self, principal: Principal, now: datetime) -> None:
        """Forget what is over, the oldest of somebody who has many, and of too many the oldest."""
        for digest, kept in list(self._by_digest.items()):
            if _over(kept.session, now):
                del self._by_digest[digest]
        own = [
            digest
            for digest, kept in self._by_digest.items()
            if _person(kept.session.principal) == _person(principal)
        ]
        for digest in own[: max(len(own) - MOST_EACH + 1, 0)]:
            del self._by_digest[digest]
        while len(self._by_digest) >= MOST_SESSIONS:
            del self._by_digest[next(iter(self._by_digest))]

    def find(self, session_id: str) -> Session | None:
        """
        Return the session of an id, if it is one, not over, and whoever has it still may sign in.

        Raises:
            UnavailableError: What is needed to tell does not answer.
        """
        with self._mutex:
            kept = self._by_digest.get(_digest(session_id))
        now = self.clock()
        if kept is None or _over(kept.session, now):
            return None
        with kept.mutex:
            if now - kept.checked_at >= CHECKED_EVERY:
                try:
                    kept.checked(self.verify, now)
                except (UnauthenticatedError, NotAllowedError):
                    self._forget(session_id)
                    return None
            return kept.session

    def end(self, session_id: str) -> None:
        """
        Sign somebody out, and have what they signed in with taken back.

        Raises:
            UnavailableError: Whoever is to take it back does not answer; they are signed out here.
        """
        kept = self._forget(session_id)
        if kept is not None and kept.keeper is not None:
            with suppress(UnauthenticatedError):
                kept.keeper.sign_out(kept.held)

    def _forget(self, session_id: str) -> _Kept | None:
        with self._mutex:
            return self._by_digest.pop(_digest(session_id), None)


@frozen
class LoginForms:
    """Ties the form for signing in to the browser it was made for, before there is a session."""

    _secret: bytes = field(init=False, factory=lambda: secrets.token_bytes(32), repr=False)

    def token(self, cookie: str) -> str:
        """Return what goes into the form of the browser that has *cookie*."""
        return hmac.new(self._secret, cookie.encode(), hashlib.sha256).hexdigest()

    def check(self, cookie: str, form: Mapping[str, str]) -> None:
        """
        Let through a form that belongs to the browser that sends it.

        Raises:
            ForbiddenError: It does not.
        """
        if not cookie or not hmac.compare_digest(
            form.get("csrf", "").encode(), self.token(cookie).encode()
        ):
            raise ForbiddenError("this form is out of date: reload the page and try again")


def _person(principal: Principal) -> tuple[str, str]:
    """Return who somebody is, whichever of their tokens they came with."""
    return principal.customer_id, principal.name.partition("/")[0]


def _over(session: Session, now: datetime) -> bool:
    return session.expires_at is not None and now >= session.expires_at


def _digest(session_id: str) -> bytes:
    return hashlib.sha256(session_id.encode("utf-8", "replace")).digest()
