"""Seeing to news that came to nobody: listing it, and sending it once more."""

from collections.abc import Iterator, Mapping
from functools import partial

from attrs import frozen

from daylily.domain.errors import InvalidInputError, UnavailableError
from daylily.ports.dead_notices import DeadNotice, DeadNotices
from daylily.ports.notifier import Notifier
from daylily.ports.paging import Page, every


@frozen
class Redelivery:
    """What became of one."""

    notice: DeadNotice
    refused: str | None = None
    """Why the channel did not take it this time; it then stays on the list."""


@frozen
class RedeliverNotices:
    """Sends what is on the list, under the ids that it has always had."""

    channels: Mapping[str, Notifier]
    dead: DeadNotices

    def waiting(self, channel: str | None = None) -> Iterator[DeadNotice]:
        """
        Yield what is on the list, channel by channel, oldest first.

        Args:
            channel: The one to look at; None for all.

        Raises:
            InvalidInputError: No channel has that name.
            UnavailableError: The list does not answer.
        """
        if channel is not None and channel not in self.channels:
            known = ", ".join(self.channels)
            raise InvalidInputError.of("channel", f"{channel!r} is none of {known}")
        for name in self.channels if channel is None else (channel,):
            yield from every(partial(self._page, name))

    def _page(self, name: str, after: str | None) -> Page[DeadNotice]:
        return self.dead.list(name, after=after)

    def __call__(self, notice: DeadNotice) -> Redelivery:
        """
        Send one, and take it off the list once the channel has it.

        Dying between the two sends it once more next time; receivers tell by its id.

        Raises:
            UnavailableError: The list does not answer.
        """
        try:
            self.channels[notice.channel].send(notice.event)
        except (UnavailableError, InvalidInputError) as error:
            return Redelivery(notice, str(error))
        self.dead.clear(notice)
        return Redelivery(notice)
