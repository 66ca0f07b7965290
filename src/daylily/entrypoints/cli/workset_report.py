"""``daylily-workset-report``: the report under the name and with the flags of the old system."""

from pathlib import Path
from typing import Any, Final

import click

from daylily.entrypoints.cli.base import Common, pass_session
from daylily.entrypoints.cli.report import ReportCommand, make, report_options
from daylily.entrypoints.cli.session import Session
from daylily.entrypoints.cli.workset_monitor import MonitorCommand

PROGRAM: Final = "daylily-workset-report"


class ReportProgram(ReportCommand, MonitorCommand):
    """A report that is a program of its own."""

    program = PROGRAM

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Its first argument is what other commands have an option for.
        self.params = [param for param in self.params if param.name != "config"]


def _take_config(ctx: click.Context, _: click.Parameter, value: Path) -> None:
    ctx.ensure_object(Common).config = value


@click.command(
    PROGRAM,
    cls=ReportProgram,
    epilog="""\b
Examples:
  daylily-workset-report monitor-config.yaml
  daylily-workset-report monitor-config.yaml worksets.tsv --include-archive
  daylily-workset-report monitor-config.yaml s3://my-bucket/reports/today.csv --sizes

CONFIG is the YAML file of settings. It is `daylily report` otherwise. Exits 2 if TARGET is none.
""",
)
@click.argument(
    "config_file",
    metavar="CONFIG",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    callback=_take_config,
    expose_value=False,
)
@click.option("--force-recalculate", is_flag=True, help="As of old; figures are never remembered.")
@report_options
@pass_session
def workset_report(session: Session, *, force_recalculate: bool, **how: Any) -> None:
    """Tell what is known of all worksets: state, times, samples, sizes and costs."""
    del force_recalculate
    make(session, **how)


def main() -> None:
    """Make the report; this is what ``daylily-workset-report`` starts."""
    workset_report.main()
