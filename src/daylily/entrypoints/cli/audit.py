"""``daylily audit``."""

import click
from rich.table import Table
from rich.text import Text

from daylily.domain.customers import Principal
from daylily.entrypoints.account_views import EntryView
from daylily.entrypoints.cli.base import command, pass_session
from daylily.entrypoints.cli.session import Session


@command(
    epilog="""\b
Examples:
  daylily audit --customer acme
  daylily audit --customer acme --limit 1000 --json
"""
)
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Entries at most."
)
@click.option("--nobodys", is_flag=True, help="What concerns no customer.")
@pass_session
def audit(session: Session, limit: int, nobodys: bool) -> None:
    """Tell who did what for the customer, latest first."""
    session.refuse_url()
    settings = session.settings
    who = Principal(name=session.user, customer_id=settings.customer, operator=True)
    customer = None if nobodys else settings.customer
    found = [*map(EntryView.of, session.app.audit.list(who, customer, limit=limit).items)]
    if session.as_json:
        session.print_json(found)
        return
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("AT", "WHO", "WHAT", "OUTCOME", "TARGET"):
        table.add_column(title, overflow="fold")
    for each in found:
        at = each.at[:19].replace("T", " ")
        table.add_row(at, Text(each.actor), each.action, each.outcome, Text(each.target))
    session.print(table)
