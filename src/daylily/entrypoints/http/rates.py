"""How often one caller, or one address without a name, may ask."""

import math
import threading
import time
from collections.abc import Callable
from typing import Final

from attrs import define, field
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from daylily.domain.errors import UnauthenticatedError
from daylily.entrypoints.http.errors import TooManyRequestsError
from daylily.entrypoints.http.security import Connection, is_loopback

MINUTE: Final = 60.0
MOST_CALLERS: Final = 100_000
"""Callers that are remembered; nobody may fill our memory with addresses."""
OPEN_SHARE: Final = 10
"""An address that sends no token has one of so many parts of what a caller has."""


@define
class Rate:
    """
    Lets each caller do so much in a minute, at once or spread out (a leaky bucket, as GCRA has it).

    Of each there is one number: when all that it has done would be paid off.

    Args:
        per_minute: How often; 0 is any number.
    """

    per_minute: int
    clock: Callable[[], float] = time.monotonic
    _paid_at: dict[str, float] = field(init=False, factory=dict, repr=False)
    _mutex: threading.Lock = field(init=False, factory=threading.Lock, repr=False)

    def take(self, caller: str) -> None:
        """
        Note a request.

        Raises:
            TooManyRequestsError: It is one too many; the error says when there is room for it.
        """
        if self.per_minute <= 0:
            return
        each, now = MINUTE / self.per_minute, self.clock()
        with self._mutex:
            paid = max(self._paid_at.get(caller, now), now) + each
            if paid - now > MINUTE:
                raise TooManyRequestsError(math.ceil(paid - now - MINUTE))
            if len(self._paid_at) >= MOST_CALLERS:
                self._forget(now)
            self._paid_at[caller] = paid

    def _forget(self, now: float) -> None:
        kept = {caller: paid for caller, paid in self._paid_at.items() if paid > now}
        self._paid_at = kept if len(kept) < MOST_CALLERS else {}


def so_often_a_caller(rate: Rate) -> Guard:
    """
    Return a guard that counts the requests of each caller; it comes after the one that knows them.

    Programs of this machine are not counted: whoever may run one has better ways to be a burden.
    """

    def guard(connection: Connection, _: BaseRouteHandler) -> None:
        if not is_loopback(_address(connection)):
            who = connection.scope["user"]
            rate.take(f"{who.customer_id}/{who.name}")

    return guard


def so_often_in_vain(guard: Guard, rate: Rate) -> Guard:
    """Return *guard*, which tells who asks, with a count of the times that an address is refused."""

    async def counted(connection: Connection, handler: BaseRouteHandler) -> None:
        try:
            found = guard(connection, handler)
            if found is not None:
                await found
        except UnauthenticatedError:
            rate.take(f"refused/{_address(connection)}")
            raise

    return counted


def so_often_an_address(rate: Rate) -> Guard:
    """Return a guard that counts the requests of each address, for what needs no token."""

    def guard(connection: Connection, _: BaseRouteHandler) -> None:
        rate.take(_address(connection))

    return guard


def _address(connection: Connection) -> str:
    client = connection.scope.get("client")
    return client[0] if client else "unknown"
