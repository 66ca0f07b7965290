"""Pipelines: their templates, and how values get into an argument vector."""

from typing import Final

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.pipelines import PLACEHOLDERS, SHIPPED, Pipeline, PipelineRegistry, Resources
from daylily.domain.steps import Per, Step

VALUES: Final = {name: f"<{name}>" for name in PLACEHOLDERS}


def test_placeholders_are_filled_in() -> None:
    """Each placeholder is replaced, several in one argument too; the rest is taken as it is."""
    pipeline = Pipeline(name="p", command=("run", "--out={results_dir}/{attempt}", "{workset_dir}"))

    assert pipeline.arguments(VALUES) == ("run", "--out=<results_dir>/<attempt>", "<workset_dir>")
    assert pipeline.faults() == []


@given(st.text())
def test_values_stay_one_argument(value: str) -> None:
    """Braces, quotes, blanks and backslashes in a value mean nothing to anyone."""
    pipeline = Pipeline(name="p", command=("run", "{workset_dir}", "x{workset_dir}y"))

    assert pipeline.arguments({**VALUES, "workset_dir": value}) == ("run", value, f"x{value}y")


@pytest.mark.parametrize(
    "value", ["{attempt}", "{{attempt}}", r"\1", r"\g<0>", "a b; rm -rf '", '"$(x)"']
)
def test_values_are_never_parsed_again(value: str) -> None:
    """A value that looks like a placeholder, a group or shell is none."""
    pipeline = Pipeline(name="p", command=("{workset_dir}",))

    assert pipeline.arguments({**VALUES, "workset_dir": value}) == (value,)


def test_unknown_placeholders_are_faults() -> None:
    """All of them at once, each under its argument; near misses are not guessed at."""
    pipeline = Pipeline(name="p", command=("{customer}", "ok {threads}", "{} {Threads}", "{threads!r}"))

    faults = pipeline.faults()
    assert [fault.place for fault in faults] == [
        "pipelines.p.command[0]",
        "pipelines.p.command[2]",
        "pipelines.p.command[2]",
        "pipelines.p.command[3]",
    ]
    known = ", ".join(PLACEHOLDERS)
    assert faults[0] == Fault(
        "pipelines.p.command[0]", f"unknown placeholder {{customer}}; known: {known}"
    )


def test_pipeline_without_a_command_cannot_run_here() -> None:
    """It can be chosen and estimated; running it is refused in so many words."""
    assert Pipeline(name="p").faults() == []
    with pytest.raises(InvalidInputError, match="p is not set up to run here"):
        Pipeline(name="p").arguments(VALUES)


def test_shipped_pipelines_are_sound() -> None:
    """Contract 5.1's five and fastq-qc, without faults and without two of one name."""
    names = [name for pipeline in SHIPPED for name in (pipeline.name, *pipeline.aliases)]

    assert {"germline", "somatic", "rnaseq", "wgs", "wes", "fastq-qc", "rna-seq"} <= set(names)
    assert len(names) == len(set(names))
    assert [fault for pipeline in SHIPPED for fault in pipeline.faults()] == []
    assert {pipeline.name: pipeline.vcpu_hours_per_sample for pipeline in SHIPPED[1:-1]} == {
        "germline": 4,
        "somatic": 8,
        "rnaseq": 2,
        "wgs": 12,
        "wes": 3,
    }


def test_the_run_of_old_has_the_steps_of_old() -> None:
    """Contract 3.6 names them; nobody can choose it where the settings have not named it."""
    omics = PipelineRegistry().get("daylily-omics")

    names = ["staging", "pipeline_starting", "pipeline_running", "exporting"]
    assert [step.name for step in omics.steps] == names
    assert [step.name for step in omics.steps if step.on_cancel] == ["pipeline_running"]
    assert not omics.runs_here
    with pytest.raises(InvalidInputError, match="daylily-omics is not set up to run here"):
        omics.plan(VALUES)
    assert [step.name for step in evolve(omics, set_up=True).plan(VALUES)] == names


def test_what_samples_may_be_told() -> None:
    """Which pipelines can be run for some samples alone; an option for samples needs one command."""
    plain = Pipeline(name="p", command=("run",))
    per_sample = Step(name="align", command=("align", "{sample_id}"), per=Per.SAMPLE)

    assert not plain.partial
    assert evolve(plain, per_sample=True).partial
    assert evolve(plain, sample_option="--only").partial
    assert Pipeline(name="p", steps=(per_sample,)).partial
    assert not PipelineRegistry().partial("nope")
    assert PipelineRegistry().partial("fastq-qc")
    for wrong in (
        evolve(plain, sample_option="--only", per_sample=True),
        Pipeline(name="p", steps=(per_sample,), sample_option="--only"),
    ):
        assert [fault.place for fault in wrong.faults()] == ["pipelines.p.sample_option"]


@pytest.mark.parametrize("asked", ["rnaseq", "RNAseq", " rna-seq\n", "RNA-SEQ"])
def test_registry_knows_aliases_whatever_the_case(asked: str) -> None:
    """The standard name comes back."""
    assert PipelineRegistry().get(asked).name == "rnaseq"


def test_registry_knows_names_that_settings_write_in_capitals() -> None:
    """The case of a name in the settings matters no more than that of the one who asks."""
    registry = PipelineRegistry((Pipeline(name="WGS-Trio", aliases=("TRIO",)),))

    for asked in ("WGS-Trio", "wgs-trio", "trio", "TRIO"):
        assert registry.get(asked).name == "WGS-Trio"


@pytest.mark.parametrize("asked", ["", "nope", "x" * 1000])
def test_registry_names_what_runs_first(asked: str) -> None:
    """An unknown name is refused under ``pipeline``; what cannot run here is no choice."""
    with pytest.raises(InvalidInputError) as caught:
        PipelineRegistry().get(asked)

    [fault] = caught.value.faults
    assert fault.place == "pipeline"
    assert "is not known; use one of fastq-qc (not set up to run here: germline, som" in fault.message
    assert len(fault.message) < 300


@pytest.mark.parametrize(("asked", "near"), [("fastqc", "fastq-qc"), ("germ-line", "germline")])
def test_registry_names_what_was_meant(asked: str, near: str) -> None:
    """A name that is nearly one is answered with that."""
    with pytest.raises(InvalidInputError, match=f"is not known; did you mean '{near}'?"):
        PipelineRegistry().get(asked)


def test_registry_of_nothing_to_run() -> None:
    """Where nothing can run, that is said; and where all can, there is nothing else to say."""
    nothing = PipelineRegistry((Pipeline(name="wgs"), Pipeline(name="wes")))
    assert nothing.choice() == "none is set up to run here; known are wgs, wes"
    assert PipelineRegistry((Pipeline(name="p", command=("p",)),)).choice() == "use one of p"


def test_resources_have_modest_defaults() -> None:
    """One CPU, 2 GB, a day."""
    assert (Resources().cpus, Resources().memory_gb, Resources().time_limit.days) == (1, 2.0, 1)
