"""``daylily history``."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

import click

from daylily.entrypoints.cli.base import command, pass_session
from daylily.entrypoints.cli.complete import WORKSET_ID
from daylily.entrypoints.cli.render import timeline
from daylily.entrypoints.cli.session import Session
from daylily.entrypoints.views import HistoryPage, TransitionView

_PAGE: Final = 1000


@command(
    epilog="""\b
Examples:
  daylily history na12878-k3v9x0q2ab
  daylily history na12878-k3v9x0q2ab --limit 20
  daylily history na12878-k3v9x0q2ab --json | jq -r '.transitions[].state'
"""
)
@click.argument("workset_id", metavar="ID", type=WORKSET_ID)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="The latest N only [default: all].")
@pass_session
def history(session: Session, workset_id: str, limit: int | None) -> None:
    """
    Show all that a workset has ever been through, latest first, and who did it.

    show tells of the latest transitions only: of one that has had thousands, some are kept apart.
    """
    steps = tuple(islice(_every(session, workset_id, limit), limit))
    if session.as_json:
        session.print_json(HistoryPage(transitions=steps, cursor=None))
        return
    session.print(timeline(steps, actors=True))


def _every(session: Session, workset_id: str, limit: int | None) -> Iterator[TransitionView]:
    size = min(limit or _PAGE, _PAGE)
    page = session.client.history(workset_id, cursor=None, limit=size)
    yield from page.transitions
    while page.cursor is not None:
        page = session.client.history(workset_id, cursor=page.cursor, limit=size)
        yield from page.transitions
