"""``daylily why``: what a workset waits for."""

import click

from daylily.entrypoints.cli.base import command, pass_session
from daylily.entrypoints.cli.complete import WORKSET_ID
from daylily.entrypoints.cli.session import Session


@command(
    epilog="""\b
Examples:
  daylily why na12878-k3v9x0q2ab
  daylily why na12878-k3v9x0q2ab --json | jq -r .cause
"""
)
@click.argument("workset_id", metavar="ID", type=WORKSET_ID)
@pass_session
def why(session: Session, workset_id: str) -> None:
    """Say why a workset is where it is: its place in the queue, a lock, a retry, the engine."""
    found = session.client.why(workset_id)
    if session.as_json:
        session.print_json(found)
        return
    from daylily.entrypoints.cli.render import age_of, grid

    rows = [("State", found.state), ("Why", found.text)]
    if found.until:
        rows.append(("Until", f"{found.until} ({age_of(found.until)})"))
    if found.remedy:
        rows.append(("What to do", found.remedy))
    session.print(grid(rows))
