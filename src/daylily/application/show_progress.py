"""Show how far an attempt is: by step, and by sample."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from attrs import frozen

from daylily.application.read_worksets import ReadWorksets
from daylily.domain.customers import Principal
from daylily.domain.errors import InvalidInputError, NotFoundError, UnavailableError
from daylily.domain.pipelines import PipelineRegistry
from daylily.domain.step_record import RECORD, StepTold, read_steps
from daylily.domain.workset import Workset
from daylily.ports.compute import Phase, TaskStatus

RECORD_BYTES: Final = 4 << 20
"""What is read of a record at most: some twenty thousand lines."""

_SAID: Final = {Phase.SUCCEEDED: "ok", Phase.FAILED: "failed"}


@frozen(kw_only=True)
class SampleProgress:
    """How far one sample is."""

    sample_id: str
    said: str
    """``ok``, ``failed``, ``queued``, ``running``, ``canceled``; empty where nobody knows."""
    message: str = ""
    attempt: int | None = None
    """Which attempt says so."""


@frozen(kw_only=True)
class ProgressTold:
    """How far an attempt is."""

    steps: tuple[StepTold, ...]
    to_come: tuple[str, ...]
    """Steps of the pipeline that the record does not tell of yet."""
    samples: tuple[SampleProgress, ...]
    """All of the workset, in its order."""


@frozen
class ShowProgress:
    """
    Look at what an attempt has written of its steps, and ask its engine about its tasks if it runs.

    Cost: a read, and a question to the engine for an attempt that runs. Whatever does not answer is
    left out: the rest is worth showing without it.
    """

    read: ReadWorksets
    pipelines: PipelineRegistry

    def __call__(self, who: Principal, workset_id: str, *, attempt: int | None = None) -> ProgressTold:
        """
        Return how far an attempt (the last one, unless said) is.

        Raises:
            NotFoundError: There is no such workset for the caller.
            UnavailableError: The state store does not answer.
        """
        workset = self.read.get(who, workset_id)
        number = attempt or len(workset.attempts)
        tasks = self._tasks(workset, number)
        steps = self._steps(who, workset, number)
        return ProgressTold(
            steps=steps,
            to_come=self._to_come(workset, {step.name for step in steps}),
            samples=tuple(_samples(workset, number, tasks)),
        )

    def _steps(self, who: Principal, workset: Workset, number: int) -> tuple[StepTold, ...]:
        if not number:
            return ()
        try:
            with self.read.open_result(who, workset.workset_id, RECORD, attempt=number) as file:
                return read_steps(file.read(RECORD_BYTES))
        except (NotFoundError, UnavailableError):
            return ()

    def _to_come(self, workset: Workset, told: Collection[str]) -> tuple[str, ...]:
        try:
            steps = self.pipelines.get(workset.manifest.pipeline).steps
        except InvalidInputError:
            return ()  # this installation does not know it any more
        return tuple(step.name for step in steps if step.name not in told)

    def _tasks(self, workset: Workset, number: int) -> Mapping[str, TaskStatus]:
        running = workset.running
        if running is None or running.number != number:
            return {}
        key = workset.attempt_key
        try:
            status = self.read.engines.of(running.cluster).status([key]).get(key)
        except UnavailableError:
            return {}
        return {task.name: task for task in status.tasks} if status else {}


def _samples(
    workset: Workset, number: int, tasks: Mapping[str, TaskStatus]
) -> Iterator[SampleProgress]:
    outcomes = workset.outcomes  # of ten thousand samples it is not made twice
    for sample in workset.manifest.samples:
        name = sample.sample_id
        told, task = outcomes.get(name), tasks.get(name)
        if task is not None:
            said, line = _SAID.get(task.phase, str(task.phase)), task.message.partition("\n")[0]
            yield SampleProgress(sample_id=name, said=said, message=line, attempt=number)
        elif told is not None:
            attempt, outcome = told
            said = "failed" if outcome.failed else "ok"
            yield SampleProgress(
                sample_id=name, said=said, message=outcome.message, attempt=attempt.number
            )
        else:
            yield SampleProgress(sample_id=name, said="")
