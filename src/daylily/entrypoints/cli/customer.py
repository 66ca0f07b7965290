"""``daylily customer``: whom worksets of this store belong to."""

import click
from rich.table import Table
from rich.text import Text

from daylily.domain.customers import Customer
from daylily.domain.names import check_id
from daylily.entrypoints.cli.base import DaylilyGroup, pass_session
from daylily.entrypoints.cli.session import Session
from daylily.ports.paging import every


@click.group(cls=DaylilyGroup)
def customer() -> None:
    """
    Take on customers, and list them. Commands act for one by --customer.

    \b
    Examples:
      daylily customer list
      daylily customer add acme --name "ACME Genomics"
      daylily submit run7/ --customer acme
    """


@customer.command()
@click.argument("customer_id", metavar="ID")
@click.option("--name", metavar="TEXT", help="What people call them [default: the id].")
@click.option("--email", metavar="ADDRESS", help="Where to reach them.")
@pass_session
def add(session: Session, customer_id: str, name: str | None, email: str | None) -> None:
    """Take on a new customer."""
    session.refuse_url()
    made = Customer(
        customer_id=check_id(customer_id, "ID"), name=name or customer_id, email=email or None
    )
    session.app.world.customers.add(made)
    if session.as_json:
        session.print_json(made)
    else:
        click.echo(made.customer_id)


@customer.command(name="list")
@pass_session
def list_(session: Session) -> None:
    """List the customers of this store."""
    session.refuse_url()
    customers = session.app.world.customers
    found = list(every(lambda cursor: customers.list(cursor=cursor)))
    if session.as_json:
        session.print_json(found)
        return
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("ID", "NAME", "EMAIL"):
        table.add_column(title, overflow="fold")
    for each in found:
        table.add_row(each.customer_id, Text(each.name), Text(each.email or ""))
    session.print(table)
