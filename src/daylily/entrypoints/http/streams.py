"""Streams of what becomes of worksets: one look at each for all who listen."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from typing import Any, Final, NamedTuple

from anyio import to_thread
from attrs import define, evolve, field, frozen

from daylily.bootstrap import App
from daylily.domain.errors import InvalidInputError, NotFoundError, UnavailableError
from daylily.domain.workset import Progress, Workset
from daylily.entrypoints.http.places import Places
from daylily.entrypoints.views import TransitionView, to_json

MOST: Final = 500
"""Streams at a time; a process has so many file descriptors."""
MOST_EACH: Final = 100
"""Of one customer."""
MOST_BEHIND: Final = 1000
"""Events that a slow reader may leave lying; then the stream ends, and it comes back where it was."""
LOOK_EVERY: Final = 1.0
HEARTBEAT: Final = 15.0
LONGEST: Final = 3600.0
"""Seconds; who listens for longer comes back, and shows a token that is still good."""

_ID: Final = re.compile(r"(\d{1,12})\.(\d{1,9})\.(\d{1,18})", re.ASCII)
_log = logging.getLogger(__name__)


class Position(NamedTuple):
    """How much somebody knows: transitions, and bytes of an attempt's log. It makes an event's id."""

    sequence: int = 0
    attempt: int = 0
    offset: int = 0

    @classmethod
    def parse(cls, text: str) -> "Position":
        """
        Return what ``Last-Event-ID`` says.

        Raises:
            InvalidInputError: It is not one of ours.
        """
        found = _ID.fullmatch(text)
        if found is None:
            raise InvalidInputError.of("Last-Event-ID", "is none that this stream has given")
        return cls(*map(int, found.groups()))


@frozen
class Event:
    """One piece of news."""

    kind: str
    data: Mapping[str, Any]
    after: Position
    start: int = 0
    """Of a part of a log: where it begins."""

    @property
    def last(self) -> bool:
        """Whether nothing follows it."""
        return self.kind == "end"

    def beyond(self, known: Position) -> "Event | None":
        """Return what of it is news to somebody who knows so much; None if nothing is."""
        if self.kind == "state":
            return self if self.after.sequence > known.sequence else None
        if self.kind != "log" or self.after.attempt > known.attempt:
            return self
        if self.after[1:] <= known[1:]:
            return None
        return self if self.start >= known.offset else self._cut(known.offset)

    def _cut(self, offset: int) -> "Event":
        text = self.data["text"].encode()[offset - self.start :].decode(errors="replace")
        return evolve(self, data={**self.data, "text": text}, start=offset)

    def known_after(self, known: Position) -> Position:
        """Return how much somebody knows who is told of it."""
        sequence = max(known.sequence, self.after.sequence)
        return Position(sequence, *max(known[1:], self.after[1:]))

    def encoded(self, known: Position) -> bytes:
        """Return it as it goes over the wire, given how much is known once it has arrived."""
        data = json.dumps(self.data, ensure_ascii=False, separators=(",", ":"))
        return f"event: {self.kind}\nid: {'.'.join(map(str, known))}\ndata: {data}\n\n".encode()


@define(eq=False)
class _Source:
    """Looks at one workset again and again, for however many listen to it."""

    app: App
    workset_id: str
    position: Position | None = None
    """How much it has told; None until the first listener knows where it has come to."""
    listeners: "set[asyncio.Queue[Event]]" = field(factory=set)
    task: "asyncio.Task[None] | None" = None
    _progress: Progress | None = None

    def look(self, seen: Position) -> list[Event]:
        """Return what has happened since *seen*: of logs one part, until there is no more."""
        workset = self.app.world.store.get(self.workset_id)
        events = [*_transitions(workset, seen), *self._news_of_progress(workset, seen)]
        lines = self._lines(workset, seen)
        if lines is not None:
            events.append(lines)
        elif workset.ended:
            end = {"workset_id": workset.workset_id, "state": str(workset.state)}
            events.append(Event("end", end, seen))
        return events

    def _news_of_progress(self, workset: Workset, seen: Position) -> Iterator[Event]:
        progress = workset.progress
        if progress is not None and progress != self._progress:
            self._progress = progress
            data = {"done": progress.done, "total": progress.total, "message": progress.message}
            yield Event("progress", {"workset_id": workset.workset_id, **data}, seen)

    def _lines(self, workset: Workset, seen: Position) -> Event | None:
        for attempt in workset.attempts[max(seen.attempt - 1, 0) :]:
            start = seen.offset if attempt.number == seen.attempt else 0
            key = f"{workset.workset_id}/{attempt.number}"
            try:
                chunk = self.app.read.engines.of(attempt.cluster).log(key, offset=start)
            except (NotFoundError, UnavailableError):
                continue  # nothing has been written yet, or nobody can say: the next look tells
            if chunk.text:
                after = Position(seen.sequence, attempt.number, chunk.offset)
                data = {"attempt": attempt.number, "offset": chunk.offset, "text": chunk.text}
                return Event("log", {"workset_id": workset.workset_id, **data}, after, start)
        return None

    def tell(self, event: Event) -> None:
        """Hand news on; a listener that does not keep up is let go."""
        for queue in [*self.listeners]:
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                self.listeners.discard(queue)


def _transitions(workset: Workset, seen: Position) -> Iterator[Event]:
    first = workset.sequence - len(workset.history) + 1
    for number, step in enumerate(workset.history, first):
        if number > seen.sequence:
            data = {"workset_id": workset.workset_id, **to_json(TransitionView.of(step))}
            yield Event("state", data, seen._replace(sequence=number))


@define(eq=False)
class Streams:
    """
    All streams of a process. Idle ones cost a place in a queue: only looks take a thread.

    Args:
        look_every: Seconds between two looks at a workset, however many listen.
        heartbeat: Seconds after which a silent stream shows that it is alive.
    """

    app: App
    look_every: float = field(factory=lambda: LOOK_EVERY)
    heartbeat: float = HEARTBEAT
    places: Places = field(factory=lambda: Places(MOST, MOST_EACH))
    _sources: dict[str, _Source] = field(init=False, factory=dict)

    @property
    def open(self) -> int:
        """How many there are."""
        return self.places.taken

    def listen(self, workset: Workset, seen: Position | None, whose: str) -> AsyncIterator[bytes]:
        """
        Return the stream of a workset that the caller may see.

        Args:
            whose: The customer of who listens: nobody else's places are taken.
            seen: Where an earlier one had come to; None begins with the state that it is in, and the
                log of its last attempt.

        Raises:
            TooManyStreamsError: There are as many as there may be.
        """
        self.places.check(whose)
        start = Position(max(workset.sequence - 1, 0), len(workset.attempts))
        return self._held(whose, workset.workset_id, seen or start)

    async def _held(self, whose: str, workset_id: str, known: Position) -> AsyncIterator[bytes]:
        with self.places.hold(whose) as held:
            if held:
                async with aclosing(self._stream(workset_id, known)) as stream:
                    async for part in stream:
                        yield part

    async def _stream(self, workset_id: str, known: Position) -> AsyncGenerator[bytes]:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + LONGEST
        source = self._source(workset_id, loop)
        queue: asyncio.Queue[Event] = asyncio.Queue(MOST_BEHIND)
        source.listeners.add(queue)
        try:
            yield b"retry: 2000\n\n"
            # First what has been missed, at its own pace; what happens meanwhile lies in the queue.
            own, behind = _Source(self.app, workset_id), True
            while behind:
                events = await to_thread.run_sync(own.look, known)
                behind = any(event.kind == "log" for event in events)
                for event in events:
                    known = event.known_after(known)
                    yield event.encoded(known)
                    if event.last:
                        return
            if source.position is None:
                source.position = known
            while loop.time() < ends_at and (queue in source.listeners or not queue.empty()):
                try:
                    told = await asyncio.wait_for(queue.get(), self.heartbeat)
                except TimeoutError:
                    yield b": all is well\n\n"
                    continue
                news = told.beyond(known)
                if news is not None:
                    known = news.known_after(known)
                    yield news.encoded(known)
                    if news.last:
                        return
        finally:
            source.listeners.discard(queue)
            self._let_go(source)

    def _source(self, workset_id: str, loop: asyncio.AbstractEventLoop) -> _Source:
        source = self._sources.get(workset_id)
        if source is None or source.task is None or source.task.done():
            source = _Source(self.app, workset_id)
            source.task = loop.create_task(self._look_on(source))
            self._sources[workset_id] = source
        return source

    async def _look_on(self, source: _Source) -> None:
        ended = False
        while not ended:
            await asyncio.sleep(self.look_every)
            if source.position is None:
                continue
            try:
                events = await to_thread.run_sync(source.look, source.position)
            except UnavailableError as error:
                _log.warning("%s cannot be looked at: %s", source.workset_id, error)
                continue
            for event in events:
                source.position = event.known_after(source.position)
                source.tell(event)
                ended = event.last

    def _let_go(self, source: _Source) -> None:
        if source.listeners:
            return
        if source.task is not None:
            source.task.cancel()
        if self._sources.get(source.workset_id) is source:
            del self._sources[source.workset_id]
