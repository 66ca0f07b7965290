"""How far an attempt is, by step and by sample."""

import json
from typing import Any

import pytest
from attrs import evolve
from tests.unit.application.lab import ADA, Lab

from daylily.application.show_progress import ProgressTold, SampleProgress
from daylily.config import Settings
from daylily.domain.customers import Principal
from daylily.domain.errors import NotFoundError
from daylily.domain.manifest import FastqPair, Sample
from daylily.domain.pipelines import SHIPPED, Pipeline
from daylily.domain.results import SAMPLES, SampleOutcome, samples_text
from daylily.domain.step_record import RECORD, StepPhase
from daylily.domain.steps import Per, Step
from daylily.testing.samples import a_manifest

STEPS = Pipeline(
    name="trio",
    steps=(
        Step(name="align", command=("align", "{sample_id}"), per=Per.SAMPLE),
        Step(name="joint_calls", command=("joint",)),
    ),
)
ARRAY = Pipeline(name="array", command=("one", "{sample_id}"), per_sample=True)


@pytest.fixture
def lab() -> Lab:
    """A world in memory, with pipelines of steps and of tasks."""
    settings = Settings(store="memory", engine="memory", pipelines=(*SHIPPED, STEPS, ARRAY))
    return Lab(settings=settings)


def launched(lab: Lab, pipeline: str, *samples: str) -> str:
    """Submit a workset of samples, and have it launched; return its id."""
    lab.upload(*(f"{name}.fastq" for name in samples))
    made = tuple(Sample(sample_id=name, pairs=(FastqPair(f"{name}.fastq"),)) for name in samples)
    workset = lab.submit(pipeline=pipeline, samples=made)
    lab.app().cycle()
    return workset.workset_id


def told(lab: Lab, workset_id: str, **more: Any) -> ProgressTold:
    """Return what a person of the customer is told."""
    return lab.app().progress(ADA, workset_id, **more)


def test_steps(lab: Lab) -> None:
    """What has begun is told with its times; what the pipeline has yet to do, by name."""
    workset_id = launched(lab, "trio", "A")
    assert told(lab, workset_id).to_come == ("align", "joint_calls")
    line = {"at": "2025-06-02T12:00:00Z", "event": "begun", "step": "align", "sample": "A"}
    place = f"worksets/{workset_id}/results/attempt-1/{RECORD}"
    lab.objects.put(place, json.dumps(line).encode())

    found = told(lab, workset_id)

    assert [(each.name, each.sample, each.phase) for each in found.steps] == [
        ("align", "A", StepPhase.RUNNING)
    ]
    assert found.to_come == ("joint_calls",)


def test_tasks_of_a_running_attempt(lab: Lab) -> None:
    """Where each sample is a task, the engine says how each is, while it runs."""
    workset_id = launched(lab, "array", "A", "B")
    lab.compute.end_task(f"{workset_id}/1", "A", exit_code=65, message="it is cut\nand more")

    samples = told(lab, workset_id).samples

    assert samples == (
        SampleProgress(sample_id="A", said="failed", message="it is cut", attempt=1),
        SampleProgress(sample_id="B", said="running", attempt=1),
    )
    lab.compute.go_down()
    assert [each.said for each in told(lab, workset_id).samples] == ["", ""]


def test_outcomes_once_it_has_ended(lab: Lab) -> None:
    """Then it is what the record of the workset says."""
    workset_id = launched(lab, "fastq-qc", "A", "B", "C")
    outcomes = samples_text([SampleOutcome.of("A", None), SampleOutcome.of("B", "cut")]).encode()
    lab.objects.put(f"worksets/{workset_id}/results/attempt-1/{SAMPLES}", outcomes)
    lab.compute.end(f"{workset_id}/1", exit_code=65)
    lab.app().cycle()

    assert told(lab, workset_id).samples == (
        SampleProgress(sample_id="A", said="ok", attempt=1),
        SampleProgress(sample_id="B", said="failed", message="cut", attempt=1),
        SampleProgress(sample_id="C", said=""),
    )


def test_before_anything_happens(lab: Lab) -> None:
    """Nothing is asked of an engine, and nothing read, of what has not been launched."""
    workset = lab.submit()
    found = told(lab, workset.workset_id)
    assert (found.steps, [each.said for each in found.samples]) == ((), [""])
    # An attempt that there is not, and a pipeline that this installation does not know.
    stored = lab.store.get(workset.workset_id)
    lab.store.save(evolve(stored, manifest=a_manifest(pipeline="gone")))
    assert told(lab, workset.workset_id, attempt=4).to_come == ()


def test_an_engine_that_has_no_record(lab: Lab) -> None:
    """Then nobody knows how the samples are."""
    workset_id = launched(lab, "array", "A")
    other = Lab(settings=lab.settings, store=lab.store, clock=lab.clock)
    assert [each.said for each in other.app().progress(ADA, workset_id).samples] == [""]


def test_worksets_of_others(lab: Lab) -> None:
    """Another customer's is simply not there."""
    workset_id = launched(lab, "fastq-qc", "A")
    with pytest.raises(NotFoundError):
        lab.app().progress(Principal(name="eve", customer_id="evil"), workset_id)
