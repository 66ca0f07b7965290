"""What every page of the portal has: who looks at it, where they may go, and how it is made."""

from typing import Any, TypeAlias
from urllib.parse import urlencode

from litestar import Request, Response

from daylily.domain.customers import Principal
from daylily.entrypoints.portal.look import page
from daylily.entrypoints.portal.navigation import entries
from daylily.entrypoints.portal.sessions import Session

Person: TypeAlias = Request[Principal, Session, Any]
"""A request of somebody who is signed in."""


def common(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """Return what the base template wants to know: the session, if there is one, and the ways to go."""
    session: Session | None = request.scope.get("auth")
    path = request.scope["path"].rstrip("/") or "/"
    return {
        "session": session,
        "signs_out": session is not None and session.expires_at is not None,
        "nav": entries(request.app, session.principal, path) if session is not None else (),
        "partial": request.headers.get("hx-request") == "true",
    }


def shown(
    request: Request[Any, Any, Any], template: str, *, status_code: int = 200, **values: Any
) -> Response[str]:
    """Return a page for whoever asks; everything in it is escaped."""
    return page(template, status_code=status_code, **common(request), **values)


def pages(here: str, cursor: str | None, further: str | None) -> dict[str, Any]:
    """
    Return where the pager of a listing leads: to its first page, and to the next.

    Args:
        here: The address of the first.
        cursor: Of the page that is shown; None for the first.
        further: Of the next one; None where there is none.
    """
    return {
        "first": here if cursor else None,
        "next": f"{here}?{urlencode({'cursor': further})}" if further else None,
    }
