"""``daylily config``: what the settings are, where each comes from, and what is wrong with them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs
import click
import platformdirs

from daylily.config import CONFIG_VARIABLE, Settings
from daylily.domain.spelling import meant
from daylily.entrypoints.cli.base import DaylilyGroup, pass_session
from daylily.entrypoints.cli.session import Session

_NO_SETTINGS: Final = ("DAYLILY_TEST_", "DAYLILY_PROGRESS", "DAYLILY_ATTEMPT")
"""What tests and jobs are told by."""


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


def strange_variables(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return variables that look like settings of ours and are none, each with what to do about it."""
    fields = attrs.fields(Settings)
    known = {
        CONFIG_VARIABLE,
        *(field.metadata["variable"] for field in fields if "variable" in field.metadata),
        *(name for field in fields for name in field.metadata.get("fallbacks", ())),
    }
    strange = sorted(
        name
        for name in environ
        if name.startswith("DAYLILY_") and not name.startswith(_NO_SETTINGS) and name not in known
    )
    by_setting = {
        field.name: field.metadata["variable"] for field in fields if "variable" in field.metadata
    }

    def guess_of(name: str) -> str | None:
        # The prefix is half of a name: by likeness of the whole, S3_BUCKET would never be meant.
        setting = meant(name.removeprefix("DAYLILY_"), by_setting)
        return by_setting[setting] if setting else meant(name, known)

    guesses = {name: guess_of(name) for name in strange}
    return [
        (name, f"did you mean {guess}?" if guess else "unset it, or see 'daylily config show'")
        for name, guess in guesses.items()
    ]


@config.command()
@pass_session
def show(session: Session) -> None:
    """Print each setting and where it came from; secrets are masked."""
    rows = list(session.loaded.rows())
    _warn(session)
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
    _warn(session)
    if session.as_json:
        warnings = [f"{name}: {advice}" for name, advice in strange_variables(os.environ)]
        warnings += session.loaded.notes
        session.print_json({"settings": len(rows), "faults": [], "warnings": warnings})
    else:
        click.echo("the settings are sound")


def _warn(session: Session) -> None:
    for name, advice in strange_variables(os.environ):
        session.say(f"warning: {name} is no setting of daylily: {advice}")
    for note in session.loaded.notes:
        session.say(f"warning: {note}")
