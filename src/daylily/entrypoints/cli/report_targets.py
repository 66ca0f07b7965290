"""Where a report goes: the terminal, a file of this machine, or an object of S3."""

import csv
import io
import json
import re
import secrets
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final

import click
from attrs import frozen

from daylily.entrypoints.spreadsheets import harmless
from daylily.ports.object_store import ObjectStore

TERM: Final = "term"
_S3: Final = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+)")


@frozen(kw_only=True)
class Target:
    """Where a report goes, and in which form."""

    text: str
    separator: str = ""
    """``,`` or a TAB; empty for the terminal."""
    bucket: str | None = None
    key: str = ""


def target_of(text: str) -> Target:
    """
    Return the target that a word names.

    Raises:
        click.UsageError: It names none.
    """
    if text == TERM:
        return Target(text=text)
    separator = {".csv": ",", ".tsv": "\t"}.get(text[-4:].lower())
    place = _S3.fullmatch(text)
    if separator is None or (text.startswith("s3://") and place is None):
        raise click.BadParameter(
            f"{text!r} is not term, a file named *.csv or *.tsv, or s3://BUCKET/KEY.csv or .tsv",
            param_hint="TARGET",
        )
    if place is None:
        return Target(text=text, separator=separator)
    return Target(text=text, separator=separator, bucket=place[1], key=place[2])


def write_file(target: Target, lines: Iterable[list[str]]) -> None:
    """
    Write a file of this machine.

    Raises:
        OSError: It cannot be written; what was there before still is.
    """
    path = Path(target.text)
    part = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            _write(file, target.separator, lines)
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def write_object(target: Target, lines: Iterable[list[str]], objects: ObjectStore) -> None:
    """
    Write an object.

    Raises:
        UnavailableError: The store does not answer, or does not permit it.
    """
    with tempfile.TemporaryFile() as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        _write(text, target.separator, lines)
        text.detach()
        file.seek(0)
        objects.put(target.key, file)


def _write(file: IO[str], separator: str, lines: Iterable[list[str]]) -> None:
    writer = csv.writer(file, delimiter=separator, lineterminator="\n")
    writer.writerows([harmless(cell) for cell in line] for line in lines)


def print_table(
    head: list[str], lines: Iterable[list[str]], widths: list[int], room: int | None
) -> None:
    """
    Print columns side by side.

    Args:
        head: Their titles.
        widths: Of the columns; 0 for one in which nothing is known of any workset.
        room: The width of the terminal; None where there is none, and nothing is left out.
    """
    whole = [max(width, len(title)) for width, title in zip(widths, head, strict=True)]
    narrow = room is not None and sum(whole) + 2 * (len(whole) - 1) > room
    shown = [at for at, width in enumerate(widths) if width or not narrow]
    for line in chain([head], lines):
        text = "  ".join(line[at].ljust(whole[at]) for at in shown)
        click.echo(text.rstrip())


def print_json(rows: Iterable[dict[str, Any]]) -> None:
    """Print rows as one JSON array, each as it comes."""
    first = True
    for row in rows:
        click.echo("[" if first else ",")
        click.echo(json.dumps(row, ensure_ascii=False), nl=False)
        first = False
    click.echo("[]" if first else "\n]")
