"""Who runs next: urgent first, then oldest first."""

from datetime import UTC, datetime

from daylily.domain.lifecycle import Priority


def queue_rank(priority: Priority, created_at: datetime) -> str:
    """
    Return the text that sorts a queue: ``<priority rank>#<created_at>``, lowest first.

    Microseconds and UTC, so that text order is time order.
    """
    return f"{priority.rank}#{created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
