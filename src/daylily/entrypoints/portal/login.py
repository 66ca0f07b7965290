"""Signing in and out: by name and password, by a token, or at a provider's own page."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from attrs import frozen
from litestar import Request, Response, get, post
from litestar.params import FromQuery, RawBody
from litestar.response import Redirect

from daylily.domain.customers import Scope
from daylily.domain.errors import (
    InvalidInputError,
    NotAllowedError,
    UnauthenticatedError,
    UnavailableError,
)
from daylily.entrypoints.http.audit import UNHEARD
from daylily.entrypoints.http.auth import NEEDS
from daylily.entrypoints.portal.context import shown
from daylily.entrypoints.portal.desk import (
    FORM_COOKIE,
    HOME,
    PATIENCE,
    AtDesk,
    Desk,
    Unsent,
    kept_by,
    own_address,
    session_cookie,
)
from daylily.entrypoints.portal.forms import CSRF, check_csrf, form_of
from daylily.entrypoints.portal.sessions import LASTS, Keeper, Session
from daylily.ports.identities import Challenge, SignedIn

LOGIN: Final = f"{HOME}/login"
_STRANGE: Final = "That token is not valid. Copy it again, all of it and nothing more."
_WRONG: Final = "The name or the password is wrong."
_NOT_THE_SAME: Final = "The two are not the same."
_NO_CODES: Final = (
    "No codes are sent here: ask whoever runs the service for a new password"
    " (daylily auth set-password)."
)
_LATE: Final = "That took too long. Sign in again, with the password that you were given."


@frozen(kw_only=True)
class Wanted:
    """What somebody was about when they were asked to sign in."""

    after: str = HOME
    """Where they go on to; always a page of ours."""
    unsent: str = ""
    """The form that they had filled in, as it was sent."""

    @classmethod
    def of(cls, form: Mapping[str, str]) -> "Wanted":
        """Return what a form for signing in says."""
        return cls(after=own_address(form.get("after")), unsent=form.get("unsent", ""))


@get("/login", sync_to_thread=True)
def login_page(
    request: Request[Any, Any, Any],
    desk: AtDesk,
    after: FromQuery[str | None] = None,
    out: FromQuery[str | None] = None,
) -> Response[Any]:
    """Show the forms for signing in."""
    if desk.session(request) is not None:
        return Redirect(own_address(after), status_code=303)
    return sign_in_form(request, desk, Wanted(after=own_address(after)), signed_out=out or "")


@post("/login", status_code=200, sync_to_thread=True, opt={UNHEARD: False})
def login(request: Request[Any, Any, Any], body: RawBody, desk: AtDesk) -> Response[Any]:
    """Sign in by name and password, or with a token."""
    if desk.everybody is not None:
        return Redirect(HOME, status_code=303)
    form = form_of(request, body)
    desk.forms.check(request.cookies.get(FORM_COOKIE, ""), form)
    wanted = Wanted.of(form)
    if "name" not in form:
        token = SignedIn(token=form.get("token", "").strip(), expires_in=timedelta())
        try:
            return desk.gate.passing(request, lambda: welcome(request, desk, token, wanted))
        except UnauthenticatedError:
            return sign_in_form(request, desk, wanted, token_fault=_STRANGE)
    name, password = form["name"].strip(), form.get("password", "")
    try:
        found = desk.gate.passing(request, lambda: desk.app.world.identities.sign_in(name, password))
    except UnauthenticatedError:
        return sign_in_form(request, desk, wanted, name=name, password_fault=_WRONG)
    if isinstance(found, Challenge):
        return _ask_for_password(request, desk, found, wanted)
    return welcome(request, desk, found, wanted, desk.app.world.identities)


@post("/login/new-password", status_code=200, sync_to_thread=True, opt={UNHEARD: False})
def new_password(request: Request[Any, Any, Any], body: RawBody, desk: AtDesk) -> Response[Any]:
    """Replace the password that signing in has asked to be replaced, and sign in."""
    form = form_of(request, body)
    desk.forms.check(request.cookies.get(FORM_COOKIE, ""), form)
    wanted, password = Wanted.of(form), form.get("new_password", "")
    challenge = desk.challenges.take(form.get("step", ""))
    if challenge is None:
        return sign_in_form(request, desk, wanted, password_fault=_LATE)
    if password != form.get("again", ""):
        return _ask_for_password(request, desk, challenge, wanted, again_fault=_NOT_THE_SAME)
    identities = desk.app.world.identities
    try:
        found = desk.gate.passing(request, lambda: identities.answer(challenge, password))
    except InvalidInputError as error:
        return _ask_for_password(request, desk, challenge, wanted, fault=_said(error))
    except UnauthenticatedError:
        return sign_in_form(request, desk, wanted, password_fault=_LATE)
    return welcome(request, desk, found, wanted, identities)


@get("/login/forgot", sync_to_thread=True)
def forgot_page(request: Request[Any, Any, Any], desk: AtDesk) -> Response[Any]:
    """Ask for the name of somebody who forgot their password."""
    return _outside(request, desk, "forgot.html", name="", fault="")


@post("/login/forgot", status_code=200, sync_to_thread=True, opt={UNHEARD: False})
def forgot(request: Request[Any, Any, Any], body: RawBody, desk: AtDesk) -> Response[Any]:
    """Have a code sent, if there is somebody of that name; the page does not tell."""
    form = form_of(request, body)
    desk.forms.check(request.cookies.get(FORM_COOKIE, ""), form)
    name = form.get("name", "").strip()
    if not name:
        return _outside(request, desk, "forgot.html", 422, name="", fault="Give your name.")
    try:
        desk.app.world.identities.forgot(name)
    except NotAllowedError:
        return _outside(request, desk, "forgot.html", 403, name=name, fault=_NO_CODES)
    return _outside(request, desk, "reset.html", name=name, faults={})


@post("/login/reset", status_code=200, sync_to_thread=True, opt={UNHEARD: False})
def reset(request: Request[Any, Any, Any], body: RawBody, desk: AtDesk) -> Response[Any]:
    """Replace a forgotten password, by the code that was sent."""
    form = form_of(request, body)
    desk.forms.check(request.cookies.get(FORM_COOKIE, ""), form)
    name, code = form.get("name", "").strip(), form.get("code", "").strip()
    password, status, faults = form.get("new_password", ""), 422, {}
    if password != form.get("again", ""):
        faults = {"again": _NOT_THE_SAME}
    else:
        try:
            desk.gate.passing(request, lambda: desk.app.world.identities.reset(name, code, password))
        except UnauthenticatedError:
            status, faults = 401, {"code": "The code is wrong, or too old."}
        except InvalidInputError as error:
            faults = {"new_password": _said(error)}
        except NotAllowedError:
            status, faults = 403, {"code": _NO_CODES}
    if faults:
        return _outside(request, desk, "reset.html", status, name=name, faults=faults)
    return sign_in_form(request, desk, Wanted(), name=name, renewed=True)


@post("/logout", status_code=200, sync_to_thread=True, opt={NEEDS: Scope.READ})
def logout(request: Request[Any, Session, Any], body: RawBody, desk: AtDesk) -> Response[Any]:
    """Sign out: the session ends here, and what it was begun with is taken back where it came from."""
    check_csrf(request, form_of(request, body))
    name, how = session_cookie(request), "yes"
    try:
        desk.sessions.end(request.cookies.get(name, ""))
    except UnavailableError:
        how = "here"
    answer = Redirect(f"{LOGIN}?out={how}", status_code=303)
    answer.set_cookie(kept_by(request, name, "", timedelta()))
    return answer


def to_login(request: Request[Any, Any, Any]) -> Response[Any]:
    """
    Send somebody to the form, and back to where they wanted to go afterwards.

    Who had filled in a form gets it back once they have signed in: nothing is lost.
    """
    unsent: Unsent | None = request.scope.get("unsent")  # type: ignore[assignment]
    if unsent is not None:
        wanted = Wanted(after=own_address(request.url.path), unsent=unsent.form)
        return sign_in_form(request, unsent.desk, wanted, status_code=401, nothing_done=True)
    path, query = request.url.path, request.url.query
    wanted_page = f"{path}?{query}" if query else path
    address = LOGIN
    if wanted_page != HOME:
        address = f"{address}?after={quote(wanted_page, safe='')}"
    return Redirect(address, status_code=303)


def sign_in_form(
    request: Request[Any, Any, Any],
    desk: Desk,
    wanted: Wanted,
    *,
    status_code: int | None = None,
    **told: Any,
) -> Response[Any]:
    """Return the page with the forms for signing in, and what is to be told on it."""
    known: dict[str, Any] = {
        "name": "", "password_fault": "", "token_fault": "", "other_fault": "",
        "signed_out": "", "nothing_done": False, "renewed": False, **told,
    }  # fmt: skip
    failed = any(value for key, value in known.items() if key.endswith("_fault"))
    return _outside(
        request,
        desk,
        "login.html",
        status_code or (401 if failed else 200),
        wanted=wanted,
        provider=desk.app.world.provider,
        token_first=not desk.app.settings.has_issuer,
        **known,
    )


def welcome(
    request: Request[Any, Any, Any],
    desk: Desk,
    held: SignedIn,
    wanted: Wanted,
    keeper: Keeper | None = None,
) -> Response[Any]:
    """
    Begin a session, and lead on: to a page, or to the form that had been filled in.

    Raises:
        UnauthenticatedError: The token is nobody's.
    """
    try:
        session_id = desk.begin(request, held, keeper)
    except NotAllowedError as error:
        return sign_in_form(request, desk, wanted, status_code=403, other_fault=f"{error}.")
    answer: Response[Any]
    if wanted.unsent:
        sent = parse_qsl(wanted.unsent, keep_blank_values=True)
        fields = [each for each in sent if each[0] != CSRF]
        answer = shown(request, "again.html", to=wanted.after, fields=fields)
    elif request.method == "POST":
        answer = Redirect(wanted.after, status_code=303)
    else:
        # A strict cookie is not sent on where another site has led to: the page has to go on by itself.
        answer = shown(request, "moved.html", to=wanted.after)
    answer.set_cookie(kept_by(request, session_cookie(request), session_id, LASTS))
    answer.set_cookie(kept_by(request, FORM_COOKIE, "", timedelta()))
    return answer


def _said(error: InvalidInputError) -> str:
    return " ".join(f"{fault.message[:1].upper()}{fault.message[1:]}." for fault in error.faults)


def _ask_for_password(
    request: Request[Any, Any, Any],
    desk: Desk,
    challenge: Challenge,
    wanted: Wanted,
    fault: str = "",
    again_fault: str = "",
) -> Response[Any]:
    step = secrets.token_urlsafe(32)
    desk.challenges.put(step, challenge)
    return _outside(
        request, desk, "new_password.html", 422 if fault or again_fault else 200,
        name=challenge.name, step=step, wanted=wanted, fault=fault, again_fault=again_fault,
    )  # fmt: skip


def _outside(
    request: Request[Any, Any, Any], desk: Desk, template: str, status_code: int = 200, **values: Any
) -> Response[Any]:
    """Return a page for who is not signed in, with the token for its forms."""
    cookie = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(32)
    answer = shown(request, template, status_code=status_code, csrf=desk.forms.token(cookie), **values)
    answer.set_cookie(kept_by(request, FORM_COOKIE, cookie, 4 * PATIENCE))
    return answer


ROUTES: Final = (login_page, login, new_password, forgot_page, forgot, reset)
"""For everybody."""
