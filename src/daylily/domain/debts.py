"""What a stored change still owes the world: each can be paid twice without harm (design idea 1)."""

from attrs import frozen

from daylily.domain.events import Event
from daylily.domain.sentinels import Sentinel, SentinelBody


@frozen
class PublishFiles:
    """Write the workset's own files (``daylily_work.yaml`` and its like) into its directory."""


@frozen
class PostSentinel:
    """Create a sentinel, unless one of that name stands there already."""

    sentinel: Sentinel
    body: SentinelBody


@frozen
class WithdrawSentinel:
    """Remove our own sentinel of that name, unless it shows a later transition than this."""

    sentinel: Sentinel
    sequence: int


@frozen
class SendNotice:
    """Tell people of an event."""

    event: Event


Debt = PublishFiles | PostSentinel | WithdrawSentinel | SendNotice
