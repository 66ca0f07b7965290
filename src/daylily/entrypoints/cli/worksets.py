"""``daylily list``, ``show``, ``cancel`` and ``retry``."""

from collections.abc import Callable, Sequence

import click
from attrs import define, evolve, field

from daylily.domain.errors import ConflictError, DaylilyError
from daylily.domain.lifecycle import LIFECYCLE, Priority, State
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
    hopeless = _Outcome()
    if not yes and session.interactive:
        # Nobody is asked about what cannot be.
        hopeless = _each(ids, lambda workset_id: _still_cancelable(session.client.get(workset_id)))
        ids = [workset.workset_id for workset in hopeless.done]
        if ids and not click.confirm(f"Cancel {', '.join(ids)}?", err=True):
            session.say("nothing was canceled")
            ids = []
    asked = _each(ids, lambda workset_id: session.client.cancel(workset_id, reason))
    _finish(session, asked, hopeless.trouble, wanted=State.CANCELED if wait else None)


def _still_cancelable(workset: WorksetView) -> WorksetView:
    state = State(workset.state)
    if state is State.ARCHIVED or State.CANCELED not in LIFECYCLE[state]:
        raise ConflictError(f"{workset.workset_id} is {workset.state}: there is nothing to cancel")
    return workset


@command(
    epilog="""\b
Examples:
  daylily retry na12878-k3v9x0q2ab --wait
  daylily retry na12878-k3v9x0q2ab --failed-samples
  daylily list --state error --json | jq -r '.worksets[].workset_id' | xargs daylily retry
"""
)
@click.argument("workset_ids", nargs=-1, required=True, metavar="ID...", type=WORKSET_ID)
@click.option(
    "--reason", default="", metavar="TEXT", help="What has changed; it goes into the history."
)
@click.option("--failed-samples", is_flag=True, help="Run only samples that have not come out well.")
@click.option("--wait", is_flag=True, help="Stay until they end; exit 0 only if all are complete.")
@pass_session
def retry(
    session: Session, workset_ids: tuple[str, ...], reason: str, failed_samples: bool, wait: bool
) -> None:
    """Run worksets again that ended in error, as a new attempt; earlier ones are kept."""

    def again(workset_id: str) -> WorksetView:
        return session.client.retry(workset_id, reason, failed_samples=failed_samples)

    asked = _each(list(dict.fromkeys(workset_ids)), again)
    _finish(session, asked, wanted=State.COMPLETE if wait else None)


@define
class _Outcome:
    """What came of acting on several worksets: the trouble of one keeps no other from its turn."""

    done: list[WorksetView] = field(factory=list)
    trouble: list[DaylilyError] = field(factory=list)


def _each(ids: Sequence[str], act: Callable[[str], WorksetView]) -> _Outcome:
    outcome = _Outcome()
    for workset_id in ids:
        try:
            outcome.done.append(act(workset_id))
        except DaylilyError as error:
            outcome.trouble.append(error)
    return outcome


def _finish(
    session: Session,
    outcome: _Outcome,
    trouble: Sequence[DaylilyError] = (),
    *,
    wanted: State | None,
) -> None:
    """
    Tell what was done, and what was not.

    Args:
        trouble: What had gone wrong before.
        wanted: How all are to end, for whoever waits for that.

    Raises:
        DaylilyError: The last that went wrong.
        NotCompleteError: Somebody waited, and one did not end as wanted.
    """
    all_trouble = [*trouble, *outcome.trouble]
    if all_trouble:
        for error in all_trouble[:-1]:
            session.say(f"error: {error}")
        if not session.as_json:
            _tell(session, outcome.done)
        raise all_trouble[-1]
    if wanted is not None and outcome.done:
        wait_for(session, [each.workset_id for each in outcome.done], lambda end: end.state == wanted)
    else:
        _tell(session, outcome.done)


def _tell(session: Session, worksets: Sequence[WorksetView]) -> None:
    if session.as_json:
        session.print_json(worksets)
        return
    for workset in worksets:
        pending = " (stopping)" if workset.cancel_requested_by else ""
        click.echo(f"{workset.workset_id} {workset.state}{pending}")
