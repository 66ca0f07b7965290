"""AWS on a bad day: answers that never come, or that nobody here would send on purpose."""

from collections.abc import Callable
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError


class _Raw:
    """The body of an answer."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self, **_: object) -> list[bytes]:
        """Return it all at once."""
        return [self.content]

    def read(self, *_: object) -> bytes:
        """Return it all at once."""
        return self.content


def answers(
    client: Any, service: str, operation: str, *replies: "AWSResponse | Exception | None"
) -> None:
    """Let the next calls of an operation be answered so; None lets one through to the store."""
    left = list(replies)

    def reply(request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        found = left.pop(0) if left else None
        if isinstance(found, Exception):
            raise found
        if found is not None:
            # moto is asked all the same, and its answer dropped: it must not do what it is asked.
            request.url = "http://nobody.invalid/"
        return found

    client.meta.events.register_first(f"before-send.{service}.{operation}", reply)


def loses_answer(
    client: Any,
    twin: Any,
    service: str,
    operation: str,
    meanwhile: Callable[[], object] = lambda: None,
) -> None:
    """
    Let the next call of an operation be done, and its answer be lost on the way.

    Args:
        twin: Another client of the same store, which does it.
        meanwhile: What others do before the client tries again.
    """
    given: list[dict[str, Any]] = []
    method: Callable[..., Any] = {
        "PutItem": lambda **params: twin.put_item(**params),
        "UpdateItem": lambda **params: twin.update_item(**params),
        "PutObject": lambda **params: twin.put_object(**params),
    }[operation]

    def remember(params: dict[str, Any], **_: object) -> None:
        given.append(dict(params))

    def lose(**_: object) -> None:
        if len(given) == 1:
            method(**given[0])
            given.append({})
            meanwhile()
            raise ConnectionClosedError(endpoint_url="the store")

    client.meta.events.register_first(f"provide-client-params.{service}.{operation}", remember)
    client.meta.events.register_first(f"before-send.{service}.{operation}", lose)


def refusal(status: int, word: str, message: str = "", *, json: bool = False) -> AWSResponse:
    """Return an error as DynamoDB (*json*) or S3 sends it."""
    if json:
        body = f'{{"__type": "com.amazonaws.dynamodb.v20120810#{word}", "message": "{message}"}}'
    else:
        body = f"<Error><Code>{word}</Code><Message>{message}</Message></Error>"
    return answer(status, "application/x-amz-json-1.0" if json else "application/xml", body)


def answer(status: int, kind: str, body: str) -> AWSResponse:
    """Return what a server may send, of AWS or not."""
    headers = {"content-type": kind, "date": "Mon, 02 Jun 2025 12:00:00 GMT"}
    found = HTTPHeaders()
    for name, value in headers.items():
        found[name] = value
    return AWSResponse("http://store", status, found, _Raw(body.encode()))
