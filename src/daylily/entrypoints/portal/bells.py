"""Rings for lists: one look for all who listen to the same, none while nobody does."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Final

from anyio import to_thread
from attrs import define, field

from daylily.domain.errors import DaylilyError
from daylily.entrypoints.http.places import Places

MOST: Final = 200
"""Lists that are listened to at a time, of all people."""
MOST_EACH: Final = 4
"""Of one person with one browser: it has six connections to a server, and needs some itself."""
LOOK_EVERY: Final = 2.0
HEARTBEAT: Final = 15.0
LONGEST: Final = 300.0
"""Seconds; who listens for longer comes back, and is asked again who they are."""

Look = Callable[[], str]
"""Returns what changes with a list."""

_log = logging.getLogger(__name__)


@define(eq=False)
class _Watch:
    """Looks at one list again and again."""

    look: Look
    seen: str
    listeners: set[asyncio.Event] = field(factory=set)
    task: "asyncio.Task[None] | None" = None

    async def go_on(self, every: float) -> None:
        """Look, and wake all who listen when something has changed."""
        while True:
            await asyncio.sleep(every)
            try:
                seen = await to_thread.run_sync(self.look)
            except DaylilyError as error:
                _log.warning("a list cannot be looked at: %s", error)
                continue
            if seen != self.seen:
                self.seen = seen
                for listener in self.listeners:
                    listener.set()


@define(eq=False)
class ListBells:
    """All who listen to lists."""

    every: float = field(factory=lambda: LOOK_EVERY)
    heartbeat: float = HEARTBEAT
    longest: float = LONGEST
    places: Places = field(factory=lambda: Places(MOST, MOST_EACH))
    _watches: dict[tuple[str, str], _Watch] = field(init=False, factory=dict, repr=False)

    @property
    def looking(self) -> int:
        """How many lists are looked at."""
        return len(self._watches)

    async def listen(
        self, person: str, key: tuple[str, str], look: Look, seen: str | None
    ) -> AsyncIterator[bytes]:
        """
        Ring whenever a list changes, first if it is not as *seen* any more.

        Args:
            person: Whose place it takes.
            key: What is the same for all who see the same list.
            look: Tells what changes with it.
        """
        with self.places.hold(person) as held:
            if held:
                async with aclosing(self._rings(key, look, seen)) as rings:
                    async for ring in rings:
                        yield ring

    async def _rings(self, key: tuple[str, str], look: Look, seen: str | None) -> AsyncGenerator[bytes]:
        loop = asyncio.get_running_loop()
        ends_at, bell, watch = loop.time() + self.longest, asyncio.Event(), None
        try:
            yield b"retry: 3000\n\n"
            watch = self._watches.get(key)
            if watch is None:
                first = await to_thread.run_sync(look)
                # Somebody else may have come meanwhile.
                watch = self._watches.setdefault(key, _Watch(look, first))
                if watch.task is None:
                    watch.task = loop.create_task(watch.go_on(self.every))
            watch.listeners.add(bell)
            if seen is not None and watch.seen != seen:
                bell.set()
            while (left := ends_at - loop.time()) > 0:
                try:
                    await asyncio.wait_for(bell.wait(), min(self.heartbeat, left))
                except TimeoutError:
                    yield b": all is well\n\n"
                    continue
                bell.clear()
                yield f"event: state\nid: {watch.seen}\ndata: {{}}\n\n".encode()
        finally:
            if watch is not None:
                watch.listeners.discard(bell)
                if not watch.listeners and self._watches.get(key) is watch:
                    del self._watches[key]
                    if watch.task is not None:
                        watch.task.cancel()
