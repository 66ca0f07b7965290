"""What the record of a run tells of its steps: a line for each beginning and end, whoever wrote it."""

import json
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from attrs import define, frozen

RECORD: Final = "steps.jsonl"
"""Its name among the results."""


class StepPhase(StrEnum):
    """How far a step is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"
    """What it had set going elsewhere has been taken back."""


_PHASES: Final = {"begun": StepPhase.RUNNING} | {
    str(phase): phase for phase in StepPhase if phase is not StepPhase.RUNNING
}


@frozen(kw_only=True)
class StepTold:
    """One step, of the whole workset or of one sample, as it stood last."""

    name: str
    sample: str | None
    phase: StepPhase
    began_at: datetime | None
    """None where the line that said so is lost."""
    ended_at: datetime | None = None
    exit_code: int | None = None


@define
class _Told:
    began_at: datetime | None = None
    line: StepTold | None = None


def read_steps(data: bytes) -> tuple[StepTold, ...]:
    """
    Return the steps that a record tells of, in the order in which they first began.

    A line that was cut short, or makes no sense, is passed over.
    """
    steps: dict[tuple[str, str | None], _Told] = {}
    for event, name, sample, at, code in _lines(data):
        told = steps.setdefault((name, sample), _Told())
        phase = _PHASES[event]
        if phase is StepPhase.RUNNING:
            told.began_at = at
        told.line = StepTold(
            name=name,
            sample=sample,
            phase=phase,
            began_at=told.began_at,
            ended_at=None if phase is StepPhase.RUNNING else at,
            exit_code=code,
        )
    return tuple(told.line for told in steps.values() if told.line is not None)


def _lines(data: bytes) -> Iterator[tuple[str, str, str | None, datetime, int | None]]:
    for line in data.splitlines():
        try:
            facts: dict[str, Any] = json.loads(line)
            event, sample, code = facts["event"], facts.get("sample"), facts.get("exit_code")
            at = datetime.fromisoformat(facts["at"])
            sound = event in _PHASES and at.tzinfo is not None
            name = str(facts["step"])
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            continue
        if sound:
            whole = code if isinstance(code, int) else None
            yield event, name, None if sample is None else str(sample), at, whole
