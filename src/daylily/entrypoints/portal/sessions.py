"""Who is signed in to the portal. Cookies hold random ids; tokens are looked at once and forgotten."""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field, frozen

from daylily.domain.customers import Principal
from daylily.entrypoints.http.errors import ForbiddenError
from daylily.ports.clock import Clock

LASTS: Final = timedelta(hours=12)
MOST_SESSIONS: Final = 1000


@frozen
class Session:
    """One person signed in with one browser."""

    principal: Principal
    csrf: str = field(repr=False)
    """Goes into every form, and must come back with it."""
    expires_at: datetime | None = None
    """None where there is nothing to sign in to."""


@define
class Sessions:
    """Sessions in memory: a restart signs everybody out. Safe to share between threads."""

    clock: Clock
    _by_digest: dict[bytes, Session] = field(init=False, factory=dict, repr=False)
    """In the order of signing in. Ids themselves are not kept either."""
    _mutex: threading.Lock = field(init=False, factory=threading.Lock, repr=False)

    def begin(self, principal: Principal) -> str:
        """Sign somebody in, and return the id for their cookie."""
        session_id = secrets.token_urlsafe(32)
        now = self.clock()
        with self._mutex:
            for digest, session in list(self._by_digest.items()):
                if _over(session, now) or len(self._by_digest) >= MOST_SESSIONS:
                    del self._by_digest[digest]
            self._by_digest[_digest(session_id)] = Session(
                principal, secrets.token_urlsafe(32), now + LASTS
            )
        return session_id

    def find(self, session_id: str) -> Session | None:
        """Return the session of an id, if it is one and not over."""
        with self._mutex:
            session = self._by_digest.get(_digest(session_id))
        return None if session is None or _over(session, self.clock()) else session

    def end(self, session_id: str) -> None:
        """Sign somebody out."""
        with self._mutex:
            self._by_digest.pop(_digest(session_id), None)


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


def _over(session: Session, now: datetime) -> bool:
    return session.expires_at is not None and now >= session.expires_at


def _digest(session_id: str) -> bytes:
    return hashlib.sha256(session_id.encode("utf-8", "replace")).digest()
