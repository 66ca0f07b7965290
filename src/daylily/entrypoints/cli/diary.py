"""Logs of long-running commands: structured, to standard error, ours and the libraries' alike."""

import logging
import sys
from typing import Any

import click
import structlog

from daylily.entrypoints.cli.session import Session

_log = logging.getLogger("daylily")

json_logs_option = click.option(
    "--json-logs", is_flag=True, help="Log JSON, one object a line; --json does so too."
)


def keep_diary(session: Session, *, json_logs: bool = False) -> None:
    """Send all logs to standard error: lines for people, or JSON."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    if session.as_json or json_logs:
        last: list[Any] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    else:
        last = [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(session.settings.log_level)
    for note in session.loaded.notes:
        _log.warning(note)
    # What they tell at INFO is of use to nobody but their authors.
    for noisy in ("asyncio", "boto3", "botocore", "httpx", "urllib3", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
