"""
One cycle of a monitor as a function of AWS Lambda, called by a schedule.

Settings come from the environment, as for ``daylily-workset-monitor``: S3_BUCKET, WORKSET_TABLE_NAME
and the rest. Each call logs JSON, and prints a line of figures for CloudWatch. Jobs have to run
elsewhere (Slurm, AWS Batch): nothing outlives a call of a function.
"""

import json
import logging
import os
import sys
import threading
import time
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from daylily.adapters.system import utc_now
from daylily.application.subject import about
from daylily.config import ConfigError, load
from daylily.domain.errors import Fault, UnavailableError
from daylily.entrypoints import diary
from daylily.entrypoints.emf import EmbeddedMetrics, installation_of

if TYPE_CHECKING:
    from daylily.bootstrap import App

SPARE: Final = 10.0
"""Seconds before the function's own end at which nothing more is launched."""
_ELSEWHERE: Final = frozenset({"slurm", "batch"})

_log = logging.getLogger("daylily")
_one_at_a_time = threading.Lock()


def handler(event: object, context: Any) -> dict[str, Any]:
    """
    Run one cycle, and return what it did.

    Raises:
        ConfigError: The environment lacks something; every fault is listed.
        UnavailableError: The store does not answer. Lambda counts the call as failed.
    """
    with _one_at_a_time, about(request_id=context.aws_request_id):
        began = time.monotonic()
        app, figures = _app(), _figures()
        try:
            report = app.cycle(lambda: _left(context) < SPARE, alone=True)
        except Exception as error:
            figures.failed(outage=isinstance(error, UnavailableError))
            raise
        took = timedelta(seconds=time.monotonic() - began)
        figures.done(report, took.total_seconds())
        name = str(context.function_name)
        app.heart.called_once(took=took, faults=len(report.faults), name=name)
        app.watch()
        found = {
            "moved": [
                {"workset_id": each.workset_id, "state": str(each.state)} for each in report.moved
            ],
            "settled": report.settled,
            "faults": report.faults,
        }
        _log.info("cycle done: %s", json.dumps(found))
        return found


@cache
def _app() -> "App":
    """Return the use cases; Lambda keeps the process for later calls."""
    from daylily.bootstrap import bootstrap

    loaded = load({}, os.environ)
    settings = loaded.settings
    diary.keep(settings.log_level, as_json=True)
    faults = []
    if settings.store != "aws":
        faults.append(Fault("bucket", "is needed: set S3_BUCKET"))
    engines = {settings.engine} if not settings.clusters else set()
    engines |= {settings.within(each).engine for each in settings.clusters}
    faults += [
        Fault("engine", f"{engine!r} runs on this machine, and a function has none to keep")
        for engine in sorted(engines - _ELSEWHERE)
    ]
    if faults:
        raise ConfigError(faults)
    for note in loaded.notes:
        _log.warning(note)
    return bootstrap(settings)


@cache
def _figures() -> EmbeddedMetrics:
    app = _app()
    return EmbeddedMetrics(installation_of(app.settings), lambda: app.world, utc_now, _print)


def _print(line: str) -> None:
    # Lambda reads figures from whole lines of its output; a logger would write something before them.
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _left(context: Any) -> float:
    """Return the seconds until the function is stopped."""
    return float(context.get_remaining_time_in_millis()) / 1000
