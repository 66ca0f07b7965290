"""What the pages tell people to type can be typed."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from daylily.entrypoints.cli import cli

ROOT = Path(__file__).parents[3]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
BLOCK = re.compile(r"^```(sh|console|bash)\n(.*?)^```", re.DOTALL | re.MULTILINE)
ENDS = {"|", "&", "&&", ">", "||"}


def typed(page: Path) -> Iterator[list[str]]:
    """Yield the arguments of each call of daylily in the blocks of a page."""
    for kind, block in BLOCK.findall(page.read_text(encoding="utf-8")):
        prompt = "$ " if kind == "console" else ""
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith(f"{prompt}daylily "):
                parts = shlex.split(line.removeprefix(prompt).split(" # ")[0])[1:]
                end = next((at for at, part in enumerate(parts) if part in ENDS), len(parts))
                yield parts[:end]


def check(arguments: list[str]) -> None:
    """Have Click take the line apart, without calling anything."""
    command: click.Command = cli
    context = click.Context(cli, info_name="daylily")
    words = list(arguments)
    while isinstance(command, click.Group) and words:
        found = command.get_command(context, words.pop(0))
        assert found is not None, arguments
        command = found
    # A page may say ID or COMMAND: only the form counts.
    command.make_parser(context).parse_args(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_pages_say_can_be_typed(page: Path) -> None:
    """Every call of daylily on a page names a command that is there, with options that it has."""
    for arguments in typed(page):
        if "COMMAND" not in arguments:
            check(arguments)


def test_pages_are_read() -> None:
    """The check above finds what there is to check, and would notice what is wrong."""
    assert len(list(typed(PAGES[0]))) >= 5
    with pytest.raises(click.UsageError):
        check(["list", "--no-such-option"])
