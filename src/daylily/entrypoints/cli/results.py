"""``daylily results``."""

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from daylily.domain.errors import InvalidInputError, NotFoundError
from daylily.domain.names import check_key
from daylily.entrypoints.cli.base import command, pass_session
from daylily.entrypoints.cli.complete import WORKSET_ID
from daylily.entrypoints.cli.failures import plain
from daylily.entrypoints.cli.render import size_of, time_of
from daylily.entrypoints.cli.session import Session
from daylily.entrypoints.views import FilePage, FileView


@command(
    epilog="""\b
Examples:
  daylily results na12878-k3v9x0q2ab
  daylily results na12878-k3v9x0q2ab --download results/
  daylily results na12878-k3v9x0q2ab --attempt 1 --json
"""
)
@click.argument("workset_id", metavar="ID", type=WORKSET_ID)
@click.option("--attempt", type=click.IntRange(1), metavar="N", help="Which [default: the last].")
@click.option(
    "--download",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Fetch the files into this folder; files of the same names there are replaced.",
)
@pass_session
def results(session: Session, workset_id: str, attempt: int | None, download: Path | None) -> None:
    """List the files that a workset's pipeline has left, or fetch them."""
    # The attempt is settled once: one that is launched meanwhile must not mix in.
    workset = session.client.get(workset_id)
    attempt = attempt or len(workset.attempts) or None
    files = list(_every(session, workset_id, attempt))
    if download is not None:
        if not files:
            raise NotFoundError(f"{workset_id} is {workset.state}: there are no files to download")
        for file in files:
            _fetch(session, workset_id, attempt, file, download)
    if session.as_json:
        session.print_json(FilePage(files=tuple(files)))
        return
    if download is not None:
        session.say(f"{len(files)} {'file' if len(files) == 1 else 'files'} in {download}")
        return
    if not files:
        session.say("there are no files")
        return
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("FILE", overflow="fold")
    table.add_column("SIZE", justify="right")
    table.add_column("MODIFIED")
    for file in files:
        table.add_row(escape(plain(file.key)), size_of(file.size), time_of(file.modified_at))
    session.print(table)


def _every(session: Session, workset_id: str, attempt: int | None) -> Iterator[FileView]:
    cursor: str | None = None
    while True:
        page = session.client.results(workset_id, attempt=attempt, cursor=cursor)
        yield from page.files
        cursor = page.cursor
        if cursor is None:
            return


def _fetch(
    session: Session, workset_id: str, attempt: int | None, file: FileView, folder: Path
) -> None:
    """Write one file below *folder*: whole, or not at all."""
    # The key is a server's word: it must not lead out of the folder, not even through a link.
    target = folder / check_key(file.key)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.parent.resolve().is_relative_to(folder.resolve()):
        raise InvalidInputError.of(str(target), f"a link leads out of {folder}")
    part = target.with_name(f".{secrets.token_hex(4)}.part")
    try:
        with (
            session.client.open_result(workset_id, file.key, attempt=attempt) as source,
            part.open("xb") as sink,
        ):
            shutil.copyfileobj(source, sink, 1 << 20)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
