"""News that came to nobody, as people and programs read it."""

from typing import Self

from attrs import frozen

from daylily.adapters.notices import clean, stamp
from daylily.ports.dead_notices import DeadNotice


@frozen(kw_only=True)
class NoticeView:
    """News that came to nobody, as programs read it."""

    notice: str
    channel: str
    workset_id: str | None
    """None where it is of no workset."""
    kind: str
    happened_at: str
    message: str
    why: str
    refused: str | None = None
    """Why it was not taken just now either."""

    @classmethod
    def of(cls, lost: DeadNotice, refused: str | None = None) -> Self:
        """Return the view of one, without what looks like a secret."""
        return cls(
            notice=lost.event.event_id,
            channel=lost.channel,
            workset_id=lost.event.workset_id,
            kind=lost.event.kind,
            happened_at=stamp(lost.event),
            message=clean(lost.event.message),
            why=clean(lost.why),
            refused=None if refused is None else clean(refused),
        )
