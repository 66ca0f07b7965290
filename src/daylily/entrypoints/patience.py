"""Connections that keep a server waiting: they are let go before they are many."""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEADERS_WITHIN: Final = 30.0
"""Seconds that a client has for the headers of a request."""


class PatientProtocol(H11Protocol):
    """
    HTTP/1.1 that does not wait for ever for a request to begin.

    The server's own time for connections at rest ends with the first byte: whoever sends one byte of a
    header now and then (slowloris) would hold a connection for good.
    """

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Take a new connection."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take some bytes."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of what is left of the connection."""
        self._unwatch()
        super().connection_lost(exc)

    @property
    def _waiting(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # None until there is a request
        return cycle is None or cycle.response_complete

    def _watch(self) -> None:
        if not self._waiting:
            self._unwatch()
        elif self._late is None:
            self._late = self.loop.call_later(HEADERS_WITHIN, self._give_up)

    def _unwatch(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        self._late = None
        if self._waiting and not self.transport.is_closing():
            self.transport.close()
