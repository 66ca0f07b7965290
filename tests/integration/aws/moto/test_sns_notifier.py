"""SNSNotifier, held to the contract of its port: what is published, a queue of SQS receives."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from attrs import evolve, frozen

from daylily.adapters.aws.clients import Clients
from daylily.adapters.aws.sns import SNSNotifier, region_of
from daylily.domain.errors import InvalidInputError, UnavailableError
from daylily.domain.events import EventKind
from daylily.ports.notifier import Notifier
from daylily.testing.contracts.notifier import NotifierContract
from daylily.testing.contracts.outages import BrokenNotifierContract
from daylily.testing.samples import an_event

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

REGION = "eu-west-1"


@frozen
class Mailbox:
    """A topic, and a queue that gets what is published there."""

    sns: "SNSClient"
    sqs: "SQSClient"
    topic: str
    queue: str

    @classmethod
    def new(cls, name: str = "workset-notifications") -> "Mailbox":
        """Return one of a topic of that name."""
        sns, sqs = boto3.client("sns", region_name=REGION), boto3.client("sqs", region_name=REGION)
        fifo: Any = {"FifoTopic": "true"} if name.endswith(".fifo") else {}
        topic = sns.create_topic(Name=name, Attributes=fifo)["TopicArn"]
        same: Any = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        queue = sqs.create_queue(QueueName=name, Attributes=same)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"])
        return cls(sns, sqs, topic, queue)

    def notifier(self) -> SNSNotifier:
        """Return a channel to the topic."""
        return SNSNotifier(self.sns, self.topic)

    def read(self) -> Iterator[dict[str, Any]]:
        """Take all that has come."""
        while True:
            got = self.sqs.receive_message(
                QueueUrl=self.queue, MaxNumberOfMessages=10, VisibilityTimeout=600
            )
            if not got.get("Messages"):
                return
            yield from (json.loads(each["Body"]) for each in got["Messages"])


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    """A topic that a queue listens to."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    return Mailbox.new()


class TestSNSNotifier(NotifierContract):
    """The contract, on a topic."""

    @pytest.fixture
    def notifier(self, mailbox: Mailbox) -> Notifier:
        """Return a channel that has not been told anything."""
        self.mailbox = mailbox
        return mailbox.notifier()

    def told(self, notifier: Notifier) -> Sequence[str]:
        """Return the ids of what the queue got."""
        return [each["MessageAttributes"]["event_id"]["Value"] for each in self.mailbox.read()]


def test_what_a_subscriber_gets(mailbox: Mailbox) -> None:
    """Subject, text and attributes as contract 7 has them, and ours beside."""
    mailbox.notifier().send(an_event("ws-1-9-complete"))
    (got,) = mailbox.read()
    assert got["Subject"] == "Daylily Workset Completion: ws-1"
    assert got["Message"].startswith("Workset: ws-1\nEvent: completion\nState: complete\n")
    assert {name: value["Value"] for name, value in got["MessageAttributes"].items()} == {
        "workset_id": "ws-1",
        "event_type": "completion",
        "state": "complete",
        "priority": "normal",
        "kind": "complete",
        "event_id": "ws-1-9-complete",
        "customer_id": "acme",
    }


def test_d62_any_id_can_be_told(mailbox: Mailbox) -> None:
    """One that rows of others have, with line ends and letters of anywhere."""
    strange = evolve(an_event(), workset_id="w\u00fcrz\nburg\u2028" * 20, message="\x00\ud800")
    mailbox.notifier().send(strange)
    (got,) = mailbox.read()
    assert len(got["Subject"]) == 100


@pytest.mark.usefixtures("mailbox")
def test_d62_a_topic_that_keeps_order_drops_repeats() -> None:
    """By the event's id, which is the same however often it is sent."""
    ordered = Mailbox.new("workset-notifications.fifo")
    for event_id in ("ws-1-1", "ws-1-1", "ws-1-2"):
        ordered.notifier().send(an_event(event_id, kind=EventKind.STARTED))
    assert [each["MessageAttributes"]["event_id"]["Value"] for each in ordered.read()] == [
        *("ws-1-1", "ws-1-2")
    ]


class TestBrokenTopic(BrokenNotifierContract):
    """What it owes when its topic is not there."""

    @pytest.fixture
    def notifier(self, mailbox: Mailbox) -> Notifier:
        """Return a channel to a topic that nobody has made."""
        return SNSNotifier(mailbox.sns, f"{mailbox.topic}-gone")


def test_a_topic_that_is_not_there_is_an_outage(mailbox: Mailbox) -> None:
    """The news stays owed, and the message names the topic."""
    gone = SNSNotifier(mailbox.sns, f"{mailbox.topic}-gone")
    with pytest.raises(UnavailableError, match=r"sns:Publish: there is no topic .*-gone"):
        gone.send(an_event())


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that cannot be reached gives up soon."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", "http://127.0.0.1:9")
    client = Clients(region=REGION, attempts=1).sns()
    with pytest.raises(UnavailableError, match="sns does not answer Publish"):
        SNSNotifier(client, f"arn:aws:sns:{REGION}:123456789012:x").send(an_event())


def test_the_topic_says_where_it_is() -> None:
    """It need not be in the region of the table."""
    assert region_of("arn:aws:sns:us-west-2:123456789:workset-notifications") == "us-west-2"
    for wrong in ("notifications", "arn:aws:sqs:us-west-2:123456789:x", "arn:aws:sns::1:x"):
        with pytest.raises(InvalidInputError, match="no ARN of a topic"):
            region_of(wrong)
