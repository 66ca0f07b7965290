"""Forms as they arrive: read once, kept nowhere, and refused unless they come from a page of ours."""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from litestar import Request

from daylily.entrypoints.http.errors import ForbiddenError, MediaTypeError

CSRF: Final = "csrf"
"""The field of every form that has to come back as it was sent."""
CSRF_HEADER: Final = "x-csrf-token"
"""Where scripts send it; the base template has htmx do so."""


def pairs_of(request: Request[Any, Any, Any], body: bytes) -> Sequence[tuple[str, str]]:
    """
    Return the fields of a form in their order, each as often as it was sent.

    The framework's own parser keeps the forms it has seen for a while; these hold secrets.

    Raises:
        MediaTypeError: The body is no form.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        raise MediaTypeError("send a form")
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def form_of(request: Request[Any, Any, Any], body: bytes) -> Mapping[str, str]:
    """
    Return the fields of a form, of those sent more than once the last.

    Raises:
        MediaTypeError: The body is no form.
    """
    return dict(pairs_of(request, body))


def check_csrf(request: Request[Any, Any, Any], form: Mapping[str, str] | None = None) -> None:
    """
    Let through what a page of this session sends: the token is a field of the form, or a header.

    Raises:
        ForbiddenError: It is neither, or another's.
    """
    said = (form or {}).get(CSRF) or request.headers.get(CSRF_HEADER) or ""
    if not hmac.compare_digest(said.encode(), request.auth.csrf.encode()):
        raise ForbiddenError("this form is out of date: go back, reload the page and try again")
