"""Streams: silence is filled, slow readers and too many of them are let go, nothing is told twice."""

import asyncio
from typing import Any

import pytest
from tests.integration.service.service import Service

from daylily.entrypoints.http import streams
from daylily.entrypoints.http.errors import TooManyStreamsError
from daylily.entrypoints.http.places import Places
from daylily.entrypoints.http.streams import Event, Position, Streams


def run(service: Service, story: Any, **bounds: Any) -> Any:
    """Play a story on streams that look often."""
    hub = Streams(service.app, look_every=0.01, **bounds)
    return asyncio.run(asyncio.wait_for(story(hub), 60))


@pytest.fixture
def running(service: Service, client: Any) -> str:
    return service.launched(client)


def test_silence_is_filled(service: Service, running: str) -> None:
    """A stream of which there is nothing to tell shows that it is alive, and ends when it is left."""

    async def story(hub: Streams) -> None:
        workset = service.app.world.store.get(running)
        stream = hub.listen(workset, None, "local")
        parts = []
        async for part in stream:
            parts.append(part)
            if part.startswith(b":"):
                break
        assert parts[0].startswith(b"retry:")
        assert b"in_progress" in parts[1]
        assert hub.open == 1
        await stream.aclose()  # type: ignore[attr-defined]
        assert hub.open == 0
        assert hub._sources == {}

    run(service, story, heartbeat=0.02)


def test_there_are_only_so_many(service: Service, running: str) -> None:
    """One more than a customer may have is refused before anything is opened; others have their own."""

    async def story(hub: Streams) -> None:
        workset = service.app.world.store.get(running)
        first, late = hub.listen(workset, None, "local"), hub.listen(workset, None, "local")
        await anext(first)
        with pytest.raises(TooManyStreamsError):
            hub.listen(workset, None, "local")
        assert [part async for part in late] == []
        other = hub.listen(workset, None, "acme")
        await anext(other)
        with pytest.raises(TooManyStreamsError):
            hub.listen(workset, None, "third")
        for each in (first, other):
            await each.aclose()  # type: ignore[attr-defined]
        assert hub.open == 0
        again = hub.listen(workset, None, "local")
        await anext(again)
        await again.aclose()  # type: ignore[attr-defined]

    run(service, story, places=Places(most=2, most_each=1))


def test_a_slow_reader_is_let_go(
    service: Service, running: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who does not read is not waited for: the stream ends, and can be resumed."""
    monkeypatch.setattr(streams, "MOST_BEHIND", 2)

    async def story(hub: Streams) -> None:
        workset = service.app.world.store.get(running)
        stream = hub.listen(workset, Position(workset.sequence, 1), "local")
        while not (await anext(stream)).startswith(b":"):
            pass  # until it has caught up with what there is
        for number in range(1, 8):
            service.compute.write(f"{running}/1", f"{number}\n")
            await asyncio.sleep(0.1)
        rest = [part async for part in stream]
        assert len(rest) == 2
        assert hub.open == 0

    run(service, story, heartbeat=0.02)


def test_nothing_is_told_twice() -> None:
    """Of what overlaps with what is known, the rest alone is told."""
    log = Event("log", {"text": "abcdef"}, Position(3, 1, 16), start=10)
    assert log.beyond(Position(9, 1, 16)) is None
    assert log.beyond(Position(9, 2, 0)) is None
    assert log.beyond(Position(9, 1, 10)) == log
    cut = log.beyond(Position(9, 1, 13))
    assert cut is not None
    assert (cut.data["text"], cut.start) == ("def", 13)
    assert log.known_after(Position(9, 1, 13)) == Position(9, 1, 16)
    state = Event("state", {}, Position(3, 1, 0))
    assert state.beyond(Position(3)) is None
    assert state.beyond(Position(2, 5, 5)) == state
    assert state.known_after(Position(2, 5, 5)) == Position(3, 5, 5)
