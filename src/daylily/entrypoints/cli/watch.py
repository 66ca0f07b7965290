"""``daylily watch``, and the waiting of other commands."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import click
from attrs import define, field

from daylily.domain.errors import UnavailableError
from daylily.domain.lifecycle import State
from daylily.entrypoints.cli.base import command, pass_session
from daylily.entrypoints.cli.client import Query
from daylily.entrypoints.cli.complete import WORKSET_ID
from daylily.entrypoints.cli.failures import NotCompleteError, plain
from daylily.entrypoints.cli.listing import Listing
from daylily.entrypoints.cli.render import progress_of, time_of
from daylily.entrypoints.cli.session import Session
from daylily.entrypoints.views import WorksetView

_UNDER_WAY: Final = (State.READY, State.LOCKED, State.IN_PROGRESS, State.RETRYING)
_LONELY: Final = 8.0
"""Seconds in ``ready`` after which we wonder whether any monitor is running."""
_PATIENCE: Final = 300.0
"""Seconds that a store or server may be away while somebody watches."""


@command(
    epilog="""\b
Examples:
  daylily watch                            all that are under way, until they end
  daylily watch na12878-k3v9x0q2ab
  daylily watch ID1 ID2 --json             one JSON line for each change

Exits 0 once all have ended, however they did; use submit --wait where that matters.
"""
)
@click.argument("workset_ids", nargs=-1, metavar="[ID]...", type=WORKSET_ID)
@click.option("--interval", type=click.FloatRange(0.1), default=1.0, help="Seconds between looks.")
@pass_session
def watch(session: Session, workset_ids: tuple[str, ...], interval: float) -> None:
    """Watch worksets live, until all of them have ended."""
    ids = list(dict.fromkeys(workset_ids))
    if not ids:
        page = session.client.list(Query(states=_UNDER_WAY))
        ids = [workset.workset_id for workset in page.worksets]
        if not ids:
            session.say("nothing is under way")
            return
    follow(session, ids, interval=interval)


def wait_for(
    session: Session, ids: Sequence[str], wanted: Callable[[WorksetView], bool]
) -> list[WorksetView]:
    """
    Watch until all have ended, and print them.

    Raises:
        NotCompleteError: One of them did not end as *wanted*.
    """
    last = follow(session, ids, quiet=session.as_json, stderr=True)
    if session.as_json:
        session.print_json(last[0] if len(last) == 1 else last)
    else:
        for workset in last:
            click.echo(f"{workset.workset_id} {workset.state}")
            if workset.headline and not wanted(workset):
                session.say(workset.headline)
                if workset.advice:
                    session.say(f"what to do: {workset.advice}")
            if workset.state == "complete" and workset.results_uri:
                session.say(f"results: {workset.results_uri}")
    if not all(map(wanted, last)):
        raise NotCompleteError
    return last


def follow(
    session: Session,
    ids: Sequence[str],
    *,
    interval: float = 1.0,
    quiet: bool = False,
    stderr: bool = False,
) -> list[WorksetView]:
    """
    Show worksets until all have ended, and return them as they ended.

    Live on a terminal; elsewhere a line for each change, or nothing if *quiet*.

    Args:
        stderr: Show them there, since standard output is for what comes of it.
    """
    try:
        return _show(session, _looks(session, ids, interval), quiet=quiet, stderr=stderr)
    except KeyboardInterrupt:
        # People wonder whether they have stopped what they watched.
        session.say(f"no longer watching; nothing was stopped. Again: daylily watch {' '.join(ids)}")
        raise


def _show(
    session: Session, looks: Iterator[list[WorksetView]], *, quiet: bool, stderr: bool
) -> list[WorksetView]:
    console = session.console(stderr=stderr)
    last: list[WorksetView] = []
    if quiet:
        last = deque(looks, maxlen=1).pop()
    elif session.as_json or not console.is_terminal:
        teller = _Teller(session, stderr)
        for last in looks:
            teller.tell(last)
    else:
        from rich.live import Live

        session.say("Ctrl-C ends the watching, not the worksets.")
        with Live(console=console, auto_refresh=False) as live:
            for last in looks:
                live.update(Listing(last), refresh=True)
    return last


def _looks(session: Session, ids: Sequence[str], interval: float) -> Iterator[list[WorksetView]]:
    """Yield the worksets again and again; those that have ended are not asked for any more."""
    seen: dict[str, WorksetView] = {}
    started = time.monotonic()
    wondered = False
    while True:
        for workset_id in ids:
            if workset_id not in seen or not seen[workset_id].ended:
                seen[workset_id] = _patiently(session, workset_id)
        yield [seen[workset_id] for workset_id in ids]
        if all(workset.ended for workset in seen.values()):
            return
        waiting = all(workset.state in {"ready", *_ENDED} for workset in seen.values())
        if waiting and not wondered and time.monotonic() - started > _LONELY:
            wondered = True
            session.say("still waiting for a monitor: is one running? (daylily up, daylily monitor)")
        time.sleep(interval)


_ENDED: Final = frozenset(State) - frozenset(_UNDER_WAY)


def _patiently(session: Session, workset_id: str) -> WorksetView:
    """Read a workset; sit out a store or server that is away for a while."""
    deadline = time.monotonic() + _PATIENCE
    wait = 0.5
    while True:
        try:
            return session.client.get(workset_id)
        except UnavailableError as error:
            if time.monotonic() + wait > deadline:
                raise
            session.say(f"{error}; trying again in {wait:g} s")
            time.sleep(wait)
            wait = min(2 * wait, 15)


@define
class _Teller:
    """Tells changes line by line."""

    _session: Session
    _stderr: bool
    _told: dict[str, tuple[str, str]] = field(init=False, factory=dict)

    def tell(self, worksets: Sequence[WorksetView]) -> None:
        for workset in worksets:
            news = (workset.state, progress_of(workset))
            before = self._told.get(workset.workset_id)
            if before == news:
                continue
            self._told[workset.workset_id] = news
            if self._session.as_json:
                import json

                from daylily.entrypoints.views import to_json

                click.echo(json.dumps(to_json(workset), ensure_ascii=False))
            else:
                # Progress is no change of the workset, and has no time of its own.
                changed = before is None or before[0] != workset.state
                at = workset.updated_at if changed else datetime.now(UTC).isoformat()
                # Who waits says at the end what went wrong, and what to do about it.
                text = "" if self._stderr and workset.ended else news[1]
                line = f"{time_of(at)}  {workset.workset_id}  {workset.state}  {text}"
                click.echo(plain(line).rstrip(), err=self._stderr)
