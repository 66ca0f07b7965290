"""``daylily config``: what the settings are, where each comes from, and what is wrong with them."""

from pathlib import Path

import attrs
import click
import platformdirs

from daylily.config import CONFIG_VARIABLE, Settings
from daylily.entrypoints.cli.base import DaylilyGroup, pass_session
from daylily.entrypoints.cli.session import Session


@click.group(cls=DaylilyGroup)
def config() -> None:
    """
    Show and check the settings.

    Flags win over the environment, that over the YAML file, and that over the defaults.

    \b
    Examples:
      daylily config show
      DAYLILY_MAX_CONCURRENT=8 daylily config show --json
      daylily config validate --config site.yaml
    """


@config.command()
@pass_session
def show(session: Session) -> None:
    """Print each setting and where it came from; secrets are masked."""
    rows = list(session.loaded.rows())
    if session.as_json:
        session.print_json({name: {"value": value, "origin": origin} for name, value, origin in rows})
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("SETTING", "VALUE", "FROM", "VARIABLE"):
        table.add_column(title, overflow="fold")
    variables = {each.name: each.metadata.get("variable", "") for each in attrs.fields(Settings)}
    for name, value, origin in rows:
        table.add_row(name, Text(value), Text(origin), variables[name])
    session.print(table)


@config.command()
@pass_session
def path(session: Session) -> None:
    """Print where the YAML file is, or would be."""
    import os

    own = Path(platformdirs.user_config_dir("daylily", appauthor=False)) / "config.yaml"
    file = session.config_path or Path(os.environ.get(CONFIG_VARIABLE) or own)
    if session.as_json:
        session.print_json({"path": str(file), "exists": file.is_file()})
        return
    click.echo(file)
    if not file.is_file():
        session.say("(there is no such file; the defaults hold)")


@config.command()
@pass_session
def validate(session: Session) -> None:
    """Check the settings; every fault is listed, and the exit code is 2."""
    rows = list(session.loaded.rows())
    if session.as_json:
        session.print_json({"settings": len(rows), "faults": []})
    else:
        click.echo("the settings are sound")
