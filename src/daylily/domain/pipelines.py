"""Pipelines: a name, what it needs, and the argument vector that runs it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from attrs import field, frozen

from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.spelling import meant
from daylily.domain.steps import (
    SAMPLE,
    Per,
    PlannedStep,
    Step,
    faults_of_template,
    filled,
    planned,
    words,
)

PLACEHOLDERS: Final = (
    "workset_id",
    "attempt",
    "workset_dir",
    "results_dir",
    "results_uri",
    "cluster",
    "region",
    "reference_genome",
    "threads",
    "python",
)
"""The only names that a command template may hold; each is a value we made or checked."""


@frozen(kw_only=True)
class Resources:
    """What one attempt asks of an engine."""

    cpus: int = 1
    memory_gb: float = 2.0
    time_limit: timedelta = timedelta(hours=24)


@frozen(kw_only=True)
class Pipeline:
    """A pipeline that customers may choose."""

    name: str
    description: str = ""
    command: tuple[str, ...] | None = None
    """Argument vector with ``{placeholders}``; None where there are steps, or it cannot run here."""
    per_sample: bool = False
    """Whether the command is run once for each sample, told to it by ``{sample_id}``."""
    sample_option: str | None = None
    """The option that names a sample to a command that can do some of them; it may be repeated."""
    steps: tuple[Step, ...] = ()
    """What is run instead of one command, one after the other."""
    resources: Resources = Resources()
    vcpu_hours_per_sample: float = 4.0
    """At 30x coverage; the estimate scales it with coverage."""
    aliases: tuple[str, ...] = field(default=())
    set_up: bool = True
    """Whether what its commands need is there; what needs more than Daylily says so in the settings."""

    @property
    def runs_here(self) -> bool:
        """Whether this installation can run it."""
        return self.set_up and (self.command is not None or bool(self.steps))

    @property
    def partial(self) -> bool:
        """Whether it can be run for some samples of a workset alone."""
        of_samples = any(step.per is Per.SAMPLE for step in self.steps)
        return self.per_sample or self.sample_option is not None or of_samples

    def uses(self, name: str) -> bool:
        """Tell whether a command of it stands in need of a placeholder."""
        commands = [self.command or (), *(step.command for step in self.steps)]
        return any(f"{{{name}}}" in argument for command in commands for argument in command)

    def faults(self) -> list[Fault]:
        """Return what is wrong with it, each under its key."""
        place = f"pipelines.{self.name}"
        of_sample = (SAMPLE,) if self.per_sample else ()
        found = list(
            faults_of_template(f"{place}.command", self.command or (), (*PLACEHOLDERS, *of_sample))
        )
        if self.command == ():
            found.append(Fault(f"{place}.command", "is empty: the first word is the program"))
        if self.steps and self.command is not None:
            found.append(Fault(f"{place}.steps", "are there as well as a command: leave out one"))
        if self.per_sample and self.command is None:
            text = "is for a command; each step says for itself whether it is run per sample"
            found.append(Fault(f"{place}.per_sample", text))
        if self.sample_option is not None and (self.per_sample or self.command is None):
            text = "is for a command that is run once, and told which samples to do"
            found.append(Fault(f"{place}.sample_option", text))
        names: set[str] = set()
        for index, step in enumerate(self.steps):
            found += step.faults(f"{place}.steps[{index}]", PLACEHOLDERS)
            if step.name in names:
                text = f"{step.name!r} is the name of an earlier step"
                found.append(Fault(f"{place}.steps[{index}].name", text))
            names.add(step.name)
        return found

    def arguments(
        self, values: Mapping[str, str], lists: Mapping[str, Sequence[str]] | None = None
    ) -> tuple[str, ...]:
        """
        Return the argument vector with *values* filled in.

        Values are never parsed again, so a value that holds braces, blanks or quotes stays one
        argument and means nothing to anyone.

        Args:
            lists: For placeholders that stand for several words.

        Raises:
            InvalidInputError: This installation has no command for the pipeline.
        """
        self._check_set_up()
        return filled(words(self.command or (), values, lists or {}), {})

    def plan(
        self, values: Mapping[str, str], lists: Mapping[str, Sequence[str]] | None = None
    ) -> tuple[PlannedStep, ...]:
        """
        Return the steps with *values* filled in, but for what only their runner knows.

        Raises:
            InvalidInputError: They cannot be run here.
        """
        self._check_set_up()
        return planned(self.steps, values, lists or {})

    def _check_set_up(self) -> None:
        if not self.runs_here:
            raise InvalidInputError.of("pipeline", f"{self.name} is not set up to run here")


def _omics(step: str, *options: str) -> tuple[str, ...]:
    where = ("--root", "/fsx/analysis_results/ubuntu", "--name", "{workset_id}")
    return ("{python}", "-m", "daylily.pipelines.omics", step, *where, *options)


def _programs(*words: str) -> tuple[str, ...]:
    return tuple(f"--program={word}" for word in words)


OMICS: Final = Pipeline(
    name="daylily-omics",
    description="What Daylily of old ran: daylily-omics-analysis, on a ParallelCluster.",
    # The names are those that portals of old show (contract 3.6).
    steps=(
        Step(name="staging", command=_omics("stage", "--workset", "{workset_dir}")),
        Step(
            name="pipeline_starting",
            command=_omics("clone", *_programs("day-clone"), "--", "{day_clone}"),
        ),
        Step(
            name="pipeline_running",
            command=_omics("run", "--genome", "{reference_genome}", "--", "{dy_r}"),
            on_cancel=_omics("cancel"),
        ),
        Step(
            name="exporting",
            command=_omics(
                "export", "--output", "{results_dir}",
                *_programs(
                    "daylily-export-fsx-to-s3-from-local", "--cluster", "{cluster}",
                    "--region", "{region}", "--output-dir", "{results_dir}",
                    "--target-uri", "analysis_results/ubuntu/{workset_id}",
                ),
            ),
        ),
    ),
    resources=Resources(cpus=1, memory_gb=4.0, time_limit=timedelta(days=7)),
    vcpu_hours_per_sample=12,
    aliases=("daylily_omics",),
    set_up=False,
)  # fmt: skip

SHIPPED: Final = (
    Pipeline(
        name="fastq-qc",
        description="Read counts, lengths, qualities, GC and N content of every sample, as a report.",
        command=(
            "{python}", "-m", "daylily.pipelines.fastq_qc",
            "--workset", "{workset_dir}", "--output", "{results_dir}", "--threads", "{threads}",
        ),
        sample_option="--sample",
        resources=Resources(cpus=1, memory_gb=1.0, time_limit=timedelta(hours=12)),
        vcpu_hours_per_sample=0.1,
        aliases=("fastq_qc", "qc"),
    ),
    Pipeline(name="germline", description="Germline small variants.", vcpu_hours_per_sample=4),
    Pipeline(name="somatic", description="Tumour and normal small variants.", vcpu_hours_per_sample=8),
    Pipeline(
        name="rnaseq",
        description="Transcript abundance.",
        vcpu_hours_per_sample=2,
        aliases=("rna-seq",),
    ),
    Pipeline(name="wgs", description="Whole genome, all callers.", vcpu_hours_per_sample=12),
    Pipeline(name="wes", description="Whole exome.", vcpu_hours_per_sample=3),
    OMICS,
)  # fmt: skip


@frozen
class PipelineRegistry:
    """The pipelines of this installation, by name and alias."""

    pipelines: tuple[Pipeline, ...] = SHIPPED

    def get(self, name: str) -> Pipeline:
        """
        Return the pipeline of that name or alias, whatever the case.

        Raises:
            InvalidInputError: There is none.
        """
        wanted = name.strip().lower()
        for pipeline in self.pipelines:
            if wanted in (name.lower() for name in (pipeline.name, *pipeline.aliases)):
                return pipeline
        raise InvalidInputError.of("pipeline", f"{name[:80]!r} is not known; {self.choice(wanted)}")

    def partial(self, name: str) -> bool:
        """Tell whether there is such a pipeline, and it can be run for some samples alone."""
        try:
            return self.get(name).partial
        except InvalidInputError:
            return False

    @property
    def runnable(self) -> tuple[str, ...]:
        """The names of those that run here."""
        return tuple(pipeline.name for pipeline in self.pipelines if pipeline.runs_here)

    def choice(self, wanted: str = "") -> str:
        """
        Return a hint which pipelines to name: those that run here first.

        Args:
            wanted: What was named instead.
        """
        runnable = self.runnable
        others = [pipeline.name for pipeline in self.pipelines if not pipeline.runs_here]
        near = meant(wanted, [*runnable, *others])
        hint = f"did you mean {near!r}? " if near else ""
        if not runnable:
            return f"{hint}none is set up to run here; known are {', '.join(others)}"
        hint += f"use one of {', '.join(runnable)}"
        return hint + (f" (not set up to run here: {', '.join(others)})" if others else "")
