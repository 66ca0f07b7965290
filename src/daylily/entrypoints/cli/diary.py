"""The diary of a long-running command."""

import logging

import click

from daylily.entrypoints import diary
from daylily.entrypoints.cli.session import Session

_log = logging.getLogger("daylily")

json_logs_option = click.option(
    "--json-logs", is_flag=True, help="Log JSON, one object a line; --json does so too."
)


def keep_diary(session: Session, *, json_logs: bool = False) -> None:
    """Send all logs to standard error: lines for people, or JSON."""
    diary.keep(session.settings.log_level, as_json=session.as_json or json_logs)
    for note in session.loaded.notes:
        _log.warning(note)
