"""Signing in and out."""

import secrets
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from attrs import frozen
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromQuery, RawBody, SkipValidation
from litestar.response import Redirect
from litestar.types import Guard

from daylily.domain.errors import UnauthenticatedError
from daylily.entrypoints.http.auth import Authenticator, check_scope
from daylily.entrypoints.http.security import Connection
from daylily.entrypoints.portal.context import shown
from daylily.entrypoints.portal.forms import check_csrf, form_of
from daylily.entrypoints.portal.sessions import LASTS, LoginForms, Session, Sessions
from daylily.entrypoints.tries import Tries

COOKIE: Final = "daylily_session"
FORM_COOKIE: Final = "daylily_form"
HOME: Final = "/portal"


@frozen
class Desk:
    """Where people sign in: who they may be, and who is here."""

    authenticator: Authenticator
    sessions: Sessions
    tries: Tries
    forms: LoginForms
    everybody: Session | None
    """Whose pages these are where authentication is off; None where it is on."""

    def session(self, connection: Connection) -> Session | None:
        """Return the session of whoever asks."""
        if self.everybody is not None:
            return self.everybody
        return self.sessions.find(connection.cookies.get(COOKIE, ""))


AtDesk: TypeAlias = NamedDependency[SkipValidation[Desk]]


def behind(desk: Desk) -> Guard:
    """Return a guard that lets in whoever is signed in."""

    def guard(connection: Connection, _: BaseRouteHandler) -> None:
        session = desk.session(connection)
        if session is None:
            raise UnauthenticatedError("sign in first")
        check_scope(session.principal, connection.scope)
        connection.scope["user"], connection.scope["auth"] = session.principal, session

    return guard


@get("/login", sync_to_thread=True)
def login_page(
    request: Request[Any, Any, Any],
    desk: AtDesk,
    after: FromQuery[str | None] = None,
) -> Response[Any]:
    """Show the form for signing in."""
    if desk.session(request) is not None:
        return Redirect(HOME, status_code=303)
    return _form(request, desk, after=_own_address(after))


@post("/login", status_code=200, sync_to_thread=True)
def login(request: Request[Any, Any, Any], body: RawBody, desk: AtDesk) -> Response[Any]:
    """Sign in with a token."""
    if desk.everybody is not None:
        return Redirect(HOME, status_code=303)
    form = form_of(request, body)
    desk.forms.check(request.cookies.get(FORM_COOKIE, ""), form)
    address = request.client.host if request.client else ""
    desk.tries.check(address)
    after = _own_address(form.get("after"))
    try:
        token = form.get("token", "").strip()
        principal = desk.authenticator({"authorization": f"Bearer {token}"})
    except UnauthenticatedError:
        desk.tries.failed(address)
        return _form(request, desk, after=after, failed=True)
    # A new id each time: whatever a browser held before was nobody's.
    session_id = desk.sessions.begin(principal)
    answer = Redirect(after, status_code=303)
    answer.set_cookie(_cookie(request, COOKIE, session_id, int(LASTS.total_seconds())))
    answer.set_cookie(_cookie(request, FORM_COOKIE, "", 0))
    return answer


@post("/logout", status_code=200, sync_to_thread=True)
def logout(request: Request[Any, Session, Any], body: RawBody, desk: AtDesk) -> Response[Any]:
    """Sign out."""
    check_csrf(request, form_of(request, body))
    desk.sessions.end(request.cookies.get(COOKIE, ""))
    answer = Redirect(f"{HOME}/login", status_code=303)
    answer.set_cookie(_cookie(request, COOKIE, "", 0))
    return answer


def to_login(request: Request[Any, Any, Any]) -> Response[Any]:
    """Send somebody to the form, and back to where they wanted to go afterwards."""
    path, query = request.url.path, request.url.query
    wanted = f"{path}?{query}" if query else path
    address = f"{HOME}/login"
    if request.method == "GET" and wanted != HOME:
        address = f"{address}?after={quote(wanted, safe='')}"
    return Redirect(address, status_code=303)


def _form(
    request: Request[Any, Any, Any], desk: Desk, *, after: str, failed: bool = False
) -> Response[Any]:
    cookie = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(32)
    answer = shown(
        request,
        "login.html",
        status_code=401 if failed else 200,
        failed=failed,
        after=after,
        csrf=desk.forms.token(cookie),
    )
    answer.set_cookie(_cookie(request, FORM_COOKIE, cookie, 3600))
    return answer


def _own_address(address: str | None) -> str:
    """Return an address within the portal; anything else may lead anywhere."""
    own = address is not None and (address == HOME or address.startswith((f"{HOME}/", f"{HOME}?")))
    plain = own and address is not None and address.isascii() and address.isprintable()
    return address if plain and address is not None and "\\" not in address else HOME


def _cookie(request: Request[Any, Any, Any], name: str, value: str, max_age: int) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        max_age=max_age,
        path=HOME,
        httponly=True,
        samesite="strict",
        # Browsers drop secure cookies that come over plain HTTP, which is what loopback speaks.
        secure=request.scope["scheme"] == "https",
    )
