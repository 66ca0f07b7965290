"""``daylily monitor``."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve

from daylily.application.monitor_cycle import CycleReport, MonitorCycle, Step
from daylily.domain.errors import UnavailableError
from daylily.entrypoints.cli.base import command, pass_session, take_flag
from daylily.entrypoints.cli.diary import json_logs_option, keep_diary
from daylily.entrypoints.cli.failures import NotCompleteError, plain
from daylily.entrypoints.cli.session import Session
from daylily.entrypoints.service import MonitorLoop, Onlooker, run_monitor, stopped_by_signals, tell
from daylily.extras import needs

if TYPE_CHECKING:
    from daylily.application.heartbeats import LeaveHeartbeat
    from daylily.bootstrap import App, World

_log = logging.getLogger("daylily")


def monitor_options(call: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a monitor; they are settings, so their values go there."""
    for option in (
        click.option(
            "--max-concurrent", type=int, metavar="N", callback=take_flag, expose_value=False,
            help="Worksets that run at a time.",
        ),
        click.option(
            "--poll-interval", type=float, metavar="SECONDS", callback=take_flag, expose_value=False,
            help="Rest between cycles.",
        ),
        click.option(
            "--engine", metavar="NAME", callback=take_flag, expose_value=False,
            help="What runs pipelines: local, slurm or batch.",
        ),
    ):  # fmt: skip
        call = option(call)
    return call


only_option = click.option(
    "--only",
    metavar="NAME",
    multiple=True,
    callback=lambda _ctx, _param, names: frozenset(names),
    help="See to the workset of this id or name alone; may be repeated.",
)


metrics_option = click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Serve figures for Prometheus on this machine's own address; 0 takes a free port.",
)


@command(
    epilog="""\b
Examples:
  daylily monitor                          until SIGTERM; as many at once as you like
  daylily monitor --once                   a single cycle, for cron
  daylily monitor --dry-run                what a cycle would do; writes nothing
  daylily monitor status                   which monitors there are, and how they are

Stops within 10 seconds of SIGTERM; running worksets go on, and any monitor picks them up again. An
outage of the store is waited out. --once exits 5 if the store is down, and 1 if something was wrong
with a workset (the others have had their turn).
"""
)
@click.argument("status", required=False, type=click.Choice(["status"]), metavar="[status]")
@click.option("--once", is_flag=True, help="One cycle, then exit.")
@click.option("--dry-run", is_flag=True, help="Print what a cycle would do, and do nothing.")
@only_option
@monitor_options
@metrics_option
@json_logs_option
@pass_session
def monitor(session: Session, *, status: str | None, json_logs: bool, **how: Any) -> None:
    """Launch worksets, follow them to their end, and retry what can be retried."""
    session.refuse_url()
    if status is not None:
        if how["once"] or how["dry_run"]:
            raise click.UsageError("status looks on, and runs no cycle: leave out --once and --dry-run")
        from daylily.entrypoints.cli.monitor_status import show_monitors

        show_monitors(session)
        return
    keep_diary(session, json_logs=json_logs)
    run(session, **how)


def run(
    session: Session,
    *,
    once: bool,
    dry_run: bool,
    only: frozenset[str],
    metrics_port: int | None,
) -> None:
    """
    Do what a monitor is asked for.

    Args:
        metrics_port: Where to serve figures meanwhile; None serves none.
    """
    if dry_run:
        report = CycleReport()
        _print_plan(session, _plan(session, only, report))
        for fault in report.faults:
            # Also where JSON is wanted: that goes to standard output.
            click.echo(plain(f"passed over: {fault}"), err=True)
        return
    if once or not session.settings.continuous:
        began = time.monotonic()
        report = _narrowed(session.app.cycle, only)()
        tell(report)
        took = timedelta(seconds=time.monotonic() - began)
        for figures in _embedded(session, lambda: session.app.world):
            figures.done(report, took.total_seconds())
        session.app.heart.called_once(took=took, faults=len(report.faults))
        session.app.watch()
        if session.as_json:
            session.print_json(
                {
                    "moved": [
                        {"workset_id": each.workset_id, "state": str(each.state)}
                        for each in report.moved
                    ],
                    "settled": report.settled,
                    "faults": report.faults,
                }
            )
        if report.faults:
            raise NotCompleteError
        return
    cycle = _Patient(session, only)
    with _metrics(cycle, metrics_port) as metrics:
        onlookers = [*metrics, *_embedded(session, cycle.world)]
        loop = MonitorLoop(
            cycle,
            session.settings.poll_interval,
            onlookers,
            heart=cycle.heart,
            watch=cycle.watch,
        )
        with stopped_by_signals(loop.stop):
            run_monitor(loop, loop.stop.wait)


