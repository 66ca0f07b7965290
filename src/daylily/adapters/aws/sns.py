"""News by SNS, from where mails, queues and functions get them (contract 7)."""

from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from daylily.adapters import notices
from daylily.adapters.aws.errors import reported
from daylily.domain.errors import InvalidInputError
from daylily.domain.events import ALL_NEWS, Event, EventKind

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

_FIFO: Final = ".fifo"


@frozen(eq=False)
class SNSNotifier:
    """
    A Notifier that publishes to a topic.

    A topic that keeps order (FIFO) drops repeats by itself for five minutes; of any other, the
    attribute ``event_id`` tells receivers which are repeats.

    Args:
        client: Of the topic's region; threads may share it.
        topic_arn: Of the topic.
    """

    client: "SNSClient"
    topic_arn: str
    _fifo: bool = field(init=False)

    @_fifo.default
    def _is_fifo(self) -> bool:
        return self.topic_arn.endswith(_FIFO)

    @property
    def kinds(self) -> frozenset[EventKind]:
        """All: subscriptions filter by attributes."""
        return ALL_NEWS

    def send(self, event: Event) -> None:
        """See Notifier.send."""
        order: Any = {}
        if self._fifo:
            order = {
                "MessageGroupId": event.subject,
                "MessageDeduplicationId": event.event_id,
            }
        with reported("sns", "Publish", f"topic {self.topic_arn}"):
            self.client.publish(
                TopicArn=self.topic_arn,
                Subject=notices.subject(event),
                Message=notices.body(event),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in _attributes(event).items()
                },
                **order,
            )


def region_of(topic_arn: str) -> str:
    """
    Return the region of a topic.

    Raises:
        InvalidInputError: It is no ARN of a topic.
    """
    parts = topic_arn.split(":")
    if len(parts) != 6 or parts[2] != "sns" or not parts[3]:
        raise InvalidInputError.of("sns_topic_arn", f"{topic_arn!r} is no ARN of a topic")
    return parts[3]


def _attributes(event: Event) -> dict[str, str]:
    """Return what subscriptions filter by; the first four are those of old."""
    told = {
        "workset_id": event.workset_id,
        "event_type": notices.event_type(event),
        "state": event.state,
        "priority": event.priority,
        "kind": event.kind,
        "event_id": event.event_id,
        "customer_id": event.customer_id,
        "monitor": event.monitor,
    }
    return {name: str(value) for name, value in told.items() if value is not None}
