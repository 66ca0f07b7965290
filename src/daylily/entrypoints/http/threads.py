"""Threads that routes work in: many for calls that wait, and few for what keeps the processor busy."""

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from attrs import field, frozen
from litestar.concurrency import sync_to_thread

from daylily.bootstrap import App

T = TypeVar("T")

THREADS: Final = 40
"""Of a server: most wait for a store, so the number of processors, Python's measure, says nothing."""
SWITCH: Final = 0.001
"""Seconds after which a thread that is busy lets others go on, the loop among them; Python has 5 ms."""


async def enough_threads() -> None:
    """Give the running loop so many threads, and a quick turn among them."""
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="http")
    asyncio.get_running_loop().set_default_executor(pool)
    sys.setswitchinterval(SWITCH)


async def reading(app: App, work: Callable[..., T], *arguments: Any, among: "Few | None" = None) -> T:
    """
    Run what reads worksets, in a thread, as stores keep one waiting.

    Not where they are in memory: to hand over to a thread and back takes longer than to read.

    Args:
        among: Those whose turn it has to wait for.
    """
    if app.world.at_hand:
        return work(*arguments)
    if among is not None:
        return await among.run(work, *arguments)
    return await sync_to_thread(work, *arguments)


@frozen(eq=False)
class Few:
    """Runs one kind of work in threads of its own, so many at a time; what is more waits its turn."""

    most: int
    _limiter: RunVar[CapacityLimiter] = field(
        init=False, repr=False, factory=lambda: RunVar("daylily-few")
    )

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """Return what *work* returns, or raise what it raises."""
        limiter = self._limiter.get(None)
        if limiter is None:
            limiter = CapacityLimiter(self.most)
            self._limiter.set(limiter)
        return await to_thread.run_sync(work, *arguments, limiter=limiter)


UPLOADS: Final = Few(16)
"""So that slow clients do not use up everybody's threads."""
LISTINGS: Final = Few(2)
"""So that many who list do not keep the processor from everybody: each has hundreds of rows to read."""
