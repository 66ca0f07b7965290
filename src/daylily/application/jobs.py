"""What an engine is asked to run for an attempt."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from attrs import evolve, field, frozen

from daylily.application.places import Places
from daylily.domain.pipelines import Pipeline, PipelineRegistry
from daylily.domain.steps import LISTS, SAMPLE, encoded
from daylily.domain.workset import Workset
from daylily.ports.compute import Job, Task
from daylily.ports.object_store import ObjectStore
from daylily.ports.sentinel_store import SentinelStore

STEPS: Final = "daylily.pipelines.steps"
"""The program that runs a pipeline of steps."""
EARLIER_MOST: Final = 5
"""Earlier attempts whose results a run of steps may go on from."""


@frozen(kw_only=True)
class Staging:
    """How a command is run whose files are not on the engine's disks."""

    module: str
    """What fetches the workset, runs the words after ``--`` and brings the results back."""
    inputs: str
    """What stands in those words for the folder that the workset was fetched to."""
    outputs: str
    """What stands for the folder of results."""
    earlier: str
    """What stands for the folder that results of an earlier attempt were fetched to."""
    environment: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class MakeJob:
    """
    Makes the job of a workset's next attempt: one command, one a sample, or steps.

    Args:
        python: The interpreter that has Daylily on the engine's machines.
        pythons: Those of clusters that have another, by the cluster's name.
    """

    objects: ObjectStore
    sentinels: SentinelStore
    places: Places
    pipelines: PipelineRegistry
    python: str
    pythons: Mapping[str, str] = field(factory=dict)
    region: str = ""
    staging: Staging | None = None
    summing: tuple[str, ...] = ()
    """What runs a command, and lists the checksums of results that stay on the engine's disks."""

    def __call__(self, locked: Workset) -> Job:
        """
        Return the job for what *locked* is locked to launch.

        Raises:
            InvalidInputError: There is no such pipeline, or it has no command here.
            UnavailableError: What the workset's files say cannot be read.
        """
        pipeline = self.pipelines.get(locked.manifest.pipeline)
        number = len(locked.attempts) + 1
        directory, results = self._directory(locked), self._results(locked, number)
        values = {
            "workset_id": locked.workset_id,
            "attempt": str(number),
            "workset_dir": self.staging.inputs if self.staging else directory,
            "results_dir": self.staging.outputs if self.staging else results,
            "results_uri": results,
            "cluster": locked.cluster or "",
            "region": self.region,
            "reference_genome": locked.manifest.reference_genome,
            "threads": str(pipeline.resources.cpus),
            "python": self._python(locked),
        }
        limit = locked.requirements.time_limit
        job = Job(
            key=locked.attempt_key,
            directory=directory,
            resources=evolve(pipeline.resources, time_limit=limit or pipeline.resources.time_limit),
            environment=self.staging.environment if self.staging else {},
        )
        lists = self._lists(locked, pipeline)
        if pipeline.steps:
            return evolve(job, arguments=self._steps(locked, pipeline, values, lists))
        if not pipeline.per_sample:
            return evolve(job, arguments=self._command(locked, pipeline, values, lists))
        names = _samples(locked)
        tasks = [
            Task(
                name=name,
                arguments=self._wrapped(
                    locked,
                    results,
                    pipeline.arguments({**values, SAMPLE: name}, lists),
                    ("--task", name, "--of", str(len(names))),
                ),
            )
            for name in names
        ]
        return evolve(job, tasks=tuple(tasks))

    def partial(self, workset: Workset) -> bool:
        """Tell whether the workset's pipeline can be run for some samples alone."""
        return self.pipelines.partial(workset.manifest.pipeline)

    def _command(
        self,
        locked: Workset,
        pipeline: Pipeline,
        values: Mapping[str, str],
        lists: Mapping[str, Sequence[str]],
    ) -> tuple[str, ...]:
        words = pipeline.arguments(values, lists)
        if pipeline.sample_option is not None:
            words += tuple(w for name in locked.retry_only for w in (pipeline.sample_option, name))
        return self._wrapped(locked, values["results_uri"], words)

    def _steps(
        self,
        locked: Workset,
        pipeline: Pipeline,
        values: Mapping[str, str],
        lists: Mapping[str, Sequence[str]],
    ) -> tuple[str, ...]:
        words = [self._python(locked), "-m", STEPS]
        words += ["--workset", values["workset_dir"], "--results", values["results_dir"]]
        words += ["--plan", encoded(pipeline.plan(values, lists))]
        words += [word for name in _samples(locked) for word in ("--sample", name)]
        earlier = list(self._earlier(locked))
        places = [self.staging.earlier] if self.staging and earlier else earlier
        words += [word for place in places for word in ("--resume", place)]
        fetched = tuple(word for place in earlier for word in ("--earlier", place))
        return self._staged(locked, values["results_uri"], words, fetched)

    def _wrapped(
        self, locked: Workset, results: str, words: Sequence[str], options: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Return what runs a command and leaves a list of checksums beside its results."""
        if self.staging is not None or not self.summing:
            return self._staged(locked, results, words, options)
        return (*self.summing, results, *options, "--", *words)

    def _staged(
        self, locked: Workset, results: str, words: Sequence[str], options: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Return what runs a command where the workset's files are not on the engine's disks."""
        if self.staging is None:
            return tuple(words)
        program = (self._python(locked), "-m", self.staging.module)
        where = ("--workset", self._directory(locked), "--results", results)
        return (*program, *where, *options, "--", *words)

    def _python(self, locked: Workset) -> str:
        return self.pythons.get(locked.cluster or "", self.python)

    def _directory(self, workset: Workset) -> str:
        return self.objects.location(self.places.directory(workset.workset_id))

    def _results(self, workset: Workset, attempt: int) -> str:
        return self.objects.location(self.places.results(workset, attempt))

    def _earlier(self, locked: Workset) -> Iterator[str]:
        """Yield where earlier attempts have left something, the latest first."""
        ran = [attempt.number for attempt in locked.attempts if attempt.ran]
        for number in ran[: -EARLIER_MOST - 1 : -1]:
            yield self._results(locked, number)

    def _lists(self, locked: Workset, pipeline: Pipeline) -> Mapping[str, Sequence[str]]:
        """Return what stands for several words; only who has use for it has files read for it."""
        if not any(pipeline.uses(name) for name in LISTS):
            return {}
        return self.sentinels.commands(locked.workset_id)


def _samples(locked: Workset) -> tuple[str, ...]:
    return locked.retry_only or tuple(sample.sample_id for sample in locked.manifest.samples)
