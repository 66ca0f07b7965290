"""Look at the monitors' signs of life while the service runs: it may be all that is left alive."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, Final

from anyio import to_thread

LOOK_EVERY: Final = 60.0
"""Seconds."""


def watching(
    look: Callable[[], None], *, every: float | None = None
) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """Return a part of the service's life that calls *look* again and again, beside its requests."""

    @asynccontextmanager
    async def alongside(_: Any) -> AsyncIterator[None]:
        task = asyncio.create_task(_look(look, LOOK_EVERY if every is None else every))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return alongside


async def _look(look: Callable[[], None], every: float) -> None:
    while True:
        await asyncio.sleep(every)
        # A channel may take long to fail; nobody who stops the service waits for that.
        await to_thread.run_sync(look, abandon_on_cancel=True)
