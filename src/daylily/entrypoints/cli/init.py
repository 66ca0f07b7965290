"""``daylily init``: make what the stores need, once for all machines."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import click

from daylily.entrypoints.cli.base import command, pass_session
from daylily.entrypoints.cli.failures import NotCompleteError, plain
from daylily.entrypoints.cli.session import Session
from daylily.ports.installation import Step

_PORTS: Final = {"http": 80, "https": 443}
"""What browsers leave out of an origin."""


def _origin(_: click.Context, __: click.Parameter, url: str | None) -> str | None:
    """Return the part of an address that a browser tells with what its pages send."""
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None:
        raise click.BadParameter(f"{url!r} is not an address such as https://portal.lab.example")
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(f':{_PORTS[parts.scheme]}')}"


@command(
    epilog="""\b
Examples:
  daylily init                              a folder on this machine
  S3_BUCKET=acme-worksets daylily init      tables and a bucket of AWS, with the plan first
  daylily init --dry-run                    the plan alone
  daylily init --json                       without asking, for programs
  daylily init --portal https://lab.example  pages of the portal send files to the bucket itself

Asks only where there is a terminal, and exits 1 if the answer is no. Nothing is removed, and a second
run changes nothing. Whoever runs it needs the policy that `daylily iam-policy --role admin` prints;
servers and monitors do with less.
"""
)
@click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask first.")
@click.option(
    "--portal",
    metavar="URL",
    callback=_origin,
    help="Let pages of the portal at this address send files to the bucket, not through the server.",
)
@pass_session
def init(session: Session, *, dry_run: bool, yes: bool, portal: str | None) -> None:
    """Make what the stores need: a folder, or tables and a bucket of AWS."""
    from daylily.bootstrap import installation

    session.refuse_url()
    if portal and session.settings.store != "aws":
        session.say("--portal is for a bucket: here all files go through the server")
    plan = installation(session.settings).plan(portal=portal)
    if not session.as_json:
        _print_plan(session, plan)
    todo = [step for step in plan if step.change]
    if not todo:
        session.say("nothing to do: all is as it should be")
    elif dry_run:
        session.say(f"{_count(len(todo))} would be made")
    else:
        _ask(session, yes)
        for step in todo:
            _carry_out(session, step)
        session.say(f"{_count(len(todo))} made; `daylily doctor` tries it all")
    if session.as_json:
        session.print_json(
            {
                "steps": [
                    {"thing": step.thing, "now": step.now, "change": step.change} for step in plan
                ],
                "changed": 0 if dry_run else len(todo),
            }
        )


def _count(changes: int) -> str:
    return "1 change" if changes == 1 else f"{changes} changes"


def _ask(session: Session, yes: bool) -> None:
    # A folder of one's own costs nothing, and harms nobody.
    free = session.settings.store != "aws"
    if yes or free or not session.interactive:
        return
    if not click.confirm("Make these changes?", err=True):
        session.say("nothing was made")
        raise NotCompleteError


def _carry_out(session: Session, step: Step) -> None:
    session.say(f"{step.thing}: {step.change}")
    step.carry_out(lambda line: session.say(f"  {line}"))


def _print_plan(session: Session, plan: Sequence[Step]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("WHAT", "NOW", "CHANGE"):
        table.add_column(title, overflow="fold")
    for step in plan:
        style = "yellow" if step.change else "green"
        now, change = Text(plain(step.now), style=style), Text(plain(step.change or "-"))
        table.add_row(Text(plain(step.thing)), now, change)
    if plan:
        session.print(table)
