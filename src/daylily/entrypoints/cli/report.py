"""``daylily report``: every workset on a line, for spreadsheets."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import click

from daylily.application.report_worksets import Asked
from daylily.domain.reporting import ReportRow
from daylily.entrypoints.cli.base import DaylilyCommand, pass_session
from daylily.entrypoints.cli.in_order import in_order
from daylily.entrypoints.cli.report_columns import cells, facts, titles
from daylily.entrypoints.cli.report_targets import (
    TERM,
    Target,
    print_json,
    print_table,
    target_of,
    write_file,
    write_object,
)
from daylily.entrypoints.cli.session import Session
from daylily.ports.object_store import ObjectStore

_NAMES = "--process-directory"


class ReportCommand(DaylilyCommand):
    """A command one of whose options takes several words, as that of old did."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read ``--process-directory A B`` as if the option stood before each."""
        return super().parse_args(ctx, list(_repeated(args)))


def _repeated(args: list[str]) -> Iterator[str]:
    names = 0
    for arg in args:
        if arg == _NAMES:
            names = 1
        elif arg.startswith("-"):
            names = 0
        elif names:
            if names > 1:
                yield _NAMES
            names += 1
        yield arg


def report_options(call: Callable[..., Any]) -> Callable[..., Any]:
    """Add what is said of a report."""
    for option in (
        click.argument("target", default=TERM, metavar="[TARGET]"),
        click.option(
            _NAMES, "names", multiple=True, metavar="NAME...",
            help="Only these worksets; all that follow it are names.",
        ),
        click.option("--min-deets", "minimal", is_flag=True, help="Only five columns."),
        click.option("--include-archive", "archive", is_flag=True, help="Also what is archived."),
        click.option(
            "--sizes", is_flag=True,
            help="Also count and weigh files: a listing for each workset.",
        ),
    ):  # fmt: skip
        call = option(call)
    return call


@click.command(
    cls=ReportCommand,
    epilog="""\b
Examples:
  daylily report                                   a table, what needs a person first
  daylily report worksets.csv --sizes              for a spreadsheet (or .tsv), with sizes of files
  daylily report s3://my-bucket/reports/today.tsv --include-archive
  daylily report --min-deets --process-directory ws-001 ws-002

Of all customers, unless --customer names one. What is not known is blank. Exits 2 if TARGET is none of
term, FILE.csv, FILE.tsv and s3://BUCKET/KEY.csv or .tsv; names that nobody knows are only warned of.
""",
)
@report_options
@pass_session
def report(session: Session, **how: Any) -> None:
    """Tell what is known of all worksets: state, times, samples, sizes and costs."""
    session.refuse_url()
    make(session, **how)


def make(
    session: Session,
    *,
    target: str,
    names: tuple[str, ...],
    minimal: bool,
    archive: bool,
    sizes: bool,
) -> None:
    """
    Make a report.

    Raises:
        click.UsageError: There is no such target.
        UnavailableError: A store does not answer; what was at the target before still is.
    """
    place = target_of(target)
    if session.as_json and place.text != TERM:
        raise click.UsageError("--json prints; it does not go with a file")
    customer = session.flags.get("customer")
    asked = Asked(names=names, customer_id=customer, archive=archive, sizes=sizes)
    absent: list[str] = []
    rows = _counted(session, session.app.report(asked, absent.append), len(names))
    if session.as_json:
        entries = ((row.rank, row.workset, facts(row, minimal=minimal)) for row in rows)
        print_json(entry for _, _, entry in in_order(entries))
    else:
        _write(session, place, rows, titles(minimal=minimal))
    for name in absent:
        click.echo(f"warning: there is no workset {name}", err=True)
    if archive and session.settings.archive_prefix is None:
        session.say("no archive_prefix is set: only what the store itself has archived is shown")


def _write(session: Session, place: Target, rows: Iterator[ReportRow], wanted: list[str]) -> None:
    widths = [0] * len(wanted)
    count = 0

    def entries() -> Iterator[tuple[int, str, list[str]]]:
        nonlocal count, widths
        for row in rows:
            texts = cells(row, wanted)
            widths = [max(width, len(text)) for width, text in zip(widths, texts, strict=True)]
            count += 1
            yield row.rank, row.workset, texts

    lines = (texts for _, _, texts in in_order(entries()))
    # Once the first is there, all have been read: a bar can go, and the widths are known.
    first = next(lines, None)
    body = chain([] if first is None else [first], lines)
    if place.text == TERM:
        console = session.console()
        print_table(wanted, body, widths, console.width if console.is_terminal else None)
    elif place.bucket is not None:
        write_object(place, chain([wanted], body), _objects(session, place.bucket))
    else:
        write_file(place, chain([wanted], body))
    if place.text != TERM or not count:
        there = "" if place.text == TERM else f" in {place.text}"
        session.say(f"{count or 'no'} workset{'' if count == 1 else 's'}{there}")


def _objects(session: Session, bucket: str) -> ObjectStore:
    from daylily.bootstrap import bucket_of

    settings = session.settings
    if settings.store == "aws" and settings.bucket == bucket:
        return session.app.world.objects
    return bucket_of(settings, bucket)


def _counted(session: Session, rows: Iterator[ReportRow], total: int) -> Iterator[ReportRow]:
    """Show on a terminal how many rows there are, as they come; it is gone once all have come."""
    console = session.console(stderr=True)
    if session.as_json or not console.is_terminal:
        yield from rows
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("worksets"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield from progress.track(rows, total=total or None)
