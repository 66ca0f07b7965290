"""
``daylily-workset-monitor``: the monitor under the name and with the flags of the integration guide.

It is ``daylily monitor`` on AWS, and stricter at its start: what is not set up stops it there.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from daylily.entrypoints.cli.base import DaylilyCommand, pass_session, take_flag
from daylily.entrypoints.cli.diary import json_logs_option, keep_diary
from daylily.entrypoints.cli.monitor import metrics_option, monitor_options, only_option, run
from daylily.entrypoints.cli.program import Program
from daylily.entrypoints.cli.session import Session

PROGRAM: Final = "daylily-workset-monitor"

_NOT_OURS: Final = frozenset({"url", "token_file"})
"""Options of all commands that mean nothing to one that works on stores of its own."""
_CUSTOMERS: Final = "customers"
"""The one check that a monitor can do without."""

_log = logging.getLogger("daylily")


class MonitorCommand(Program, DaylilyCommand):
    """A program that works on stores of its own, without options that mean nothing to it."""

    program = PROGRAM

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params = [param for param in self.params if param.name not in _NOT_OURS]


def _take(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Keep a flag's value as the setting of that name, unless a shell had nothing to put there."""
    if value is not None and (not value or value.startswith("--")):
        raise click.BadParameter(
            "it has no value: is the shell's variable empty?", ctx=ctx, param=param
        )
    take_flag(ctx, param, value)


def _take_prefix(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    # With or without slashes at its ends, as of old.
    _take(ctx, param, f"{value.strip('/')}/" if value and value.strip("/") else value)


def _take_file(ctx: click.Context, _param: click.Parameter, path: Path | None) -> None:
    # Monitors of old were given their file so, and are started by many a script.
    common = ctx.obj
    if path is None:
        return
    if common.config is not None:
        raise click.UsageError("CONFIG and --config name a file each: leave out one")
    common.config = path


def _flags(call: Callable[..., Any]) -> Callable[..., Any]:
    """Add the guide's flags; they are settings, so their values go there."""
    for names, metavar, take, text in reversed(
        (
            (("--bucket",), "NAME", _take, "S3 bucket of worksets."),
            (("--prefix",), "FOLDER", _take_prefix, "Where worksets are in it [default: worksets/]."),
            (("--dynamodb-table", "table"), "NAME", _take, "DynamoDB table of worksets."),
            (("--dynamodb-region", "region"), "REGION", _take, "Region of the table."),
            (("--sns-topic-arn",), "ARN", _take, "SNS topic that is told what becomes of worksets."),
            (("--linear-api-key",), "KEY", _take, "Key of Linear; better given as LINEAR_API_KEY."),
            (("--linear-team-id",), "ID", _take, "Team of Linear that gets an issue for each end."),
        )
    ):
        option = click.option(*names, metavar=metavar, callback=take, expose_value=False, help=text)
        call = option(call)
    return call


@click.command(
    PROGRAM,
    cls=MonitorCommand,
    epilog="""\b
Examples:
  daylily-workset-monitor --bucket my-bucket --dynamodb-table daylily-worksets
  daylily-workset-monitor monitor-config.yaml --once               a single cycle, for cron
  daylily-workset-monitor --bucket my-bucket --dry-run             writes, locks and sends nothing

CONFIG (or --config) is a YAML file of settings, flat or nested as the old monitor had it. What no flag
says, the environment does (S3_BUCKET, S3_PREFIX, WORKSET_TABLE_NAME, AWS_REGION,
SNS_TOPIC_ARN, LINEAR_API_KEY, LINEAR_TEAM_ID), or the YAML file. DAYLILY_LOG_LEVEL=DEBUG logs all.

A bucket or a table that is not there, or may not be used, stops it at its start. Later outages are
waited out. Stops within 10 seconds of SIGTERM; running worksets go on.

\b
Exit codes: 0 stopped as asked; 1 --once met something wrong with a workset; 2 bad flags or settings;
5 a store is not there, does not answer, or is not permitted.
""",
)
@click.argument(
    "file",
    required=False,
    metavar="[CONFIG]",
    type=click.Path(path_type=Path),
    callback=_take_file,
    expose_value=False,
)
@_flags
@click.option("--once", is_flag=True, help="One cycle, then exit.")
@click.option("--dry-run", is_flag=True, help="Print what a cycle would do, and do nothing.")
@only_option
@monitor_options
@metrics_option
@json_logs_option
@pass_session
def workset_monitor(session: Session, *, dry_run: bool, json_logs: bool, **how: Any) -> None:
    """Launch the worksets of a bucket and a table, follow them to their end, and tell people."""
    session.flags.setdefault("store", "aws")
    _check_channels(session)
    keep_diary(session, json_logs=json_logs)
    if session.world is None and not dry_run:
        _check_stores(session)
    run(session, dry_run=dry_run, **how)


def _check_channels(session: Session) -> None:
    from daylily.domain.errors import InvalidInputError

    settings = session.settings
    if settings.linear_api_key is not None and settings.linear_team_id is None:
        raise InvalidInputError.of(
            "linear_team_id", "is needed beside the key: give --linear-team-id, or unset LINEAR_API_KEY"
        )


def _check_stores(session: Session) -> None:
    """Try what a monitor has to do; who cannot do it is told now, not workset by workset (D-63)."""
    from daylily.bootstrap import installation
    from daylily.domain.errors import UnavailableError

    faults = []
    for finding in installation(session.settings).check():
        text = f"{finding.check}: {finding.text}"
        if finding.verdict == "FAIL" and finding.check != _CUSTOMERS:
            faults.append(f"{text} ({finding.advice})" if finding.advice else text)
        else:
            _log.debug(text)
    if faults:
        raise UnavailableError("\n  ".join(["the stores cannot be used:", *faults]))


def main() -> None:
    """Run the monitor; this is what ``daylily-workset-monitor`` starts."""
    workset_monitor.main()
