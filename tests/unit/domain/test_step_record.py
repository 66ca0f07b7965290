"""What the record of a run tells of its steps."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from daylily.domain.step_record import RECORD, StepPhase, StepTold, read_steps
from daylily.domain.steps import Per, PlannedStep
from daylily.pipelines.steps.record import NAME, Record


def line(event: str, step: str, minute: int, **more: Any) -> bytes:
    """Return a line as the program writes it that runs the steps."""
    at = f"2025-06-02T12:{minute:02}:00Z"
    return json.dumps({"at": at, "event": event, "step": step, "digest": "d", **more}).encode() + b"\n"


def at(minute: int) -> datetime:
    """Return that minute."""
    return datetime(2025, 6, 2, 12, minute, tzinfo=UTC)


def test_steps_in_order() -> None:
    """Each step, and each sample of one, stands once, as its last line has it."""
    data = (
        line("begun", "align", 1, sample="A") + line("failed", "align", 2, sample="A", exit_code=65)
        + line("begun", "align", 2, sample="B") + line("done", "align", 4, sample="B")
        + line("begun", "call", 4) + line("undone", "call", 5) + line("begun", "tell", 6)
    )  # fmt: skip

    found = read_steps(data)

    assert [(each.name, each.sample, each.phase) for each in found] == [
        ("align", "A", StepPhase.FAILED),
        ("align", "B", StepPhase.DONE),
        ("call", None, StepPhase.UNDONE),
        ("tell", None, StepPhase.RUNNING),
    ]
    assert found[0] == StepTold(
        name="align", sample="A", phase=StepPhase.FAILED, began_at=at(1), ended_at=at(2), exit_code=65
    )
    assert (found[3].began_at, found[3].ended_at) == (at(6), None)


def test_what_is_begun_again_runs_again() -> None:
    """A step of an earlier attempt that is done anew is told of as it is now."""
    (step,) = read_steps(line("begun", "a", 1) + line("failed", "a", 2) + line("begun", "a", 9))
    assert (step.phase, step.began_at, step.ended_at) == (StepPhase.RUNNING, at(9), None)


def test_lines_that_make_no_sense() -> None:
    """What was cut short, or written by anybody, is passed over; the rest is told."""
    junk = b'{"at": "2025-06\nnull\n[]\n{}\n\xff\n' + b"[" * 5000 + b"\n"
    odd = line("exploded", "a", 1) + line("done", "late", 2, exit_code="x")
    naive = b'{"at": "2025-06-02T12:00:00", "event": "begun", "step": "b"}\n'
    late = b'{"at": 7, "event": "begun", "step": "b"}\n{"at": "x", "event": [], "step": "b"}\n'

    (step,) = read_steps(junk + odd + naive + late)

    assert (step.name, step.began_at, step.exit_code) == ("late", None, None)


@given(st.binary(max_size=300))
def test_no_bytes_break_it(data: bytes) -> None:
    """Whatever stands there, an answer comes back."""
    assert isinstance(read_steps(data), tuple)


def test_it_reads_what_runs_write(tmp_path: Path) -> None:
    """The name and the lines are those of the program that runs the steps."""
    record = Record.open(tmp_path)
    step = PlannedStep(name="align", command=(("true",),), per=Per.SAMPLE, optional=False, on_cancel=())
    record.write("begun", step, "A")
    record.write("failed", step, "A", exit_code=3)
    record.close()

    (told,) = read_steps((tmp_path / NAME).read_bytes())

    assert NAME == RECORD
    assert (told.name, told.sample, told.phase, told.exit_code) == ("align", "A", StepPhase.FAILED, 3)
