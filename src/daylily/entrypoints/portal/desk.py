"""The desk at which people sign in: who they may be, who is here, and what their browsers keep."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeAlias, TypeVar

from anyio import to_thread
from attrs import define, field, frozen
from litestar import Request
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import SkipValidation
from litestar.types import Guard

from daylily.bootstrap import App
from daylily.domain.customers import Principal
from daylily.domain.errors import UnauthenticatedError, UnavailableError
from daylily.entrypoints.http.accounts import Gate
from daylily.entrypoints.http.auth import NEEDS, check_scope
from daylily.entrypoints.http.security import Connection, request_id
from daylily.entrypoints.portal.bells import ListBells
from daylily.entrypoints.portal.sessions import Keeper, LoginForms, Session, Sessions
from daylily.ports.clock import Clock
from daylily.ports.identities import Challenge, SignedIn

T = TypeVar("T")

HOME: Final = "/portal"
FORM_COOKIE: Final = "daylily_form"
PATIENCE: Final = timedelta(minutes=15)
"""How long somebody may take between two steps of signing in."""
MOST_PENDING: Final = 1000
_SESSION: Final = "daylily_session"


@define
class Pending(Generic[T]):
    """What is between two steps of signing in, by a secret that a browser or a form brings back."""

    clock: Clock
    _kept: dict[str, tuple[datetime, T]] = field(init=False, factory=dict, repr=False)

    def put(self, key: str, what: T) -> None:
        """Keep something for a while; of too many the oldest go."""
        now = self.clock()
        for each, (until, _) in list(self._kept.items()):
            if now >= until or len(self._kept) >= MOST_PENDING:
                self._kept.pop(each, None)
        self._kept[key] = (now + PATIENCE, what)

    def take(self, key: str) -> T | None:
        """Return what was kept, once."""
        until, what = self._kept.pop(key, (None, None))
        return what if until is not None and self.clock() < until else None


@frozen(kw_only=True)
class Journey:
    """What somebody was about who went to another page to say who they are."""

    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    back_to: str
    after: str


@frozen(kw_only=True)
class Desk:
    """Where people sign in."""

    app: App
    verify: Callable[[str], Principal]
    """Tells whose a token is, as the API does."""
    sessions: Sessions
    gate: Gate
    forms: LoginForms
    challenges: Pending[Challenge]
    journeys: Pending[Journey]
    bells: ListBells
    everybody: Session | None
    """Whose pages these are where authentication is off; None where it is on."""

    def session(self, connection: Connection) -> Session | None:
        """
        Return the session of whoever asks.

        Raises:
            UnavailableError: Whether they still may sign in cannot be told.
        """
        if self.everybody is not None:
            return self.everybody
        return self.sessions.find(connection.cookies.get(session_cookie(connection), ""))

    def begin(
        self, request: Request[Any, Any, Any], held: SignedIn, keeper: Keeper | None = None
    ) -> str:
        """
        Begin a session, whose page the answer is from here on; return the id for its cookie.

        Raises:
            UnauthenticatedError: The token is nobody's after all.
            NotAllowedError: It names nobody whom we could let in.
        """
        principal = self.verify(held.token)
        # A new id each time, and the old session is over: whatever a browser held before was nobody's.
        with suppress(UnavailableError):
            self.sessions.end(request.cookies.get(session_cookie(request), ""))
        session_id = self.sessions.begin(principal, held, keeper)
        request.scope["auth"] = self.sessions.find(session_id)
        self.app.audit.record(
            principal.customer_id,
            actor=principal.name,
            action="signIn",
            target=request.scope["path"],
            outcome="200",
            request_id=request_id(request.scope),
        )
        return session_id


AtDesk: TypeAlias = NamedDependency[SkipValidation[Desk]]


def behind(desk: Desk) -> Guard:
    """Return a guard that lets in whoever is signed in."""

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        session = desk.everybody or await to_thread.run_sync(desk.session, connection)
        if session is None:
            if isinstance(connection, Request):
                await _remember(connection, desk)
            raise UnauthenticatedError("sign in first")
        check_scope(session.principal, connection.scope, handler.opt.get(NEEDS))
        connection.scope["user"], connection.scope["auth"] = session.principal, session

    return guard


LARGEST_KEPT: Final = 64 * 1024
"""Bytes of a form that is handed back to whoever has to sign in first."""


@frozen
class Unsent:
    """A form of somebody who is not signed in any more."""

    desk: Desk
    form: str


async def _remember(request: Request[Any, Any, Any], desk: Desk) -> None:
    """Read a form that cannot be taken now, so that it can be sent again once they are signed in."""
    length = request.headers.get("content-length", "")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    form = ""
    if request.method != "POST":
        return
    small = length.isascii() and length.isdigit() and int(length) <= LARGEST_KEPT
    if small and kind == "application/x-www-form-urlencoded":
        form = (await request.body()).decode("utf-8", "replace")
    request.scope["unsent"] = Unsent(desk, form)  # type: ignore[typeddict-unknown-key]


def session_cookie(connection: Connection) -> str:
    """Return what the cookie of a session is called: over TLS so that no other host can set it."""
    return f"__Host-{_SESSION}" if connection.scope["scheme"] == "https" else _SESSION


def kept_by(connection: Connection, name: str, value: str, age: timedelta, **more: Any) -> Cookie:
    """Return a cookie that only we read, and only from our own pages."""
    secure = connection.scope["scheme"] == "https"
    return Cookie(
        key=name,
        value=value,
        max_age=int(age.total_seconds()),
        path="/" if name.startswith("__Host-") else HOME,
        httponly=True,
        # Browsers drop secure cookies that come over plain HTTP, which is what loopback speaks.
        secure=secure,
        **{"samesite": "strict", **more},
    )


def own_address(address: str | None) -> str:
    """Return an address within the portal; anything else may lead anywhere."""
    own = address is not None and (address == HOME or address.startswith((f"{HOME}/", f"{HOME}?")))
    plain = own and address is not None and address.isascii() and address.isprintable()
    return address if plain and address is not None and "\\" not in address else HOME
