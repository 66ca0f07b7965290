"""``daylily ledger``: do the store, the directories and the engines say the same?"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import click

from daylily.application.check_ledger import Seen, Tell
from daylily.application.mend_ledger import Mended, Outcome
from daylily.domain.divergences import Divergence, Side
from daylily.entrypoints.cli.base import DaylilyGroup, pass_session
from daylily.entrypoints.cli.failures import NotCompleteError, plain
from daylily.entrypoints.cli.session import Session

_SIDES: Final = {
    "s3": Side.SENTINELS,
    "directories": Side.SENTINELS,
    "dynamodb": Side.STORE,
    "store": Side.STORE,
}
_COLOURS: Final = {
    Outcome.MENDED: "green",
    Outcome.WOULD_MEND: "yellow",
    Outcome.LEFT: "yellow",
    Outcome.FAILED: "red",
}


@click.group(cls=DaylilyGroup)
def ledger() -> None:
    """
    Compare the store, the directories and the engines; mend what differs.

    \b
    Examples:
      daylily ledger check                        what differs, who is right, and why
      daylily ledger repair --dry-run             what would be done about it
      daylily ledger repair                       do it
      daylily ledger rebuild --from s3            the table is lost: make it anew
      daylily ledger rebuild --from dynamodb      directories are lost: make them anew

    Exits 0 if all agree, or do now; 1 if something is left.
    """


@ledger.command()
@pass_session
def check(session: Session) -> None:
    """Show what differs, which side is right and why. Changes nothing."""
    session.refuse_url()
    found = []
    with _counting(session) as (tell, say):
        for divergence in session.app.check(tell):
            found.append(divergence)
            if not session.as_json:
                say(_told(divergence))
    if session.as_json:
        session.print_json(found)
    elif not found:
        click.echo("store, directories and engines agree")
    else:
        click.echo(f"{_counted(found)}: see `daylily ledger repair --dry-run`")
    if found:
        raise NotCompleteError


@ledger.command()
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@pass_session
def repair(session: Session, *, dry_run: bool) -> None:
    """Mend what differs, as the rules say that `check` names."""
    session.refuse_url()
    _mend(session, None, dry_run=dry_run)


@ledger.command()
@click.option(
    "--from",
    "side",
    type=click.Choice(list(_SIDES)),
    required=True,
    metavar="s3|dynamodb",
    help="The side that is whole: 'directories' and 'store' say the same without AWS.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_session
def rebuild(session: Session, *, side: str, dry_run: bool, yes: bool) -> None:
    """
    Make one side anew from the other, which stays as it is.

    From the directories: worksets that the store has lost come back, with what the directories tell of
    them. From the store: directories are written anew. What is there and agrees is left alone.
    """
    session.refuse_url()
    if not (dry_run or yes):
        other = "the directories" if _SIDES[side] is Side.STORE else "the store"
        click.confirm(f"Make {other} anew from what {side} says?", abort=True, err=True)
    _mend(session, _SIDES[side], dry_run=dry_run)


def _mend(session: Session, trust: Side | None, *, dry_run: bool) -> None:
    found: list[Mended] = []
    with _counting(session) as (tell, say):
        for mended in session.app.mend(trust=trust, dry_run=dry_run, tell=tell):
            found.append(mended)
            if not session.as_json:
                say(_outcome(mended))
    if session.as_json:
        session.print_json(found)
    else:
        outcomes = Counter(each.outcome for each in found)
        told = ", ".join(f"{number} {outcome}" for outcome, number in outcomes.items())
        click.echo(told or "nothing differs")
    if any(each.outcome in {Outcome.LEFT, Outcome.FAILED} for each in found):
        raise NotCompleteError


def _told(divergence: Divergence) -> str:
    said = [f"store: {divergence.store}" if divergence.store else ""]
    said.append(f"directory: {divergence.sentinels}" if divergence.sentinels else "")
    said.append(f"engine: {divergence.engine}" if divergence.engine else "")
    lines = [
        f"{click.style(divergence.workset_id, bold=True)}  {divergence.kind}",
        f"    {plain('; '.join(filter(None, said)))}",
        f"    {_judgement(divergence)}",
    ]
    if divergence.advice:
        lines.append(f"    {plain(divergence.advice)}")
    return "\n".join(lines)


def _judgement(divergence: Divergence) -> str:
    if divergence.wins is Side.NOBODY:
        return plain(f"nobody can say who is right: {divergence.why}")
    who = {Side.STORE: "the store", Side.SENTINELS: "the directory", Side.ENGINE: "the engine"}
    return plain(f"{who[divergence.wins]} is right: {divergence.why}")


def _outcome(mended: Mended) -> str:
    outcome = click.style(f"{mended.outcome:10}", fg=_COLOURS[mended.outcome])
    divergence = mended.divergence
    text = mended.text or divergence.advice or divergence.why
    return f"{outcome}  {divergence.workset_id}  {divergence.kind}: {plain(text)}"


def _counted(found: Sequence[Divergence]) -> str:
    # Of one workset several things may differ.
    number = len({each.workset_id for each in found})
    return "1 workset differs" if number == 1 else f"{number} worksets differ"


@contextmanager
def _counting(session: Session) -> Iterator[tuple[Tell, Callable[[str], None]]]:
    """Show how far a check has come, on a terminal; what is printed meanwhile goes above it."""
    console = session.console(stderr=True)
    if session.as_json or not console.is_terminal:
        yield _silent, click.echo
        return
    from rich.live import Live
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    progress = Progress(*columns, console=console)
    listing = progress.add_task("directories", total=None)
    reading = progress.add_task("worksets", total=None)

    def shown() -> Live:
        live = Live(progress, console=console, transient=True)
        live.start()
        return live

    live = shown()

    def tell(seen: Seen) -> None:
        progress.update(listing, completed=seen.directories)
        # Most worksets have a directory, so that is about how many there are to read.
        known = seen.directories if seen.worksets else None
        progress.update(reading, completed=seen.worksets, total=known)

    def say(text: str) -> None:
        nonlocal live
        live.stop()
        click.echo(text)
        # A new one: started again, it would wipe as many lines as it has drawn, which are the text's.
        live = shown()

    try:
        yield tell, say
    finally:
        live.stop()


def _silent(_: Seen) -> None:
    """Say nothing of how far a check has come."""
