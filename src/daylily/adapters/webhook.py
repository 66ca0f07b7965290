"""News by HTTP: CloudEvents 1.0 in JSON, signed as Standard Webhooks has it."""

import base64
import hashlib
import hmac
import json
from typing import Final

import httpx
from attrs import field, frozen

from daylily.adapters import notices
from daylily.domain.errors import UnavailableError
from daylily.domain.events import ALL_NEWS, Event, EventKind
from daylily.ports.clock import Clock

TIMEOUT: Final = 10.0
"""Seconds."""
_MEDIA_TYPE: Final = "application/cloudevents+json; charset=utf-8"
_TYPES: Final = "org.daylily"


@frozen(eq=False)
class WebhookNotifier:
    """
    A Notifier that posts each event to an address.

    The body is one CloudEvent whose ``id`` is that of the event, however often it is sent. It is
    signed with the time of sending, so that a receiver can tell that it is ours, whole and no copy of
    an old one. An answer of 2xx takes it; after any other the event is still owed: who set up the
    address or the secret wrongly gets the news once that is mended. Redirects are not followed.

    Args:
        url: Where to.
        secret: What both sides know.
        source: Who we are, a URI reference: receivers of several installations tell them apart by it.
        clock: When it is sent.
    """

    url: str
    _secret: str = field(repr=False)
    source: str
    clock: Clock = field(repr=False)
    _client: httpx.Client = field(init=False, repr=False)

    @_client.default
    def _new_client(self) -> httpx.Client:
        return httpx.Client(timeout=TIMEOUT, headers={"content-type": _MEDIA_TYPE})

    @property
    def kinds(self) -> frozenset[EventKind]:
        """All: an audience says which of them are wanted."""
        return ALL_NEWS

    def send(self, event: Event) -> None:
        """See Notifier.send."""
        body = json.dumps(cloud_event(event, self.source), ensure_ascii=False).encode()
        sent_at = str(int(self.clock().timestamp()))
        try:
            answer = self._client.post(
                self.url,
                content=body,
                headers={
                    "webhook-id": event.event_id,
                    "webhook-timestamp": sent_at,
                    "webhook-signature": signature(self._secret, event.event_id, sent_at, body),
                },
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnavailableError(f"the webhook does not answer: {type(error).__name__}") from None
        if not answer.is_success:
            raise UnavailableError(f"the webhook answers {answer.status_code}")

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()


def cloud_event(event: Event, source: str) -> dict[str, object]:
    """Return *event* as CloudEvents 1.0 has it in JSON, without what looks like a secret."""
    data = {
        "workset_id": event.workset_id,
        "customer_id": event.customer_id,
        "monitor": event.monitor,
        "state": event.state,
        "priority": event.priority,
        "message": notices.clean(event.message),
        "error_details": notices.clean(event.error_details) if event.error_details else None,
    }
    return {
        "specversion": "1.0",
        "id": event.event_id,
        "source": source,
        "type": f"{_TYPES}.{_words(event)}",
        "subject": event.subject,
        "time": notices.stamp(event),
        "datacontenttype": "application/json",
        "data": {name: str(value) for name, value in data.items() if value is not None},
    }


def _words(event: Event) -> str:
    if event.kind is EventKind.MONITOR_SILENT:
        return "monitor.silent"
    return f"workset.{event.kind}"


def signature(secret: str, event_id: str, sent_at: str, body: bytes) -> str:
    """
    Return the signature of a message: HMAC-SHA256 of id, time and body, in base64.

    See the specification of Standard Webhooks, version 1.

    Args:
        secret: ``whsec_`` and the key in base64.
        sent_at: Seconds since 1970.

    Raises:
        ValueError: The secret is not of that form.
    """
    signed = b".".join((event_id.encode(), sent_at.encode(), body))
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    digest = hmac.digest(key, signed, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"
