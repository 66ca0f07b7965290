"""Web pages that come in the place of an answer of AWS."""

from http import HTTPStatus
from typing import Any, Final

from botocore.exceptions import BotoCoreError

_START: Final = 2048
"""Bytes within which a page says that it is one."""


class PageError(BotoCoreError):
    """A web page came where AWS was to answer."""

    fmt = (
        "a web page came in its place: look at AWS_ENDPOINT_URL, and at proxies on the way; a console"
        " for people is not where programs are served"
    )


def refuse_pages(client: Any) -> None:
    """
    Let each call of a client of boto3 fail that is answered by a web page.

    Addresses of consoles, and proxies that want something said or signed first, answer everything by
    a page, and by 200. Read as an answer of AWS it says that it is done, and that there is nothing.
    """
    client.meta.events.register("after-call", _refuse, unique_id="daylily-pages")


def _refuse(http_response: Any, model: Any, **_: object) -> None:
    kind = http_response.headers.get("content-type") or ""
    # An object may be a page. The type alone says little: some imitations give it to all answers.
    if kind.startswith("text/html") and not model.has_streaming_output:
        good = http_response.status_code < HTTPStatus.MULTIPLE_CHOICES
        if good and b"<html" in http_response.content[:_START].lower():
            raise PageError
