"""The guide, taken apart: its fenced blocks, and the commands in those for a shell."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import frozen

ROOT: Final = Path(__file__).parents[3]
GUIDE: Final = ROOT / "docs" / "INTEGRATION_GUIDE.md"

_FENCED: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@frozen
class Block:
    """A fenced block."""

    language: str
    text: str
    line: int
    """Where it begins, for people."""


@frozen
class Command:
    """One command of a block for a shell, as it is printed."""

    text: str
    words: tuple[str, ...]
    """Its words; variables are not filled in."""
    line: int

    @property
    def name(self) -> str:
        """A name for a test."""
        return f"line {self.line}: {' '.join(self.words[:3])}"


def blocks(language: str) -> tuple[Block, ...]:
    """Return the blocks of a language, in their order."""
    guide = GUIDE.read_text(encoding="utf-8")
    return tuple(
        Block(match[1], match[2], guide.count("\n", 0, match.start()) + 2)
        for match in _FENCED.finditer(guide)
        if match[1] == language
    )


def commands() -> tuple[Command, ...]:
    """Return every command of every block for a shell."""
    return tuple(command for block in blocks("bash") for command in _commands_of(block))


def _commands_of(block: Block) -> Iterator[Command]:
    pending: list[str] = []
    begun = block.line
    for number, line in enumerate(block.text.splitlines(), start=block.line):
        if not pending:
            begun = number
        pending.append(line)
        text = "\n".join(pending)
        if line.endswith("\\") or not _whole(text):
            continue
        pending.clear()
        words = tuple(shlex.split(text.replace("\\\n", " "), comments=True))
        if words:
            yield Command(text, words, begun)
    assert not pending, f"a command of line {begun} does not end"


def _whole(text: str) -> bool:
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False  # a quotation goes on
    return True
