"""The group of all commands: a table of names, and modules that are imported when they are called."""

from importlib import import_module
from typing import Final

import click
from click.shell_completion import CompletionItem

from daylily.entrypoints.cli.base import EXIT_CODES, common_params, write_common
from daylily.entrypoints.cli.program import Program

PROGRAM: Final = "daylily"

_SECTIONS: Final = {
    "Run": {
        "up": ("serve:up", "Run everything: the server and a monitor, in one process."),
        "serve": ("serve:serve", "Run the server alone."),
        "monitor": ("monitor:monitor", "Run a monitor: launch worksets and follow them to their end."),
    },
    "Worksets": {
        "submit": ("submit:submit", "Submit a workset from FASTQ files, a sheet or a YAML file."),
        "validate": ("submit:validate", "Check all that submit checks, and store nothing."),
        "list": ("worksets:list_", "List worksets, newest first."),
        "show": ("worksets:show", "Show one workset and all that has happened to it."),
        "history": ("history:history", "Show all that a workset has ever been through."),
        "why": ("why:why", "Say why a workset is where it is, and what it waits for."),
        "watch": ("watch:watch", "Watch worksets until they end."),
        "logs": ("logs:logs", "Print what a workset's pipeline has written."),
        "results": ("results:results", "List or download the files of results."),
        "cancel": ("worksets:cancel", "Cancel worksets."),
        "retry": ("worksets:retry", "Run worksets again that ended in error."),
        "report": ("report:report", "Tell what is known of all worksets, for spreadsheets."),
        "estimate": ("estimate:estimate", "Say what a workset will cost."),
    },
    "Installation": {
        "init": ("init:init", "Make what the stores need: a folder, or tables and a bucket of AWS."),
        "config": ("config:config", "Show and check the settings."),
        "doctor": ("doctor:doctor", "Check this installation, and say what to do."),
        "ledger": ("ledger:ledger", "Compare store, directories and engines, and mend what differs."),
        "iam-policy": ("iam_policy:iam_policy", "Print the least that AWS has to permit."),
        "notices": ("notices:notices", "List news that came to nobody, and send it once more."),
        "customer": ("customer:customer", "Take on customers, and list them."),
        "auth": ("auth:auth", "Say who may sign in, and make tokens for programs."),
        "audit": ("audit:audit", "Tell who did what for a customer."),
        "token": ("token:token", "Show the token that signs you in."),
        "completion": ("completion:completion", "Print the script that completes commands in a shell."),
    },
}
_COMMANDS: Final = {name: entry for section in _SECTIONS.values() for name, entry in section.items()}


class LazyGroup(Program, click.Group):
    """A group that knows its commands by name, and imports one when it is called."""

    program = PROGRAM

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the help."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"{__package__}.{module}"), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command called; where there is none, name the closest."""
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(name, _COMMANDS, n=2)
            hint = f" Did you mean {' or '.join(close)}?" if close else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write commands and options, without importing any of these."""
        for section, commands in _SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(name, text) for name, (_, text) in commands.items()])
        write_common(self, ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete commands and options, without importing any command."""
        found = [
            CompletionItem(name, help=text)
            for name, (_, text) in _COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]


@click.group(
    cls=LazyGroup,
    name=PROGRAM,
    params=common_params(),
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXIT_CODES,
)
@click.version_option(package_name=PROGRAM, message="%(prog)s %(version)s")
def cli() -> None:
    """
    Submit genomics worksets, run them, follow them and fetch their results.

    Works on the local store, or with --url on a server.

    \b
    Examples:
      daylily up                                        start here
      daylily submit reads/ --pipeline fastq-qc --wait  run a folder of FASTQ files
      daylily list --state error                        what needs a person?
      daylily COMMAND --help                            examples of each command
    """


def main() -> None:
    """Run the command line; this is what ``daylily`` starts."""
    cli.main()
