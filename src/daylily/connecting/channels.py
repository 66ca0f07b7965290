"""Who is told what becomes of worksets."""

import socket
from collections.abc import Callable, Iterator, Mapping
from typing import TypedDict

from daylily.adapters.counted_notices import CountedDeadNotices
from daylily.adapters.dead_notices import DocumentDeadNotices
from daylily.adapters.system import utc_now
from daylily.application.deliver_notices import DeliverNotices
from daylily.config import CHANNELS, Settings
from daylily.domain.audience import EVERYTHING
from daylily.ports.clock import Clock
from daylily.ports.documents import DocumentStore
from daylily.ports.notifier import Notifier


def telling(settings: Settings, documents: DocumentStore) -> "_Telling":
    """Return the channels that the settings name; one machine keeps a journal of its own as well."""
    from daylily.adapters.filtered import FilteredNotifier

    found = dict(_channels(settings))
    if not found or settings.store == "local":
        from daylily.adapters.local.notifier import JournalNotifier

        found["journal"] = JournalNotifier(settings.home / "notices.jsonl")
    audiences = {each.name: each.audience for each in settings.channels}
    channels = {
        name: FilteredNotifier(each, audiences.get(name, EVERYTHING)) for name, each in found.items()
    }
    return delivering(channels, documents, utc_now)


def delivering(channels: Mapping[str, Notifier], documents: DocumentStore, clock: Clock) -> "_Telling":
    """Return what tells all of *channels*, and keeps what they do not take."""
    dead = CountedDeadNotices(DocumentDeadNotices(documents, clock))
    deliver = DeliverNotices(channels, dead, clock)
    return {"notifier": deliver, "channels": channels, "given_up": lambda: dead.laid}


class _Telling(TypedDict):
    notifier: Notifier
    channels: Mapping[str, Notifier]
    given_up: Callable[[], int]


def _channels(settings: Settings) -> Iterator[tuple[str, Notifier]]:
    if settings.sns_topic_arn is not None:
        from daylily.adapters.aws.clients import Clients
        from daylily.adapters.aws.sns import SNSNotifier, region_of

        # Who waits for a channel keeps worksets waiting: rather owe the news.
        clients = Clients(
            region=region_of(settings.sns_topic_arn),
            profile=settings.profile,
            read_timeout=5.0,
            attempts=2,
        )
        yield "sns", SNSNotifier(clients.sns(), settings.sns_topic_arn)
    if settings.linear_api_key is not None and settings.linear_team_id is not None:
        from daylily.adapters.linear import LinearNotifier

        key = settings.linear_api_key.reveal()
        yield "linear", LinearNotifier(key, settings.linear_team_id, utc_now, settings.linear_url)
    posted = {each.name: (each.url, each.secret) for each in settings.channels}
    for name, (url, secret) in {
        "webhook": (settings.webhook_url, settings.webhook_secret),
        **{name: pair for name, pair in posted.items() if name not in CHANNELS},
    }.items():
        if url is not None and secret is not None:
            from daylily.adapters.webhook import WebhookNotifier

            # The bucket, or the machine: what tells installations apart, and holds no secret.
            source = f"/daylily/{settings.bucket or socket.gethostname()}"
            yield name, WebhookNotifier(url, secret.reveal(), source, utc_now)
