"""Signing in at a provider's own page: there with a state, a nonce and a proof key, and back again."""

import hmac
import secrets
from typing import Any, Final

from litestar import Request, Response, get
from litestar.params import FromQuery
from litestar.response import Redirect

from daylily.domain.errors import NotFoundError, UnauthenticatedError
from daylily.entrypoints.portal.desk import (
    PATIENCE,
    AtDesk,
    Desk,
    Journey,
    kept_by,
    own_address,
)
from daylily.entrypoints.portal.login import LOGIN, Wanted, sign_in_form, welcome
from daylily.ports.sign_in_provider import SignInProvider

_COOKIE: Final = "daylily_journey"
_LONGEST: Final = 4096
_FAILED: Final = "Signing in there did not work out. Try it once more."


@get("/login/provider", sync_to_thread=True)
def set_out(
    request: Request[Any, Any, Any], desk: AtDesk, after: FromQuery[str | None] = None
) -> Response[Any]:
    """Send a browser to the provider."""
    provider = _provider(desk)
    state = secrets.token_urlsafe(32)
    journey = Journey(
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        back_to=f"{str(request.base_url).rstrip('/')}{LOGIN}/back",
        after=own_address(after),
    )
    address = provider.address(
        back_to=journey.back_to, state=state, nonce=journey.nonce, verifier=journey.verifier
    )
    desk.journeys.put(state, journey)
    answer = Redirect(address, status_code=303)
    # Lax: the way back is a link of the provider's page, and brings no strict cookie.
    answer.set_cookie(kept_by(request, _COOKIE, state, PATIENCE, samesite="lax"))
    return answer


@get("/login/back", sync_to_thread=True)
def come_back(request: Request[Any, Any, Any], desk: AtDesk) -> Response[Any]:
    """Take what a browser brings back from the provider, if it is the one that was sent there."""
    provider = _provider(desk)
    said = request.query_params
    state, code = said.get("state", ""), said.get("code", "")
    own = hmac.compare_digest(state.encode(), request.cookies.get(_COOKIE, "").encode())
    journey = desk.journeys.take(state) if own and state else None
    if journey is None or not code or len(code) > _LONGEST:
        # Whatever the provider says of an error is a text of whoever wrote the link: it is not shown.
        after = Wanted() if journey is None else Wanted(after=journey.after)
        return sign_in_form(request, desk, after, other_fault=_FAILED)
    wanted = Wanted(after=journey.after)

    def attempt() -> Response[Any]:
        held = provider.exchange(
            code, back_to=journey.back_to, nonce=journey.nonce, verifier=journey.verifier
        )
        return welcome(request, desk, held, wanted, provider)

    try:
        answer = desk.gate.passing(request, attempt)
    except UnauthenticatedError:
        answer = sign_in_form(request, desk, wanted, other_fault=_FAILED)
    answer.set_cookie(kept_by(request, _COOKIE, "", 0 * PATIENCE, samesite="lax"))
    return answer


def _provider(desk: Desk) -> SignInProvider:
    found = desk.app.world.provider
    if found is None:
        raise NotFoundError("there is no provider to sign in at")
    return found


ROUTES: Final = (set_out, come_back)
