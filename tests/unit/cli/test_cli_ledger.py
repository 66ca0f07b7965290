"""``daylily ledger``, as operators type it."""

import re

import pytest
from rich.console import Console
from tests.unit.cli.desk import Desk

from daylily.domain.sentinels import Sentinel
from daylily.entrypoints.cli.session import Session


@pytest.fixture
def broken(desk: Desk, submitted: str) -> str:
    """The id of a workset whose sentinel is gone."""
    assert desk.world.objects.delete(f"worksets/{submitted}/{Sentinel.READY}")
    return submitted


def test_agreement(desk: Desk, submitted: str) -> None:
    """Nothing differs: that is said, and the exit code is 0."""
    assert "agree" in desk.ok("ledger", "check")
    assert desk.json("ledger", "check") == []
    assert desk.ok("ledger", "repair").strip() == "nothing differs"


def test_check(desk: Desk, broken: str) -> None:
    """What differs, who is right and why; exit code 1, and nothing is changed."""
    result = desk.run("ledger", "check")
    assert result.exit_code == 1
    assert broken in result.stdout
    assert "the store is right" in result.stdout
    assert "1 workset differs" in result.stdout
    assert desk.run("ledger", "check").exit_code == 1


def test_check_as_json(desk: Desk, broken: str) -> None:
    """Each fact has a name."""
    result = desk.run("ledger", "check", "--json")
    assert result.exit_code == 1
    for part in (
        f'"workset_id": "{broken}"',
        '"kind": "sentinels"',
        '"wins": "store"',
        '"remedy": "show"',
    ):
        assert part in result.stdout


def test_repair(desk: Desk, broken: str) -> None:
    """A dry run says what would be done; without it, it is done."""
    assert "would mend" in desk.ok("ledger", "repair", "--dry-run")
    assert desk.run("ledger", "check").exit_code == 1
    assert "1 mended" in desk.ok("ledger", "repair")
    assert "agree" in desk.ok("ledger", "check")


@pytest.mark.parametrize("side", ["s3", "directories"])
def test_what_is_not_asked_for_is_left(desk: Desk, broken: str, side: str) -> None:
    """A rebuild of the store leaves directories alone; something is left, so the exit code is 1."""
    result = desk.run("ledger", "rebuild", "--from", side, "--yes")
    assert result.exit_code == 1
    assert "1 left" in result.stdout
    assert desk.run("ledger", "check").exit_code == 1


@pytest.mark.parametrize("side", ["dynamodb", "store"])
def test_rebuild_of_directories(desk: Desk, broken: str, side: str) -> None:
    """Directories are written anew."""
    assert "1 mended" in desk.ok("ledger", "rebuild", "--from", side, "--yes")
    assert "agree" in desk.ok("ledger", "check")


def test_rebuild_asks_first(desk: Desk, broken: str) -> None:
    """A no changes nothing."""
    result = desk.run("ledger", "rebuild", "--from", "store", stdin="n\n")
    assert result.exit_code != 0
    assert desk.run("ledger", "check").exit_code == 1
    assert "would mend" in desk.ok("ledger", "rebuild", "--from", "store", "--dry-run")


def test_what_nobody_can_say(desk: Desk, submitted: str) -> None:
    """An engine that is away leaves it to a person, with advice."""
    desk.ok("monitor", "--once")
    desk.engine.go_down()
    result = desk.run("ledger", "check")
    assert "nobody can say who is right" in result.stdout
    assert "Check again" in result.stdout
    assert result.exit_code == 1


def test_several_things_of_one_workset(desk: Desk, submitted: str) -> None:
    """Worksets are counted, not what differs of them."""
    desk.ok("monitor", "--once")
    assert desk.world.objects.delete(f"worksets/{submitted}/{Sentinel.READY}")
    for key in desk.engine.all():
        desk.engine.end(key)
    result = desk.run("ledger", "check")
    assert result.stdout.count(f"{submitted}  ") == 2
    assert "1 workset differs" in result.stdout


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the command believe that it writes to a terminal."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(
        Session, "console", lambda _, stderr=False: Console(stderr=stderr, force_terminal=True)
    )


@pytest.mark.usefixtures("terminal")
def test_a_bar_on_a_terminal(desk: Desk, broken: str) -> None:
    """How far it is shows on standard error; what was found stands whole on standard output."""
    result = desk.run("ledger", "check")
    assert broken in result.stdout
    assert "directories" in result.stderr
    assert result.exit_code == 1


@pytest.mark.usefixtures("terminal")
def test_a_bar_leaves_what_was_found(desk: Desk, broken: str) -> None:
    """On the terminal stand all lines of what was found, and none of the bar."""
    result = desk.run("ledger", "check")
    assert _seen(result.output) == result.stdout.rstrip()


def _seen(written: str) -> str:
    """Return what stands on a terminal in the end; it knows what rich makes use of."""
    lines, row = [""], 0
    for piece in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+", written):
        if piece == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif piece.endswith("A") and piece.startswith("\x1b"):
            row -= int(piece[2:-1])
        elif piece == "\x1b[2K":
            lines[row] = ""
        elif not piece.startswith(("\x1b", "\r")):
            lines[row] += piece
    return "\n".join(lines).rstrip()


def test_not_through_a_server(desk: Desk) -> None:
    """A ledger is looked after where it is."""
    for command in (["check"], ["repair"], ["rebuild", "--from", "s3"]):
        assert desk.run("--url", "http://127.0.0.1:9", "ledger", *command).exit_code == 2
