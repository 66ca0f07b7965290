"""``daylily monitor status``: which monitors there are, and how they are."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from attrs import frozen
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from daylily.domain.heartbeat import Heard, Vitality
from daylily.entrypoints.cli.failures import plain
from daylily.entrypoints.cli.render import age_of
from daylily.entrypoints.cli.session import Session

_COLOURS: Final = {
    Vitality.LIVE: "green",
    Vitality.FAILING: "yellow",
    Vitality.SILENT: "red",
    Vitality.ONCE: "dim",
}
_GO_FIRST: Final = ("CYCLES", "STARTED", "TOOK", "FAULTS", "LAG")
"""Which columns go, in this order, where there is no room for all."""
_ROOMY: Final = 1000


def show_monitors(session: Session) -> None:
    """
    Print the monitors that have been heard of within a day.

    Raises:
        UnavailableError: The store does not answer.
    """
    now, found = _heard(session)
    if session.as_json:
        session.print_json([_facts(each, now) for each in found])
    elif not found:
        session.say("no monitor has been heard of within a day")
    else:
        session.print(_Monitors(found, now))


def _heard(session: Session) -> tuple[datetime, tuple[Heard, ...]]:
    from daylily.bootstrap import compose, connect

    settings = session.settings
    given = session.world
    if given is None and settings.store == "local" and not (settings.home / "state.db").exists():
        return datetime.now(UTC), ()  # opening it would make it
    world = given or connect(settings, looking=True)
    try:
        return world.clock(), compose(settings, world).monitors()
    finally:
        if given is None:
            world.close()


@frozen
class _Monitors:
    """The table of them."""

    found: tuple[Heard, ...]
    now: datetime

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw as many columns as there is room for."""
        rows = [_row(each, self.now) for each in self.found]
        titles = list(rows[0])
        for title in _GO_FIRST:
            wide = console.measure(_table(rows, titles), options=options.update(max_width=_ROOMY))
            if wide.maximum <= options.max_width:
                break
            titles.remove(title)
        yield _table(rows, titles)


def _table(rows: Sequence[Mapping[str, Text]], titles: Sequence[str]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for title in titles:
        table.add_column(title, overflow="fold", no_wrap=title not in {"MONITOR", "STATUS"})
    for row in rows:
        table.add_row(*(row[title] for title in titles))
    return table


def _row(heard: Heard, now: datetime) -> Mapping[str, Text]:
    beat, vitality, lag = heard.beat, heard.vitality(now), heard.lag(now)
    failures = f" ({beat.failures} in a row)" if beat.failures else ""
    last = age_of(beat.last_cycle_at.isoformat(), now) if beat.last_cycle_at else "none yet"
    return {
        "MONITOR": Text(plain(beat.name)),
        "STATUS": Text(f"{vitality}{failures}", style=_COLOURS[vitality]),
        "STARTED": Text(age_of(beat.started_at.isoformat(), now)),
        "LAST CYCLE": Text(last),
        "TOOK": Text(_seconds(beat.last_cycle_took) if beat.last_cycle_at else ""),
        "LAG": Text("" if lag is None else _seconds(lag)),
        "CYCLES": Text(str(beat.cycles) if beat.rest is not None else ""),
        "FAULTS": Text(str(beat.faults)),
    }


def _seconds(span: timedelta) -> str:
    """
    Return a span for people.

    >>> _seconds(timedelta(seconds=0.25)), _seconds(timedelta(minutes=5))
    ('0.2 s', '300 s')
    """
    seconds = span.total_seconds()
    return f"{seconds:.1f} s" if 0 < seconds < 10 else f"{seconds:.0f} s"


def _facts(heard: Heard, now: datetime) -> dict[str, Any]:
    beat, lag = heard.beat, heard.lag(now)
    return {
        "monitor": beat.name,
        "host": beat.host,
        "pid": beat.pid,
        "status": str(heard.vitality(now)),
        "started_at": _time(beat.started_at),
        "heard_at": _time(heard.at),
        "last_cycle_at": _time(beat.last_cycle_at) if beat.last_cycle_at else None,
        "last_cycle_seconds": beat.last_cycle_took.total_seconds() if beat.last_cycle_at else None,
        "lag_seconds": None if lag is None else lag.total_seconds(),
        "rest_seconds": None if beat.rest is None else beat.rest.total_seconds(),
        "cycles": beat.cycles,
        "failures": beat.failures,
        "faults": beat.faults,
    }


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
