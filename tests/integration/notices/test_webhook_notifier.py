"""WebhookNotifier, held to the contract of its port; receivers use the standards' libraries."""

import base64
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from attrs import evolve
from tests.integration.notices.webhook_server import Receiver, webhook_server

from daylily.adapters.system import utc_now
from daylily.adapters.webhook import WebhookNotifier
from daylily.domain.errors import UnavailableError
from daylily.domain.events import EventKind
from daylily.ports.notifier import Notifier
from daylily.testing.contracts.notifier import NotifierContract
from daylily.testing.contracts.outages import BrokenNotifierContract
from daylily.testing.samples import NOON, an_event

SECRET = f"whsec_{base64.b64encode(bytes(range(32))).decode()}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A server that has heard nothing."""
    with webhook_server(SECRET) as server:
        yield server


@pytest.fixture
def webhook(receiver: Receiver) -> Iterator[WebhookNotifier]:
    """A channel to it."""
    channel = WebhookNotifier(receiver.url, SECRET, "/daylily/genomes", utc_now)
    yield channel
    channel.close()


class TestWebhookNotifier(NotifierContract):
    """The contract, on posted events."""

    @pytest.fixture
    def notifier(self, receiver: Receiver, webhook: WebhookNotifier) -> Notifier:
        """Return a channel that has not been told anything."""
        self.receiver = receiver
        return webhook

    def told(self, notifier: Notifier) -> Sequence[str]:
        """Return the ids of what came in."""
        return [event.get_id() for event in self.receiver.events]


class TestBrokenWebhook(BrokenNotifierContract):
    """What it owes when nobody listens."""

    @pytest.fixture
    def notifier(self) -> Iterator[Notifier]:
        """Return a channel to nobody."""
        away = WebhookNotifier("http://127.0.0.1:1/", SECRET, "/x", utc_now)
        yield away
        away.close()


def test_what_is_posted(receiver: Receiver, webhook: WebhookNotifier) -> None:
    """A CloudEvent as its own library reads it; nothing in it looks like a secret."""
    failed = evolve(
        an_event("ws-1-4-error", kind=EventKind.ERROR),
        message="bwa: Ähnlichkeit",
        error_details="export AWS_SECRET_ACCESS_KEY=abc/def",
    )
    webhook.send(failed)
    (event,) = receiver.events
    assert (event.get_id(), event.get_type()) == ("ws-1-4-error", "org.daylily.workset.error")
    assert (event.get_source(), event.get_subject()) == ("/daylily/genomes", "ws-1")
    assert (event.get_specversion(), event.get_time()) == ("1.0", NOON)
    assert event.get_data() == {
        "workset_id": "ws-1",
        "customer_id": "acme",
        "state": "complete",
        "priority": "normal",
        "message": "bwa: Ähnlichkeit",
        "error_details": "export AWS_SECRET_ACCESS_KEY=********",
    }


def test_another_secret(receiver: Receiver) -> None:
    """Who does not know it is not believed; the news stay owed, and the secret is told to nobody."""
    other = f"whsec_{base64.b64encode(bytes(32)).decode()}"
    forger = WebhookNotifier(receiver.url, other, "/daylily/genomes", utc_now)
    with pytest.raises(UnavailableError, match=r"^the webhook answers 401$"):
        forger.send(an_event())
    assert (receiver.forged, receiver.events) == (1, [])
    assert other not in repr(forger)
    forger.close()


def test_an_old_message_is_not_believed(receiver: Receiver) -> None:
    """The time is part of what is signed, so that copies are of no use."""
    late = WebhookNotifier(
        receiver.url, SECRET, "/x", lambda: datetime.now(UTC) - timedelta(minutes=10)
    )
    with pytest.raises(UnavailableError):
        late.send(an_event())
    assert receiver.forged == 1
    late.close()


@pytest.mark.parametrize("answer", [301, 307, 404, 410, 429, 500, 503])
def test_whatever_is_not_taken_stays_owed(
    receiver: Receiver, webhook: WebhookNotifier, answer: int
) -> None:
    """A redirect too, which could lead anywhere; sent again, it has the same id."""
    receiver.answer = answer
    with pytest.raises(UnavailableError, match=f"answers {answer}"):
        webhook.send(an_event("ws-1-1"))
    receiver.answer = 200
    webhook.send(an_event("ws-1-1"))
    assert [event.get_id() for event in receiver.events] == ["ws-1-1"]


def test_nobody_listens() -> None:
    """The news stay owed; the address, which may hold a key, is told to nobody."""
    away = WebhookNotifier("http://127.0.0.1:1/hooks/s3cr3t", SECRET, "/x", utc_now)
    with pytest.raises(UnavailableError) as caught:
        away.send(an_event())
    assert str(caught.value) == f"the webhook does not answer: {httpx.ConnectError.__name__}"
    away.close()
