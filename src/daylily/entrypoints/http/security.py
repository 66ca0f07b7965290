"""What every response carries, and what every request must be: for us, and not from elsewhere."""

import ipaddress
import re
import secrets
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Guard, Message, Receive, Scope, Send

from daylily.entrypoints.http.errors import ClosedDoorError, ForbiddenError, MisdirectedError

Connection = ASGIConnection[Any, Any, Any, Any]

HEADERS: Final = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    # Not "no-referrer": browsers would then send "Origin: null" with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Unless a response says otherwise."""
_HEADERS: Final = tuple((name.encode(), value.encode()) for name, value in HEADERS.items())

_FORWARDED: Final = (
    *("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"),
    *("cf-connecting-ip", "true-client-ip", "x-client-ip", "x-cluster-client-ip"),
)
"""What proxies add: a request that holds one comes from somewhere else."""
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def request_id(scope: Scope) -> str:
    """Return the id of a request: the caller's ``X-Request-Id`` if it is a plain word, or a new one."""
    known: dict[str, str] = scope.setdefault("daylily", {})  # type: ignore[typeddict-item]
    if "request_id" not in known:
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        text = given.decode("latin-1")
        known["request_id"] = text if _REQUEST_ID.fullmatch(text) else secrets.token_hex(8)
    return known["request_id"]


async def add_headers(message: Message, scope: Scope) -> None:
    """Add to every response, errors and all, its id and what keeps browsers from harm."""
    if message["type"] != "http.response.start":
        return
    headers = message.setdefault("headers", [])
    there = {name.lower() for name, _ in headers}
    sent = [*headers, (b"x-request-id", request_id(scope).encode())]
    sent += [header for header in _HEADERS if header[0] not in there]
    message["headers"] = sent


def guarded(*guards: Guard) -> Callable[[ASGIApp], ASGIApp]:
    """
    Return a middleware that asks each of *guards* in turn, on the loop, before anything else.

    The framework copies the handler for each guard that it is handed itself, which takes longer than
    all that most of them do; and it takes one that is no coroutine to a thread, where that waits for
    whatever is slow.
    """

    def around(app: ASGIApp) -> ASGIApp:
        async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
            connection: Connection = ASGIConnection(scope)
            handler = scope["route_handler"]
            for each in guards:
                found = each(connection, handler)
                if found is not None:
                    await found
            await app(scope, receive, send)

        return middleware

    return around


def only_hosts_of(listens_on: str) -> Guard:
    """
    Return a guard against DNS rebinding: a stranger's page whose name was made to point at loopback.

    Beyond loopback a server goes by names that it cannot know, and there is authentication.
    """
    allowed = {*_LOOPBACK, _bracketed(listens_on).lower()}
    everything = not is_loopback(listens_on)

    def guard(connection: Connection, _: BaseRouteHandler) -> None:
        if everything or _host(connection.headers.get("host", "")) in allowed:
            return
        raise MisdirectedError("ask for localhost or 127.0.0.1; a proxy has to set the Host header so")

    return guard


def only_from_here(reason: str) -> Guard:
    """
    Return a guard that lets in programs and browsers of this machine alone.

    Not what a proxy on this machine hands on: servers believe its headers, and so would we. Nor what
    a stranger's page sends whose name was made to point here: it names another host.

    Args:
        reason: Told to everybody else.
    """

    def guard(connection: Connection, _: BaseRouteHandler) -> None:
        address = connection.scope.get("client")
        here = address is not None and is_loopback(address[0])
        forwarded = any(name in connection.headers for name in _FORWARDED)
        if not here or forwarded or _host(connection.headers.get("host", "")) not in _LOOPBACK:
            raise ClosedDoorError(reason)

    return guard


def nobody(reason: str) -> Guard:
    """Return a guard that lets nobody in."""

    def guard(_: Connection, __: BaseRouteHandler) -> None:
        raise ClosedDoorError(reason)

    return guard


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches what listens on *host*."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
        # A socket for both kinds of addresses shows those of the fourth version so.
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _host(header: str) -> str:
    """Return a Host header without its port."""
    name = header.strip().lower()
    return name[: name.find("]") + 1] if name.startswith("[") else name.partition(":")[0]


def only_own_pages(origins: Collection[str] = ()) -> Guard:
    """
    Return a guard that refuses changes that a browser sends for a page of another site (CSRF).

    Programs send neither header. Where authentication is off this is what keeps any page that a
    person happens to open from cancelling worksets.

    Args:
        origins: Sites whose pages may use the API, by tokens of their own: never the portal, which
            knows people by a cookie.
    """

    def guard(connection: Connection, _: BaseRouteHandler) -> None:
        if connection.scope.get("method") in SAFE_METHODS:
            return
        origin = connection.headers.get("origin")
        if origin in origins and not connection.scope["path"].startswith("/portal"):
            return
        site = connection.headers.get("sec-fetch-site")
        if site is not None:
            own = site in {"same-origin", "none"}
        else:
            own = (
                origin is None
                or urlsplit(origin).netloc.lower() == connection.headers.get("host", "").lower()
            )
        if not own:
            raise ForbiddenError("this was sent by a page of another site")

    return guard
