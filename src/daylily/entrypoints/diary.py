"""Logs: structured, ours and the libraries' alike, with the ids of what they are about."""

import logging
import sys
from typing import Any, Final

import structlog

from daylily.application.subject import subject

_NOISY: Final = ("asyncio", "boto3", "botocore", "httpx", "urllib3", "uvicorn.error")
"""What these tell at INFO is of use to nobody but their authors."""


def add_subject(_: object, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """Add the ids of what is being worked on; what a line says by itself stands."""
    for name, value in subject().items():
        event.setdefault(name, value)
    return event


def keep(level: str, *, as_json: bool) -> None:
    """
    Send all logs to standard error: lines for people, or JSON.

    Args:
        level: Below which nothing is told.
    """
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        add_subject,
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
    if as_json:
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
    root.setLevel(level)
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
