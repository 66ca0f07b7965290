"""``daylily notices``: news that came to nobody."""

from collections.abc import Sequence

import click
from rich.table import Table
from rich.text import Text

from daylily.entrypoints.cli.base import DaylilyGroup, pass_session
from daylily.entrypoints.cli.render import age_of
from daylily.entrypoints.cli.session import Session
from daylily.entrypoints.notice_views import NoticeView

channel_option = click.option(
    "--channel", metavar="NAME", help="Of this channel alone, such as sns, linear or webhook."
)


@click.group(cls=DaylilyGroup)
def notices() -> None:
    """
    List news that no channel took, and send it once more.

    News is owed to each channel for a day. What it has not taken by then, or refuses for good, is kept
    here until somebody sees to it.

    \b
    Examples:
      daylily notices list
      daylily notices redeliver ws-001-4-error
      daylily notices redeliver --all --channel linear
    """


@notices.command(name="list")
@channel_option
@pass_session
def list_(session: Session, channel: str | None) -> None:
    """List what came to nobody, oldest first."""
    session.refuse_url()
    found = [NoticeView.of(each) for each in session.app.redeliver.waiting(channel)]
    if session.as_json:
        session.print_json(found)
        return
    if not found:
        click.echo("all news has come to its channels")
        return
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("NOTICE", "CHANNEL", "HAPPENED", "MESSAGE", "WHY NOT"):
        table.add_column(title, overflow="fold")
    for each in found:
        when = age_of(each.happened_at, session.app.world.clock())
        table.add_row(each.notice, each.channel, when, Text(each.message), Text(each.why))
    session.print(table)


@notices.command()
@click.argument("ids", metavar="[NOTICE]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that is on the list.")
@channel_option
@pass_session
def redeliver(session: Session, ids: Sequence[str], everything: bool, channel: str | None) -> None:
    """
    Send what is on the list once more, under the ids it has always had.

    Exits 1 if a channel still does not take something; that stays on the list.
    """
    session.refuse_url()
    if bool(ids) is everything:
        raise click.UsageError("name notices, or say --all")
    found = [
        each
        for each in session.app.redeliver.waiting(channel)
        if everything or each.event.event_id in ids
    ]
    unknown = sorted(set(ids) - {each.event.event_id for each in found})
    if unknown:
        raise click.UsageError(f"not on the list: {', '.join(unknown)}")
    outcomes = [NoticeView.of(each, session.app.redeliver(each).refused) for each in found]
    if session.as_json:
        session.print_json(outcomes)
    else:
        for each in outcomes:
            said = "sent" if each.refused is None else "not sent"
            why = f": {each.refused}" if each.refused else ""
            click.echo(f"{said} {each.notice} to {each.channel}{why}")
    if any(each.refused is not None for each in outcomes):
        raise click.exceptions.Exit(1)
