"""``daylily token``."""

import click

from daylily.domain.errors import NotFoundError
from daylily.entrypoints.cli.base import DaylilyGroup, pass_session
from daylily.entrypoints.cli.session import Session
from daylily.entrypoints.service import ADMIN_TOKEN, read_admin_token


@click.group(cls=DaylilyGroup)
def token() -> None:
    """
    Show the token that signs you in at this home's server.

    \b
    Examples:
      daylily token show
      export DAYLILY_TOKEN=$(daylily token show --home /data/daylily)
    """


@token.command()
@pass_session
def show(session: Session) -> None:
    """Print the token."""
    found = read_admin_token(session.settings.home)
    if found is None:
        raise NotFoundError(
            f"there is no {session.settings.home / ADMIN_TOKEN} yet: 'daylily up' makes it"
        )
    if session.as_json:
        session.print_json({"token": found})
    else:
        click.echo(found)
