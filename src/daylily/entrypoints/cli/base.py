"""What all commands have in common: their shared options, and how their help is laid out."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from daylily.entrypoints.cli.session import Session

EXIT_CODES: Final = """\b
Exit codes:
  0    all went well
  1    a workset that was waited for did not complete, or another failure
  2    bad input or bad usage; every fault is listed
  3    not found
  4    the present state of things rules it out (it has ended, the port is taken)
  5    the store, the engine or the server does not answer: try again later
  130  interrupted
"""


class Common:
    """
    Values of the shared options, wherever on the command line they stood.

    Tests hand in their own *session*; otherwise one is made when a command first asks for it.
    """

    def __init__(self, session: "Session | None" = None) -> None:
        self.flags: dict[str, Any] = {}
        self.json = False
        self.config: Path | None = None
        self.token_file: Path | None = None
        self.given = session
        self._session: Session | None = None

    @property
    def session(self) -> "Session":
        """The settings, and what they open."""
        if self._session is None:
            from daylily.entrypoints.cli.session import Session

            self._session = self.given or Session()
            self._session.take(self)
        return self._session

    def close(self) -> None:
        """Let go of what the session has opened."""
        if self._session is not None:
            self._session.close()


def take_flag(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Keep an option's value as the setting of that name."""
    # What stands nearer to the command is read later, and wins.
    if value is not None and param.name is not None:
        ctx.ensure_object(Common).flags[param.name] = value


def _take_json(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Common).json = True


def _take_verbose(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Common).flags["log_level"] = "DEBUG"


def _take_path(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:
    if value is not None and param.name is not None:
        setattr(ctx.ensure_object(Common), param.name, value)


def common_params() -> list[click.Parameter]:
    """Return the options that stand before or after any command."""
    folder = click.Path(path_type=Path)

    def option(*names: str, take: Callable[..., Any] = take_flag, **more: Any) -> click.Parameter:
        return click.Option(names, callback=take, expose_value=False, **more)

    return [
        option("--home", type=folder, metavar="DIR", help="Folder of the local store."),
        option("--config", type=folder, metavar="FILE", take=_take_path, help="YAML file of settings."),
        option("--url", metavar="URL", help="Work against this server, not the local store."),
        option(
            "--token-file",
            type=folder,
            metavar="FILE",
            take=_take_path,
            help="File that holds the server's token; or set DAYLILY_TOKEN.",
        ),
        option("--customer", metavar="ID", help="Customer to act for."),
        option("--json", is_flag=True, take=_take_json, help="Print JSON, for programs."),
        option(
            "--log-level",
            type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"], case_sensitive=False),
            help="How much is logged, to stderr.",
        ),
        option("-v", "--verbose", is_flag=True, take=_take_verbose, help="Log everything."),
    ]


def write_common(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write a command's own options, then those that all share."""
    shared = {name for option in common_params() for name in option.opts}
    own: list[tuple[str, str]] = []
    common: list[tuple[str, str]] = []
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is not None:
            (common if shared & {*param.opts} else own).append(record)
    if own:
        with formatter.section("Options"):
            formatter.write_dl(own)
    with formatter.section("Options of all commands"):
        formatter.write_dl(common)


class DaylilyCommand(click.Command):
    """A command that also takes the shared options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("context_settings", {"help_option_names": ["-h", "--help"]})
        super().__init__(*args, **kwargs)
        self.params.extend(common_params())

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options first."""
        write_common(self, ctx, formatter)


def command(name: str | None = None, **more: Any) -> Callable[[Callable[..., Any]], DaylilyCommand]:
    """Return a decorator that makes a command with the shared options."""
    return click.command(name, cls=DaylilyCommand, **more)


class DaylilyGroup(click.Group):
    """A command with commands of its own, each with the shared options."""

    command_class = DaylilyCommand


def pass_session(call: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the session as its first argument."""
    from functools import update_wrapper

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return call(click.get_current_context().ensure_object(Common).session, *args, **kwargs)

    return update_wrapper(wrapped, call)
