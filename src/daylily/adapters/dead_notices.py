"""The list of news that came to nobody, kept as documents in any world."""

from typing import Final

from attrs import evolve, frozen

from daylily.adapters.paging import time_key
from daylily.adapters.records import from_record, to_record
from daylily.domain.errors import AlreadyExistsError, ConcurrentUpdateError, NotFoundError
from daylily.ports.clock import Clock
from daylily.ports.dead_notices import DeadNotice
from daylily.ports.documents import Document, DocumentStore
from daylily.ports.paging import Page

KIND: Final = "dead-notice"


@frozen
class DocumentDeadNotices:
    """
    DeadNotices on any DocumentStore: a document for each, in a partition for each channel.

    Args:
        clock: When one is taken off.
    """

    documents: DocumentStore
    clock: Clock

    def lay(self, notice: DeadNotice) -> None:
        """See DeadNotices.lay."""
        try:
            self.documents.add(
                Document(kind=KIND, partition=notice.channel, key=_key(notice), body=to_record(notice))
            )
        except AlreadyExistsError:
            return

    def list(self, channel: str, *, after: str | None = None, limit: int = 100) -> Page[DeadNotice]:
        """See DeadNotices.list."""
        page = self.documents.list(KIND, channel, after=after, limit=limit)
        return Page(
            tuple(from_record(DeadNotice, each.body, f"notice {each.key}") for each in page.items),
            page.cursor,
        )

    def clear(self, notice: DeadNotice) -> None:
        """See DeadNotices.clear."""
        try:
            document = self.documents.get(KIND, notice.channel, _key(notice))
            self.documents.replace(evolve(document, expires_at=self.clock()))
        except (NotFoundError, ConcurrentUpdateError):
            return  # somebody else was faster


def _key(notice: DeadNotice) -> str:
    # Of the event alone: whoever gives up on it a second time finds it there.
    when = time_key(notice.event.at).replace(":", "")
    return f"{when}-{notice.event.event_id}"
