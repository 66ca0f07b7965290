"""How values look to people: ages, sizes, states in colour, and all there is of one workset."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from daylily.entrypoints.cli.failures import plain
from daylily.entrypoints.sizes import size_of as size_of
from daylily.entrypoints.views import TransitionView, WorksetView

_COLOURS: Final = {
    "ready": "cyan",
    "locked": "cyan",
    "in_progress": "blue",
    "retrying": "yellow",
    "complete": "green",
    "error": "red",
    "failed": "red",
    "canceled": "magenta",
}
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def age_of(text: str, now: datetime | None = None) -> str:
    """
    Return how long ago an instant was, in its largest unit; or how soon it is.

    >>> age_of("2025-06-02T12:00:00Z", datetime(2025, 6, 2, 14, 5, tzinfo=UTC))
    '2 h ago'
    >>> age_of("2025-06-02T12:00:00Z", datetime(2025, 6, 2, 11, 59, 15, tzinfo=UTC))
    'in 45 s'
    """
    seconds = round(((now or datetime.now(UTC)) - datetime.fromisoformat(text)).total_seconds())
    for length, unit in _UNITS:
        if abs(seconds) >= length:
            span = f"{abs(seconds) // length} {unit}"
            return f"{span} ago" if seconds > 0 else f"in {span}"
    return "now"


def time_of(text: str) -> str:
    """Return an instant in the local time zone, to the second."""
    return f"{datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M:%S}"


def state_of(workset: WorksetView) -> Text:
    """Return the state in its colour, and whether a cancel is pending."""
    text = Text(workset.state, style=_COLOURS.get(workset.state, "dim"))
    if workset.cancel_requested_by:
        text.append(" (canceling)", style="magenta")
    return text


def progress_of(workset: WorksetView) -> str:
    """Return how far it is, or what went wrong, in a few words."""
    if workset.state == "in_progress" and workset.progress:
        done, total, message = (
            workset.progress.done,
            workset.progress.total,
            workset.progress.message,
        )
        return plain(f"{done}/{total} {message}".strip())
    if workset.state == "retrying" and workset.retry_after:
        retry = f"retry {workset.retry_count} of {workset.max_retries}"
        return f"{retry} {age_of(workset.retry_after)}"
    return plain(workset.headline)


def details(workset: WorksetView) -> RenderableType:
    """Return what ``daylily show`` prints."""
    parts: list[RenderableType] = [_facts(workset)]
    if workset.headline:
        parts += [Text("\nError", style="bold red"), Text(plain(workset.headline))]
    if workset.advice:
        parts += [Text("\nWhat to do", style="bold"), Text(plain(workset.advice))]
    if workset.led_up:
        parts += [Text("\nBefore the error", style="bold"), Text(plain(workset.led_up), style="dim")]
    if workset.attempts:
        parts += [Text("\nAttempts", style="bold"), _attempts(workset)]
    parts += [Text("\nTimeline", style="bold"), timeline(workset.state_history)]
    count = f"\nSamples ({workset.partial} came out well)" if workset.partial else "\nSamples"
    parts += [Text(count, style="bold"), _samples(workset)]
    return Group(*parts)


def _facts(workset: WorksetView) -> Table:
    rows: list[tuple[str, Any]] = [
        ("ID", workset.workset_id),
        ("Name", workset.workset_name),
        ("State", state_of(workset)),
        ("Progress", progress_of(workset) if not workset.ended else ""),
        ("Waits for", workset.waits_for or ""),
        ("Unknown", _unknown(workset)),
        ("Priority", workset.priority),
        ("Pipeline", f"{workset.pipeline_type} on {workset.reference_genome}"),
        ("Cluster", _cluster(workset)),
        ("Time limit", f"{workset.time_limit_hours:g} h" if workset.time_limit_hours else ""),
        ("Customer", workset.customer_id),
        ("Created", f"{_moment(workset.created_at)}, by {workset.submitted_by}"),
        ("Updated", _moment(workset.updated_at)),
        ("Retries", f"{workset.retry_count} of {workset.max_retries} used"),
        ("Results", workset.results_uri or ""),
    ]
    return _grid([(name, value) for name, value in rows if value])


def _unknown(workset: WorksetView) -> str:
    if workset.unknown_since is None:
        return ""
    return f"the engine has said nothing of it since {_moment(workset.unknown_since)}; it may well run"


def _cluster(workset: WorksetView) -> str:
    """Return where it runs or ran, and where it is to."""
    zone = workset.availability_zone and f"a cluster in {workset.availability_zone}"
    wanted = workset.preferred_cluster or zone
    if workset.cluster_name is None:
        return f"only {wanted}" if wanted else ""
    return workset.cluster_name


def grid(rows: Sequence[tuple[str, str]]) -> Table:
    """Return names and values side by side."""
    return _grid(rows)


def _grid(rows: Sequence[tuple[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value if isinstance(value, Text) else Text(plain(value)))
    return table


def _moment(text: str) -> str:
    return f"{time_of(text)} ({age_of(text)})"


def _attempts(workset: WorksetView) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("NO", "JOB", "STARTED", "ENDED", "OUTCOME", "WHY"):
        table.add_column(title, overflow="fold")
    for attempt in workset.attempts:
        why = f"retry of {attempt.follows}" if attempt.follows else ""
        if attempt.requested_by:
            why += f", asked for by {attempt.requested_by}"
        if attempt.only:
            why += f", for {len(attempt.only)} of {workset.sample_count} samples"
        table.add_row(
            str(attempt.number),
            escape(plain(attempt.job)),
            time_of(attempt.started_at),
            time_of(attempt.ended_at) if attempt.ended_at else "",
            Text(attempt.outcome or "running", style=_COLOURS.get(attempt.outcome or "", "blue")),
            escape(plain(why)),
        )
    return table


def timeline(entries: Iterable[TransitionView], *, actors: bool = False) -> Table:
    """
    Return a line for each transition.

    Args:
        actors: Whether to say who did it.
    """
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(no_wrap=True)
    if actors:
        table.add_column(overflow="fold", style="dim")
    table.add_column(overflow="fold")
    for entry in entries:
        who = [Text(plain(entry.actor))] if actors else []
        first_line = plain(entry.reason).strip().splitlines()[0] if entry.reason.strip() else ""
        state = Text(entry.state, style=_COLOURS.get(entry.state, ""))
        table.add_row(time_of(entry.timestamp), state, *who, Text(first_line))
    return table


def _samples(workset: WorksetView) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for sample in workset.samples:
        row = [Text(sample.sample_id)]
        if workset.partial:
            colour = _COLOURS["complete" if sample.outcome == "ok" else "error"]
            row.append(Text(sample.outcome or "", style=colour))
        # Why stands above the files: in a column of its own, one long reason would push all files away.
        lines = (plain(each) for each in (sample.message, *sample.files) if each)
        table.add_row(*row, Text("\n".join(lines)))
    return table
