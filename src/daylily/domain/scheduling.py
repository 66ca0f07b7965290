"""Who runs next: urgent before normal before low, the oldest first; and nobody waits for ever."""

from datetime import UTC, datetime, timedelta
from typing import Final

from daylily.domain.lifecycle import Priority

OVERTAKEN_FOR: Final = {
    Priority.URGENT: timedelta(0),
    Priority.NORMAL: timedelta(days=2),
    Priority.LOW: timedelta(days=4),
}
"""
For how long after its submission a workset is overtaken by urgent ones that come later. From then on it
stands before all that come, of whatever priority: the bound on how long anyone is passed over.
"""

_LAST: Final = datetime.max.replace(tzinfo=UTC) - max(OVERTAKEN_FOR.values())


def queue_rank(priority: Priority, created_at: datetime) -> str:
    """
    Return the text that sorts a queue, lowest first: when the workset was submitted, put off by its
    priority. It never changes, so the order of a queue does not depend on when it is looked at.

    Microseconds and UTC, so that text order is time order.
    """
    at = min(created_at.astimezone(UTC), _LAST) + OVERTAKEN_FOR[priority]
    return f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"
