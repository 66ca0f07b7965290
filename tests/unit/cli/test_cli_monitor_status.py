"""``daylily monitor status``."""

from datetime import timedelta

import click
import pytest
from attrs import evolve
from rich.console import Console
from tests.unit.cli.desk import Desk

from daylily.adapters.memory.notifier import InMemoryNotifier
from daylily.adapters.system import utc_now
from daylily.application.heartbeats import LeaveHeartbeat
from daylily.application.monitor_cycle import CycleReport
from daylily.application.watch_monitors import KIND, PARTITION
from daylily.domain.errors import UnavailableError
from daylily.domain.silence import Silence
from daylily.entrypoints.cli.session import Session
from daylily.entrypoints.service import MonitorLoop
from daylily.ports.documents import Document

FOLDER = "worksets/.daylily/monitors/"
LONG_AGO = timedelta(hours=2)


@pytest.fixture
def heart(desk: Desk) -> LeaveHeartbeat:
    """What leaves the signs of a monitor."""
    world = desk.world
    return LeaveHeartbeat(
        objects=world.objects, folder=FOLDER, clock=world.clock, name="lab-7", host="lab", pid=7
    )


def test_nobody(desk: Desk) -> None:
    """It is said, and it is no failure."""
    result = desk.run("monitor", "status")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no monitor" in result.stderr
    assert desk.json("monitor", "status") == []


def test_a_monitor(desk: Desk, heart: LeaveHeartbeat) -> None:
    """Its name, how it is, its last cycle, and how late it is."""
    heart.cycle_done(took=timedelta(seconds=0.5), faults=2, rest=timedelta(seconds=3))
    [told] = desk.json("monitor", "status")
    facts = {name: value for name, value in told.items() if not name.endswith("_at")}
    assert facts == {
        "monitor": "lab-7",
        "host": "lab",
        "pid": 7,
        "status": "live",
        "last_cycle_seconds": 0.5,
        "lag_seconds": 0.0,
        "rest_seconds": 3.0,
        "cycles": 1,
        "failures": 0,
        "faults": 2,
    }
    head, line = desk.ok("monitor", "status").splitlines()
    assert head.split() == [
        "MONITOR",
        "STATUS",
        "STARTED",
        "LAST",
        "CYCLE",
        "TOOK",
        "LAG",
        "CYCLES",
        "FAULTS",
    ]
    assert line.split()[:2] == ["lab-7", "live"]


@pytest.mark.parametrize(
    ("width", "titles"),
    [
        (120, ["MONITOR", "STATUS", "STARTED", "LAST", "CYCLE", "TOOK", "LAG", "CYCLES", "FAULTS"]),
        (60, ["MONITOR", "STATUS", "STARTED", "LAST", "CYCLE", "TOOK", "LAG", "FAULTS"]),
        (30, ["MONITOR", "STATUS", "LAST", "CYCLE"]),
    ],
)
def test_a_narrow_terminal(
    desk: Desk,
    heart: LeaveHeartbeat,
    monkeypatch: pytest.MonkeyPatch,
    width: int,
    titles: list[str],
) -> None:
    """Columns are left out before names are broken."""
    heart.cycle_done(took=timedelta(seconds=0.5), faults=2, rest=timedelta(seconds=3))
    monkeypatch.setattr(Session, "console", lambda _: Console(width=width, force_terminal=True))
    head, line = click.unstyle(desk.ok("monitor", "status")).splitlines()
    assert head.split() == titles
    assert line.split()[:2] == ["lab-7", "live"]


def test_one_that_fails(desk: Desk, heart: LeaveHeartbeat) -> None:
    """How many cycles in a row have come to nothing, and that none has come to its end."""
    heart.cycle_failed(rest=timedelta(seconds=3))
    line = desk.ok("monitor", "status").splitlines()[1]
    assert "failing (1 in a row)" in line
    assert "none yet" in line
    [told] = desk.json("monitor", "status")
    assert (told["last_cycle_at"], told["last_cycle_seconds"]) == (None, None)


def test_one_that_died(desk: Desk, heart: LeaveHeartbeat) -> None:
    """It is silent, and for how long."""
    heart.cycle_done(took=timedelta(), faults=0, rest=timedelta(seconds=3))
    before = desk.world.clock
    desk.world = evolve(desk.world, clock=lambda: before() + LONG_AGO)
    [told] = desk.json("monitor", "status")
    assert told["status"] == "silent"
    assert 7000 < told["lag_seconds"] < 7200
    assert "silent" in desk.ok("monitor", "status")


def test_once_leaves_a_sign(desk: Desk) -> None:
    """Whoever looks at a fleet run by cron sees it; nothing is due, so nothing is late."""
    for _ in range(2):
        desk.ok("monitor", "--once")
    [told] = desk.json("monitor", "status")
    assert (told["status"], told["lag_seconds"], told["rest_seconds"]) == ("once", None, None)
    assert desk.ok("monitor", "status").splitlines()[1].split()[1] == "once"


@pytest.mark.parametrize("arguments", [("status", "--once"), ("status", "--dry-run"), ("stats",)])
def test_what_makes_no_sense(desk: Desk, arguments: tuple[str, ...]) -> None:
    """Exit code 2, and no cycle is run."""
    assert desk.run("monitor", *arguments).exit_code == 2
    assert desk.json("monitor", "status") == []


def test_a_look_makes_no_home(desk: Desk) -> None:
    """Where nothing has been set up there is nothing to see, and nothing is made."""
    desk.world = None  # type: ignore[assignment]
    assert desk.run("monitor", "status", "--json").stdout.strip() == "[]"
    assert not desk.home.exists()


def test_the_loop_beats(desk: Desk, heart: LeaveHeartbeat) -> None:
    """
    Good cycles and bad ones are signs of life; told to stop, a monitor takes its sign away.

    After each it looks at the signs of others.
    """
    looks = list[None]()
    outcomes: list[Exception | None] = [UnavailableError("down"), None, ZeroDivisionError()]
    seen = list[list[int]]()

    def cycle(_: object) -> CycleReport:
        seen.append([told["failures"] for told in desk.json("monitor", "status")])
        outcome = outcomes.pop(0)
        if not outcomes:
            loop.stop.set()
        if outcome is not None:
            raise outcome
        return CycleReport()

    loop = MonitorLoop(
        cycle, timedelta(seconds=0.001), heart=lambda: heart, watch=lambda: looks.append(None)
    )
    loop.run()
    assert len(looks) == 3
    assert seen == [[], [1], [1]]
    assert (heart._cycles, heart._failures) == (3, 1)
    assert desk.json("monitor", "status") == []


def test_news_of_a_silent_monitor_is_told_by_the_next(desk: Desk) -> None:
    """Also by one that cron calls: it pays what another has noted and not lived to tell."""
    now = utc_now()
    gone = Silence.of("lab-7", now - LONG_AGO, now)
    note = Document(kind=KIND, partition=PARTITION, key=gone.key, body=gone.render())
    desk.world.documents.add(note)
    for _ in range(2):
        desk.ok("monitor", "--once")
    assert isinstance(desk.world.notifier, InMemoryNotifier)
    assert [event.event_id for event in desk.world.notifier.sent] == [gone.key]
