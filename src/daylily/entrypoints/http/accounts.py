"""Signing in and out, and new passwords: whoever keeps people, the routes are the same."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, TypeAlias, TypeVar

from attrs import evolve, frozen
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import RawBody, SkipValidation

from daylily.bootstrap import App
from daylily.domain.customers import Scope
from daylily.domain.errors import InvalidInputError, UnauthenticatedError
from daylily.entrypoints.account_views import SignInView, WhoView
from daylily.entrypoints.http.answers import Answer
from daylily.entrypoints.http.audit import UNHEARD
from daylily.entrypoints.http.auth import NEEDS, BearerTokens
from daylily.entrypoints.http.describing import Body, described
from daylily.entrypoints.http.parameters import closed, nullable
from daylily.entrypoints.http.prefix import path_asked_for
from daylily.entrypoints.http.requests import Fields, json_object
from daylily.entrypoints.http.security import request_id
from daylily.entrypoints.http.wiring import Call, UseCases, Who
from daylily.entrypoints.tries import Tries
from daylily.ports.identities import Challenge, SignedIn

T = TypeVar("T")

_LONGEST: Final = 8192
_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": _LONGEST}
_NAME: Final = {**_TEXT, "description": "Mostly an e-mail address."}
_PASSWORD: Final = {**_TEXT, "format": "password"}
_SHOWN: Final = {"name": "ada@acme.example", "code": "123456"}
_TAG: Final = "accounts"


@frozen
class Gate:
    """What keeps strangers from guessing."""

    tries: Tries

    def passing(self, request: Call, attempt: Callable[[], T]) -> T:
        """
        Return what an attempt gives, unless too many from that address went wrong of late.

        Raises:
            TooManyTriesError: They did.
            UnauthenticatedError: The attempt went wrong.
        """
        address = request.client.host if request.client else ""
        self.tries.check(address)
        try:
            return attempt()
        except UnauthenticatedError:
            self.tries.failed(address)
            raise


def _at_the_door(
    operation_id: str, status: int, *, refuses: bool = True, **asked: dict[str, Any]
) -> dict[str, Any]:
    """
    Return what all routes have in common for those who have no token yet, but may have one.

    Args:
        refuses: Whether it says so to those who are not who they say.
        asked: The texts that a body has to have, by their names.
    """
    example = {name: _SHOWN.get(name, "...") for name in asked}
    told = described(
        operation_id,
        _TAG,
        body=Body(closed(asked, *asked), example),
        errors=(401,) if refuses else (),
        public=True,
    )
    return {"status_code": status, "sync_to_thread": True, "opt": {UNHEARD: False}, **told}


AtGate: TypeAlias = NamedDependency[SkipValidation[Gate]]


def _told(app: App, request: Call, action: str, signed_in: SignedIn) -> None:
    """Note in the audit trail who has signed in."""
    who = BearerTokens(app.world.verifiers)({"authorization": f"Bearer {signed_in.token}"})
    app.audit.record(
        who.customer_id,
        actor=who.name,
        action=action,
        target=path_asked_for(request.scope),
        outcome="200",
        request_id=request_id(request.scope),
    )


@contextmanager
def _of_a_new_password() -> Iterator[None]:
    """Have what is wrong with a password stand where the caller has written it."""
    try:
        yield
    except InvalidInputError as error:
        place = {"password": "new_password"}
        faults = [evolve(each, place=place.get(each.place, each.place)) for each in error.faults]
        raise InvalidInputError(faults) from error


@post("/api/auth/sign-in", **_at_the_door("signIn", 200, name=_NAME, password=_PASSWORD))
def sign_in(request: Call, body: RawBody, app: UseCases, gate: AtGate) -> Answer[SignInView]:
    """Sign in by name and password; the answer has a token, or asks for a new password first."""
    name, password = _texts(request, body, "name", "password")
    found = gate.passing(request, lambda: app.world.identities.sign_in(name, password))
    if isinstance(found, SignedIn):
        _told(app, request, "signIn", found)
    return Answer(SignInView.of(found))


@post(
    "/api/auth/new-password",
    **_at_the_door("answerNewPassword", 200, name=_NAME, session=_TEXT, new_password=_PASSWORD),
)
def new_password(request: Call, body: RawBody, app: UseCases, gate: AtGate) -> Answer[SignInView]:
    """Replace the password that signing in has asked to be replaced, and sign in."""
    name, session, password = _texts(request, body, "name", "session", "new_password")
    challenge = Challenge(name=name, session=session)
    with _of_a_new_password():
        found = gate.passing(request, lambda: app.world.identities.answer(challenge, password))
    _told(app, request, "answerNewPassword", found)
    return Answer(SignInView.of(found))


@post("/api/auth/refresh", **_at_the_door("refreshToken", 200, refresh_token=_TEXT))
def refresh(request: Call, body: RawBody, app: UseCases, gate: AtGate) -> Answer[SignInView]:
    """Return a new token for a refresh token."""
    (refresh_token,) = _texts(request, body, "refresh_token")
    found = gate.passing(request, lambda: app.world.identities.refresh(refresh_token))
    return Answer(SignInView.of(found))


@post(
    "/api/auth/sign-out",
    status_code=204,
    sync_to_thread=True,
    opt={NEEDS: Scope.READ},
    **described(
        "signOut",
        _TAG,
        body=Body(
            closed(
                {
                    **dict.fromkeys(("refresh_token", "access_token"), nullable({"type": "string"})),
                    "everywhere": nullable({"type": "boolean", "default": False}),
                }
            ),
            {"everywhere": True},
            required=False,
        ),
    ),
)
def sign_out(request: Call, body: RawBody, app: UseCases) -> Response[None]:
    """Give back the refresh token; with ``everywhere``, all tokens of the person that can be."""
    fields = Fields(json_object(request, body) if body else {})
    refresh_token, access_token = fields.text("refresh_token"), fields.text("access_token")
    everywhere = fields.flag("everywhere")
    fields.refuse_others()
    fields.raise_faults()
    token = request.headers.get("authorization", "").partition(" ")[2].strip()
    held = SignedIn(
        token=token,
        expires_in=timedelta(),
        refresh_token=refresh_token,
        access_token=access_token,
    )
    app.world.identities.sign_out(held, everywhere=everywhere)
    return Response(None, status_code=204)


@post("/api/auth/forgot-password", **_at_the_door("forgotPassword", 204, refuses=False, name=_NAME))
def forgot(request: Call, body: RawBody, app: UseCases) -> Response[None]:
    """Have a code sent, if there is somebody of that name; the answer does not tell."""
    (name,) = _texts(request, body, "name")
    app.world.identities.forgot(name)
    return Response(None, status_code=204)


@post(
    "/api/auth/reset-password",
    **_at_the_door("resetPassword", 204, name=_NAME, code=_TEXT, new_password=_PASSWORD),
)
def reset(request: Call, body: RawBody, app: UseCases, gate: AtGate) -> Response[None]:
    """Replace a forgotten password, by the code that was sent."""
    name, code, password = _texts(request, body, "name", "code", "new_password")
    with _of_a_new_password():
        gate.passing(request, lambda: app.world.identities.reset(name, code, password))
    return Response(None, status_code=204)


@get("/api/auth/me", sync_to_thread=False, **described("whoAmI", _TAG))
def me(who: Who) -> Answer[WhoView]:
    """Say who the caller is, and how far their token reaches."""
    return Answer(WhoView.of(who))


def _texts(request: Call, body: bytes, *names: str) -> list[str]:
    """Return texts that a body has to have, and no others."""
    fields = Fields(json_object(request, body))
    found = [fields.required(name) for name in names]
    for name, text in zip(names, found, strict=True):
        if len(text) > _LONGEST:
            fields.fault(name, f"is longer than {_LONGEST} characters")
    fields.refuse_others()
    fields.raise_faults()
    return found