@contextmanager
def _metrics(cycle: "_Patient", port: int | None) -> Iterator[Sequence[Onlooker]]:
    if port is None:
        yield ()
        return
    needs("server", "prometheus_client")
    from daylily.entrypoints.metrics import CallsCollector, MonitorMetrics, QueueCollector, served

    metrics = MonitorMetrics()
    metrics.registry.register(QueueCollector(cycle.world))
    metrics.registry.register(CallsCollector())
    with served(metrics, port) as taken:
        _log.info("figures at http://127.0.0.1:%s/metrics", taken)
        yield (metrics,)


def _embedded(session: Session, world: "Callable[[], World]") -> Sequence[Onlooker]:
    """Return what prints figures among the logs, for CloudWatch, if that is asked for."""
    settings = session.settings
    if not settings.emf:
        return ()
    from daylily.adapters.system import utc_now
    from daylily.entrypoints.emf import EmbeddedMetrics, installation_of

    return (EmbeddedMetrics(installation_of(settings), world, utc_now, click.echo),)


class _Patient:
    """A cycle whose store need not be there yet when the monitor starts."""

    def __init__(self, session: Session, only: frozenset[str]) -> None:
        self._session = session
        self._only = only
        self._app: App | None = None

    def __call__(self, stopping: Callable[[], bool]) -> CycleReport:
        return self._cycle(stopping)

    def world(self) -> "World":
        """
        Return the stores that it works on.

        Raises:
            UnavailableError: It has not got at them yet.
        """
        if self._app is None:
            raise UnavailableError("the stores have not been opened yet")
        return self._app.world

    def heart(self) -> "LeaveHeartbeat | None":
        """Return what leaves signs of life; None before it has got at its stores."""
        return self._app.heart if self._app else None

    def watch(self) -> None:
        """Look at the signs of all monitors."""
        if self._app:
            self._app.watch()

    @cached_property
    def _cycle(self) -> MonitorCycle:
        self._app = self._session.app
        return _narrowed(self._app.cycle, self._only)


def _narrowed(cycle: MonitorCycle, only: frozenset[str]) -> MonitorCycle:
    return evolve(cycle, only=only) if only else cycle


def _plan(session: Session, only: frozenset[str], report: CycleReport) -> list[Step]:
    from daylily.bootstrap import compose, connect

    settings = session.settings
    if (
        session.world is None
        and settings.store == "local"
        and not (settings.home / "state.db").exists()
    ):
        return []  # opening it would make it
    world = session.world or connect(settings, looking=True)
    try:
        return list(_narrowed(compose(settings, world).cycle, only).plan(report))
    finally:
        if session.world is None:
            world.close()


def _print_plan(session: Session, plan: list[Step]) -> None:
    if session.as_json:
        session.print_json(
            [
                {
                    "workset_id": step.workset.workset_id,
                    "state": str(step.workset.state),
                    "priority": str(step.workset.priority),
                    "action": step.action,
                }
                for step in plan
            ]
        )
        return
    if not plan:
        session.say("nothing to do")
        return
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("ID", "STATE", "PRIORITY", "NEXT"):
        table.add_column(title, overflow="fold")
    for step in plan:
        workset = step.workset
        table.add_row(workset.workset_id, workset.state, workset.priority, step.action)
    session.print(table)
