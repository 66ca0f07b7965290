"""``daylily list``, ``show``, ``cancel`` and ``retry``."""

import sys
from collections.abc import Callable, Sequence

import click
from attrs import evolve

from daylily.domain.errors import DaylilyError
from daylily.domain.lifecycle import Priority, State
from daylily.entrypoints.cli.base import command, pass_session
from daylily.entrypoints.cli.client import Query
from daylily.entrypoints.cli.complete import WORKSET_ID
from daylily.entrypoints.cli.listing import Listing
from daylily.entrypoints.cli.render import details
from daylily.entrypoints.cli.session import Session
from daylily.entrypoints.cli.watch import wait_for
from daylily.entrypoints.views import WorksetPage, WorksetView

_PAGE = 100
"""Worksets asked for at a time."""


@command(
    name="list",
    epilog="""\b
Examples:
  daylily list
  daylily list --state error --state failed --all-customers
  daylily list --name exome --limit 500 --json | jq '.worksets[].workset_id'
""",
)
@click.option(
    "--state",
    "-s",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in State]),
    help="In this state; repeat.",
)
@click.option(
    "--priority", type=click.Choice([each.value for each in Priority]), help="Of this priority."
)
@click.option("--name", metavar="TEXT", help="With this in the name, whatever the case.")
@click.option("--all-customers", is_flag=True, help="Of every customer, not of one's own only.")
@click.option(
    "--limit", "-n", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most."
)
@click.option("--cursor", metavar="TEXT", help="Go on where a list has ended.")
@pass_session
def list_(
    session: Session,
    states: tuple[str, ...],
    priority: str | None,
    name: str | None,
    all_customers: bool,
    limit: int,
    cursor: str | None,
) -> None:
    """List worksets, newest first."""
    query = Query(
        states=tuple(map(State, states)),
        priority=Priority(priority) if priority else None,
        name=name,
        all_customers=all_customers,
        limit=limit,
        cursor=cursor,
    )
    page = _pages(session, query)
    if session.as_json:
        session.print_json(page)
        return
    if page.worksets:
        session.print(Listing(page.worksets, customers=all_customers))
    else:
        session.say("no worksets" + (" match" if states or priority or name else " yet"))
    if page.cursor:
        session.say(f"there are more: add --cursor {page.cursor}, or a higher --limit")


def _pages(session: Session, query: Query) -> WorksetPage:
    """Return up to ``query.limit`` worksets, page by page: servers do not give them all at once."""
    found: list[WorksetView] = []
    cursor = query.cursor
    while True:
        left = query.limit - len(found)
        page = session.client.list(evolve(query, limit=min(left, _PAGE), cursor=cursor))
        found += page.worksets
        cursor = page.cursor
        if cursor is None or len(found) >= query.limit:
            return WorksetPage(worksets=tuple(found), cursor=cursor)


@command(
    epilog="""\b
Examples:
  daylily show na12878-k3v9x0q2ab
  daylily show na12878-k3v9x0q2ab --json | jq -r .results_uri
"""
)
@click.argument("workset_id", metavar="ID", type=WORKSET_ID)
@pass_session
def show(session: Session, workset_id: str) -> None:
    """Show a workset: samples, attempts, timeline, what went wrong, where its results are."""
    workset = session.client.get(workset_id)
    if session.as_json:
        session.print_json(workset)
    else:
        session.print(details(workset))


@command(
    epilog="""\b
Examples:
  daylily cancel na12878-k3v9x0q2ab --reason "wrong reference"
  daylily cancel ID1 ID2 --yes --wait
"""
)
@click.argument("workset_ids", nargs=-1, required=True, metavar="ID...", type=WORKSET_ID)
@click.option("--reason", default="", metavar="TEXT", help="Why; it goes into the history.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--wait", is_flag=True, help="Stay until the engine has stopped them.")
@pass_session
def cancel(session: Session, workset_ids: tuple[str, ...], reason: str, yes: bool, wait: bool) -> None:
    """Cancel worksets. What is running is stopped with all its processes."""
    ids = list(dict.fromkeys(workset_ids))
    if not yes and not session.as_json and sys.stdin.isatty():
        sure = click.confirm(f"Cancel {', '.join(ids)}?", err=True)
        if not sure:
            session.say("nothing was canceled")
            return
    asked = _each(session, ids, lambda workset_id: session.client.cancel(workset_id, reason))
    if wait:
        wait_for(session, [each.workset_id for each in asked], lambda last: last.state == "canceled")
        return
    _tell(session, asked)


@command(
    epilog="""\b
Examples:
  daylily retry na12878-k3v9x0q2ab --wait
  daylily list --state error --json | jq -r '.worksets[].workset_id' | xargs daylily retry
"""
)
@click.argument("workset_ids", nargs=-1, required=True, metavar="ID...", type=WORKSET_ID)
@click.option(
    "--reason", default="", metavar="TEXT", help="What has changed; it goes into the history."
)
@click.option("--wait", is_flag=True, help="Stay until they end; exit 0 only if all are complete.")
@pass_session
def retry(session: Session, workset_ids: tuple[str, ...], reason: str, wait: bool) -> None:
    """Run worksets again that ended in error, as a new attempt; earlier ones are kept."""
    ids = list(dict.fromkeys(workset_ids))
    again = _each(session, ids, lambda workset_id: session.client.retry(workset_id, reason))
    if wait:
        wait_for(session, [each.workset_id for each in again], lambda last: last.state == "complete")
        return
    _tell(session, again)


def _each(session: Session, ids: Sequence[str], act: Callable[[str], WorksetView]) -> list[WorksetView]:
    """
    Act on each; the trouble of one does not keep the others from theirs.

    Raises:
        DaylilyError: The last that went wrong, once all have had their turn.
    """
    done: list[WorksetView] = []
    trouble: list[DaylilyError] = []
    for workset_id in ids:
        try:
            done.append(act(workset_id))
        except DaylilyError as error:
            if trouble:
                session.say(f"error: {trouble[-1]}")
            trouble.append(error)
    if trouble:
        if not session.as_json:
            _tell(session, done)
        raise trouble[-1]
    return done


def _tell(session: Session, worksets: Sequence[WorksetView]) -> None:
    if session.as_json:
        session.print_json(worksets)
        return
    for workset in worksets:
        pending = " (stopping)" if workset.cancel_requested_by else ""
        click.echo(f"{workset.workset_id} {workset.state}{pending}")
