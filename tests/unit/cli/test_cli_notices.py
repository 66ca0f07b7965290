"""News that came to nobody, as operators see to it."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import define, evolve, field
from tests.unit.cli.desk import Desk

from daylily.adapters.dead_notices import DocumentDeadNotices
from daylily.domain.errors import UnavailableError
from daylily.domain.events import ALL_NEWS, Event, EventKind
from daylily.ports.dead_notices import DeadNotice
from daylily.ports.notifier import Notifier
from daylily.testing.samples import NOON, an_event


@define
class Channel:
    """A channel that is away while *away* says why."""

    away: str | None = None
    sent: list[str] = field(init=False, factory=list)
    kinds: frozenset[EventKind] = ALL_NEWS

    def send(self, event: Event) -> None:
        """See Notifier.send."""
        if self.away:
            raise UnavailableError(self.away)
        self.sent.append(event.event_id)


@pytest.fixture
def channels() -> dict[str, Channel]:
    """Two channels, one of them away."""
    return {"sns": Channel(), "linear": Channel("answers 401: Bearer abcdefgh is wrong")}


@pytest.fixture
def desk(desk: Desk, channels: Mapping[str, Notifier]) -> Desk:
    """A desk whose list has one notice of each channel."""
    world = evolve(desk.world, channels=channels)
    dead = DocumentDeadNotices(world.documents, world.clock)
    for name in channels:
        event = evolve(an_event(f"ws-1-4-{name}"), message="token=abc123 was printed")
        dead.lay(DeadNotice(channel=name, event=event, why="was away", died_at=NOON))
    return Desk(world, desk.home)


def test_what_is_on_the_list(desk: Desk) -> None:
    """For people and for programs; what looks like a secret is masked for both."""
    told = desk.ok("notices", "list")
    assert "ws-1-4-sns" in told
    assert "was away" in told
    (first, second) = desk.json("notices", "list")
    assert (first["notice"], second["notice"]) == ("ws-1-4-sns", "ws-1-4-linear")
    assert first["message"] == "token=******** was printed"
    assert "abc123" not in told
    assert [each["channel"] for each in desk.json("notices", "list", "--channel", "sns")] == ["sns"]
    assert "none of sns, linear" in desk.faults("notices", "list", "--channel", "mail")["channel"]


def test_one_is_sent_once_more(desk: Desk, channels: Mapping[str, Channel]) -> None:
    """It leaves the list, and has the id it has always had."""
    assert desk.ok("notices", "redeliver", "ws-1-4-sns") == "sent ws-1-4-sns to sns\n"
    assert channels["sns"].sent == ["ws-1-4-sns"]
    assert [each["channel"] for each in desk.json("notices", "list")] == ["linear"]
    assert desk.run("notices", "redeliver", "ws-1-4-sns").exit_code == 2


def test_what_is_refused_again_stays(desk: Desk, channels: Mapping[str, Channel]) -> None:
    """The others are sent all the same; the exit code tells."""
    result = desk.run("notices", "redeliver", "--all")
    assert result.exit_code == 1
    assert "not sent ws-1-4-linear to linear: answers 401: Bearer ******** is wrong" in result.stdout
    assert channels["sns"].sent == ["ws-1-4-sns"]
    channels["linear"].away = None
    desk.ok("notices", "redeliver", "--all", "--channel", "linear")
    assert desk.ok("notices", "list") == "all news has come to its channels\n"
    assert desk.json("notices", "list") == []


@pytest.mark.parametrize("arguments", [(), ("ws-1-4-sns", "--all")])
def test_which_are_meant_has_to_be_said(desk: Desk, arguments: tuple[str, ...]) -> None:
    """Some by name, or all: nothing is sent by a slip."""
    result = desk.run("notices", "redeliver", *arguments)
    assert result.exit_code == 2
    assert "name notices, or say --all" in result.stderr


def test_only_where_the_store_is(desk: Desk, tmp_path: Path) -> None:
    """A server has its own operators."""
    assert desk.run("notices", "list", "--url", "http://127.0.0.1:1").exit_code == 2
