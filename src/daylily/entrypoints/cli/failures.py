"""What stops a command, as one clear line and a stable exit code."""

import errno
import os
import sys
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

import click

from daylily.extras import MissingExtraError

if TYPE_CHECKING:
    from daylily.entrypoints.cli.base import Common

INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
"""What a shell says of a program whose reader went away."""


class NotCompleteError(Exception):
    """A workset that was waited for has ended otherwise; all has been said of it."""


def exit_code_of(run: Callable[[], Any], common: "Common", args: Sequence[str] | None) -> Any:
    """
    Run a command line, and return its exit code, or what else it returns.

    Args:
        run: Parses *args* and does what they say.
        common: What the command leaves open; it is closed.
        args: As given; None takes those of the process.
    """
    try:
        return run()
    except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001 - bugs are raised again
        return report(error, as_json=common.json or _asks_for_json(args))
    finally:
        common.close()


def _asks_for_json(args: Sequence[str] | None) -> bool:
    # What stands behind a wrong option has not been parsed when that is told.
    given = sys.argv[1:] if args is None else args
    return "--json" in takewhile(lambda each: each != "--", given)


def report(error: BaseException, *, as_json: bool) -> int:
    """
    Tell people (or, as JSON on standard output, programs) what stopped a command.

    Returns:
        The exit code. A bug is raised again, with its traceback.
    """
    if isinstance(error, click.ClickException):
        return _usage(error, as_json)
    if isinstance(error, click.Abort | KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    if isinstance(error, BrokenPipeError) or getattr(error, "errno", None) == errno.EPIPE:
        # Python would complain again when it flushes standard output at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    if isinstance(error, NotCompleteError):
        return 1
    if isinstance(error, MissingExtraError):
        _say(str(error), [], as_json)
        return 1
    if isinstance(error, OSError):
        _say(_os_text(error), [], as_json)
        return 1
    return _known(error, as_json)


def _known(error: BaseException, as_json: bool) -> int:
    # Only commands that got this far have loaded the domain; help never does.
    from daylily.domain.errors import (
        ConflictError,
        DaylilyError,
        InvalidInputError,
        NotFoundError,
        NotSetUpError,
        UnauthenticatedError,
        UnavailableError,
    )

    if not isinstance(error, DaylilyError):
        raise error
    codes = ((InvalidInputError, 2), (NotFoundError, 3), (ConflictError, 4), (UnavailableError, 5))
    code = next((code for kind, code in codes if isinstance(error, kind)), 1)
    if isinstance(error, InvalidInputError):
        faults = [(fault.place, fault.message) for fault in error.faults]
        _say(_count(len(faults)), faults, as_json)
    elif isinstance(error, UnauthenticatedError):
        _say(f"{error}: give the server's token by DAYLILY_TOKEN or --token-file", [], as_json)
    elif isinstance(error, NotSetUpError):
        _say(f"{error}: `daylily doctor` says what to do", [], as_json)
    else:
        _say(str(error) or type(error).__name__, [], as_json)
    return code


def _count(faults: int) -> str:
    return "1 fault" if faults == 1 else f"{faults} faults"


def _usage(error: click.ClickException, as_json: bool) -> int:
    if as_json:
        _say(error.format_message(), [], as_json)
    else:
        error.show()
    return error.exit_code


def _os_text(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}"


def _say(text: str, faults: list[tuple[str, str]], as_json: bool) -> None:
    if as_json:
        import json

        listed = [{"place": place, "message": message} for place, message in faults]
        click.echo(json.dumps({"error": text, "faults": listed}, indent=2))
        return
    click.echo(f"{click.style('error:', fg='red', bold=True)} {plain(text)}", err=True)
    for place, message in faults:
        head = f"{click.style(plain(place), bold=True)}: " if place else ""
        click.echo(f"  {head}{plain(message)}", err=True)


def plain(text: str) -> str:
    """Return *text* without what could steer a terminal: file names are anyone's to choose."""
    return "".join(each if each.isprintable() or each in "\n\t" else "\ufffd" for each in text)
