"""``daylily logs``."""

import json
import time

import click

from daylily.domain.errors import NotFoundError, UnavailableError
from daylily.entrypoints.cli.base import command, pass_session
from daylily.entrypoints.cli.complete import WORKSET_ID
from daylily.entrypoints.cli.session import Session
from daylily.entrypoints.views import LogView


@command(
    epilog="""\b
Examples:
  daylily logs na12878-k3v9x0q2ab
  daylily logs -f na12878-k3v9x0q2ab | grep WARN
  daylily logs na12878-k3v9x0q2ab --attempt 1

With --json, each part is one JSON line: text, and the offset in bytes where the next begins.
"""
)
@click.argument("workset_id", metavar="ID", type=WORKSET_ID)
@click.option("-f", "--follow", is_flag=True, help="Go on until the attempt has ended.")
@click.option("--attempt", type=click.IntRange(1), metavar="N", help="Which [default: the last].")
@click.option("--interval", type=click.FloatRange(0.05), default=0.5, help="Seconds between looks.")
@pass_session
def logs(session: Session, workset_id: str, follow: bool, attempt: int | None, interval: float) -> None:
    """Print what a workset's pipeline has written."""
    if follow:
        _await_launch(session, workset_id, attempt, interval)
    offset = 0
    while True:
        part = _read(session, workset_id, attempt, offset, patient=follow)
        if part is not None:
            _print(session, part)
            if part.ended:
                return
            grown, offset = part.offset > offset, part.offset
            if grown:
                continue  # there may be more at once
        if not follow:
            return
        time.sleep(interval)


def _await_launch(session: Session, workset_id: str, attempt: int | None, interval: float) -> None:
    """Wait until there is an attempt to follow."""
    told = False
    while True:
        workset = session.client.get(workset_id)
        if workset.ended or len(workset.attempts) >= (attempt or 1):
            return
        if not told:
            told = True
            session.say(f"{workset_id} is {workset.state}; waiting for its launch")
        time.sleep(interval)


def _read(
    session: Session, workset_id: str, attempt: int | None, offset: int, *, patient: bool
) -> LogView | None:
    """Return what has been written since; None if that cannot be told right now."""
    try:
        return session.client.log(workset_id, attempt=attempt, offset=offset)
    except UnavailableError as error:
        if not patient:
            raise
        session.say(f"{error}; trying again")
        time.sleep(2)
        return None
    except NotFoundError:
        # A job that was handed over this moment has no log yet.
        if not patient or session.client.get(workset_id).ended:
            raise
        return None


def _print(session: Session, part: LogView) -> None:
    if session.as_json:
        fields = {"text": part.text, "offset": part.offset, "ended": part.ended}
        click.echo(json.dumps(fields, ensure_ascii=False))
    elif part.text:
        click.echo(part.text, nl=False)
