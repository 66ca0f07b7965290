"""Runs the steps of a plan, each as an argument vector; no shell reads any of it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Final

from attrs import define, field

from daylily.domain.results import SampleOutcome
from daylily.domain.steps import SAMPLE, Per, PlannedStep, Word, filled
from daylily.pipelines.steps.record import Record

NOT_FOUND, NOT_EXECUTABLE, TERMINATED = 127, 126, 128 + signal.SIGTERM
UNDO_SECONDS: Final = 20.0
"""How long what takes a step back may run; engines kill us soon after they have asked us to end."""

Told = Callable[[str], None]


class CanceledError(Exception):
    """Somebody asked for an end."""


@define
class Runner:
    """
    One run of a plan.

    Args:
        values: What commands are still to be told: where the workset is, and the results.
        samples: Those that steps of samples are run for.
        grace: Seconds that a step has to end when it is told to.
    """

    plan: Sequence[PlannedStep]
    values: Mapping[str, str]
    samples: Sequence[str]
    record: Record
    report: Callable[[int, str], None]
    """Told how many steps are done, and at which we are."""
    say: Told
    complain: Told
    grace: float = 5.0
    failures: dict[str, tuple[PlannedStep, int]] = field(init=False, factory=dict)
    """By sample: the step that failed it, and how."""
    fine: set[str] = field(init=False, factory=set)
    """Samples that the last of their steps has been done for."""
    _canceled: threading.Event = field(init=False, factory=threading.Event)
    _process: subprocess.Popen[bytes] | None = field(init=False, default=None)
    _anew: bool = field(init=False, default=False)
    """Whether a step of the whole workset has been run: what follows cannot rest on earlier runs."""
    _anew_for: set[str] = field(init=False, factory=set)

    def run(self) -> int:
        """Run all that has not been done; return the exit code, the first step's that failed."""
        signal.signal(signal.SIGTERM, self._terminate)
        signal.signal(signal.SIGINT, self._terminate)
        started: list[PlannedStep] = []
        try:
            for index, step in enumerate(self.plan):
                self._check()
                started.append(step)
                self.report(index, step.name)
                self._take_back_lost(step)
                code = self._samples(step) if step.per is Per.SAMPLE else self._workset(step)
                if step is self._last_of_samples:
                    self.fine.update(each for each in self.samples if each not in self.failures)
                if code:
                    return self._failed(step, code)
                if self.failures and not self._more_samples(index):
                    return self._failed_samples()
            self.report(len(self.plan), "complete")
        except CanceledError:
            return self._take_back(started)
        return 0

    def outcomes(self) -> list[SampleOutcome]:
        """Return what became of samples, as far as that is known."""
        found = []
        for sample_id in self.samples:
            if sample_id in self.failures:
                step, code = self.failures[sample_id]
                text = f"step {step.name} failed: exit code {code}"
                found.append(SampleOutcome.of(sample_id, text))
            elif sample_id in self.fine:
                found.append(SampleOutcome.of(sample_id, None))
        return found

    # Steps

    @property
    def _last_of_samples(self) -> PlannedStep | None:
        return next((step for step in reversed(self.plan) if step.per is Per.SAMPLE), None)

    def _more_samples(self, index: int) -> bool:
        return index + 1 < len(self.plan) and self.plan[index + 1].per is Per.SAMPLE

    def _workset(self, step: PlannedStep) -> int:
        """Run a step of the whole workset; return its exit code, 0 where failing is no matter."""
        done = (step.digest, None) in self.record.done
        if done and not self._anew and not self._anew_for:
            self.say(f"step {step.name}: done before")
            return 0
        code = self._do(step, None)
        # What failing does not matter of, nothing can rest on.
        self._anew = self._anew or not step.optional
        return code

    def _samples(self, step: PlannedStep) -> int:
        """Run a step for each sample that no earlier one has failed; one keeps no other from it."""
        for number, sample in enumerate(self.samples, 1):
            if sample in self.failures:
                continue
            done = (step.digest, sample) in self.record.done
            if done and not self._anew and sample not in self._anew_for:
                self.say(f"step {step.name}, sample {sample}: done before")
                continue
            where = f"{step.name}: sample {sample} ({number} of {len(self.samples)})"
            self.report(self.plan.index(step), where)
            if not step.optional:
                self._anew_for.add(sample)
            if code := self._do(step, sample):
                self.failures[sample] = step, code
        return 0

    def _do(self, step: PlannedStep, sample: str | None) -> int:
        self._check()
        values = dict(self.values) if sample is None else {**self.values, SAMPLE: sample}
        named = f"step {step.name}" + (f", sample {sample}" if sample else "")
        self.say(f"{named}: begins")
        self.record.write("begun", step, sample)
        code = self._command(step.command, values, step.name, sample)
        self._check()
        if code == 0:
            self.record.write("done", step, sample)
            self.say(f"{named}: done")
            return 0
        self.record.write("failed", step, sample, exit_code=code)
        self.complain(f"{named} failed: exit code {code}" + (", which is no matter" * step.optional))
        return 0 if step.optional else code

    def _failed(self, step: PlannedStep, code: int) -> int:
        self.complain(f"step {step.name} failed: exit code {code}")
        return code

    def _failed_samples(self) -> int:
        first = next(sample for sample in self.samples if sample in self.failures)
        step, code = self.failures[first]
        count = f"{len(self.failures)} of {len(self.samples)} samples failed"
        self.complain(f"{count}; the first was {first}: step {step.name} failed: exit code {code}")
        return code

    # Processes

    def _command(
        self, command: Sequence[Word], values: Mapping[str, str], step: str, sample: str | None
    ) -> int:
        arguments = filled(command, values)
        environment = {**os.environ, "DAYLILY_STEP": step, "DAYLILY_SAMPLE": sample or ""}
        try:
            self._process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, env=environment, start_new_session=True
            )
        except OSError as error:
            self.complain(f"{arguments[0]} cannot be started: {error}")
            absent = isinstance(error, FileNotFoundError | NotADirectoryError)
            return NOT_FOUND if absent else NOT_EXECUTABLE
        if self._canceled.is_set():  # it came before there was anybody to tell
            self._tell(signal.SIGTERM)
        code = self._end_of(self._process)
        self._process = None
        return 128 - code if code < 0 else code

    def _end_of(self, process: subprocess.Popen[bytes]) -> int:
        while not self._canceled.is_set():
            # In turns: a signal that comes between two looks must not be slept over.
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(1)
        try:
            return process.wait(self.grace)
        except subprocess.TimeoutExpired:
            self._tell(signal.SIGKILL)
            return process.wait()

    def _terminate(self, _number: int, _frame: FrameType | None) -> None:
        if not self._canceled.is_set():
            self._canceled.set()
            self._tell(signal.SIGTERM)

    def _tell(self, number: int) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)

    def _check(self) -> None:
        if self._canceled.is_set():
            raise CanceledError

    # Taking back

    def _take_back(self, started: Sequence[PlannedStep]) -> int:
        """Take back what steps have set going elsewhere, the latest first."""
        for step in reversed(started):
            self._undo(step)
        self.complain(f"canceled in step {started[-1].name}" if started else "canceled")
        return TERMINATED

    def _take_back_lost(self, step: PlannedStep) -> None:
        """Take back what a run before us had set going by a step of which it did not see the end."""
        if step.digest in self.record.begun:
            self._undo(step)

    def _undo(self, step: PlannedStep) -> None:
        if not step.on_cancel:
            return
        arguments = filled(step.on_cancel, self.values)
        self.say(f"step {step.name}: is taken back")
        try:
            # Not a process of the step's session: whoever ends that must not end this.
            found = subprocess.run(
                arguments, stdin=subprocess.DEVNULL, timeout=UNDO_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            self.complain(f"step {step.name} could not be taken back: {error}")
            return
        if found.returncode:
            text = f"step {step.name} could not be taken back: exit code {found.returncode}"
            self.complain(text)
        else:
            self.record.write("undone", step)


def line_to(descriptor: int) -> Told:
    """Return what writes lines for people; if nobody reads them, it goes on without."""

    def write(line: str) -> None:
        with contextlib.suppress(OSError):
            os.write(descriptor, f"{line}\n".encode(errors="backslashreplace"))

    sys.stdout.flush()
    return write
