"""News in words: what channels for people and for other systems have in common (contract 7)."""

import json
import re
from typing import Final

from daylily.domain.events import Event, EventKind

_TYPES: Final = {
    EventKind.COMPLETE: "completion",
    EventKind.ERROR: "error",
    EventKind.FAILED: "error",
    EventKind.MONITOR_SILENT: "monitor_silent",
}
"""Subscribers filter by these words; all else of worksets has always been a ``state_change``."""

SUBJECT_LENGTH: Final = 100
TEXT_BYTES: Final = 100_000
"""Of any one text, in UTF-8: SNS takes 256 KiB in all, and nobody reads more."""
MASK: Final = "********"

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
_BLANKS: Final = re.compile(r"\s+")
# Every repetition is bounded, so that no text makes them slow.
_SECRETS: Final = (
    # Words that name a secret, and what is said after them: headers, settings, command lines.
    re.compile(
        r"(?i)((?:password|passwd|secret|token|api[_-]?key|access[_-]?key|signature|credential)"
        r"[a-z_-]{0,40}[\"']?\s{0,3}[=:]\s{0,3}[\"']?)[^\s\"'&,;]+"
    ),
    re.compile(
        r"(?i)(authorization[\"']?\s{0,3}[=:]\s{0,3}[\"']?(?:(?:bearer|basic)\s{1,3})?)[^\s\"',;]+"
    ),
    re.compile(r"(?i)(\bbearer\s{1,3})[a-z0-9._~+/=-]{8,}"),
    # Keys of AWS and of Linear, wherever they stand; and who is named in an address.
    re.compile(r"()\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"()\blin_(?:api|oauth)_[A-Za-z0-9]+"),
    re.compile(r"(\b[a-z][a-z0-9+.-]{0,20}://[^/\s:@]{0,256}:)[^/\s@]{1,256}(?=@)"),
)


def event_type(event: Event) -> str:
    """Return what systems of old called news of this kind."""
    return _TYPES.get(event.kind, "state_change")


def subject(event: Event) -> str:
    """Return one line of ASCII, as long as SNS takes it at most."""
    kind = event_type(event).replace("_", " ").title()
    about = f"Workset {kind}" if event.workset_id else kind
    text = f"Daylily {about}: {event.subject}".encode("ascii", "replace").decode()
    return _CONTROL.sub("?", _BLANKS.sub(" ", text))[:SUBJECT_LENGTH]


def body(event: Event) -> str:
    """Return the text that people read in a mail."""
    details = {"event_id": event.event_id, "at": stamp(event)}
    if event.customer_id is not None:
        details["customer_id"] = event.customer_id
    lines = [*facts(event), "", clean(event.message)]
    if event.error_details:
        lines += ["", "Error Details:", clean(event.error_details)]
    lines += ["", "Additional Details:", json.dumps(details, indent=2)]
    return "\n".join(lines)


def facts(event: Event) -> tuple[str, ...]:
    """Return who and what, a line each."""
    about = "Workset" if event.workset_id else "Monitor"
    return (
        f"{about}: {clean(event.subject)}",
        f"Event: {event_type(event)}",
        *(() if event.state is None else (f"State: {event.state}",)),
        f"Priority: {event.priority}",
    )


def stamp(event: Event) -> str:
    """Return when it happened."""
    return event.at.isoformat().replace("+00:00", "Z")


def clean(text: str) -> str:
    """Return *text* as any channel takes it, without what looks like a secret (D-62)."""
    told = _CONTROL.sub("?", text[:TEXT_BYTES])
    for pattern in _SECRETS:
        told = pattern.sub(rf"\g<1>{MASK}", told)
    data = told.encode(errors="replace")
    if len(data) > TEXT_BYTES or len(text) > TEXT_BYTES:
        data = data[: TEXT_BYTES - 3]
        return f"{data.decode(errors='ignore')}…"
    return data.decode()
