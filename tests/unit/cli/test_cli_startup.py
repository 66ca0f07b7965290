"""The command line starts fast, and explains itself."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from daylily.entrypoints.cli import cli
from daylily.entrypoints.cli.group import _COMMANDS

HEAVY = {
    "attrs", "boto3", "cattrs", "dnaio", "httpx", "jinja2", "litestar", "rich", "sequali", "sqlite3",
    "stamina", "structlog", "uvicorn", "yaml",
}  # fmt: skip


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["lst"]])
def test_help_imports_only_click(arguments: list[str]) -> None:
    """Help, version and a misspelt command load none of the libraries that commands are made of."""
    program = (
        "import sys\n"
        "from daylily.entrypoints.cli import main\n"
        "sys.argv = ['daylily', *sys.argv[1:]]\n"
        "try:\n    main()\n"
        "finally:\n    print('LOADED', *{name.partition('.')[0] for name in sys.modules})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert "click" in loaded, done.stderr
    assert not loaded & HEAVY


def test_help_documents_exit_codes() -> None:
    """The exit codes are in the help, where scripts' authors look."""
    told = CliRunner().invoke(cli, ["--help"]).stdout
    for code in ("0  ", "1  ", "2  ", "3  ", "4  ", "5  ", "130"):
        assert f"  {code}" in told


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_command_has_help_with_examples(name: str) -> None:
    """Each command answers --help, and shows how it is used."""
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0
    assert "Examples:" in result.stdout
    assert f"daylily {name}" in result.stdout


def test_short_help_of_the_table_matches_the_commands() -> None:
    """No command of the table has gone, and each has a help of its own."""
    from importlib import import_module

    for target, text in _COMMANDS.values():
        module, _, attribute = target.partition(":")
        command = getattr(import_module(f"daylily.entrypoints.cli.{module}"), attribute)
        assert command.help
        assert text.endswith(".")


def test_a_misspelt_command_names_the_closest() -> None:
    """Who mistypes is told what they may have meant, with exit code 2."""
    result = CliRunner().invoke(cli, ["sumbit"])
    assert result.exit_code == 2
    assert "submit" in result.stderr
