"""The job of an attempt: one command, one a sample, or the runner of steps."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from attrs import evolve
from tests.unit.application.lab import ADA, PREFIX, Lab

from daylily.application.jobs import EARLIER_MOST, STEPS, Staging
from daylily.application.retry_workset import RetryWorkset
from daylily.config import Settings
from daylily.domain.errors import IllegalTransitionError
from daylily.domain.lifecycle import State
from daylily.domain.manifest import FastqPair, Sample
from daylily.domain.pipelines import SHIPPED, Pipeline
from daylily.domain.results import SAMPLES, samples_text
from daylily.domain.results import SampleOutcome as Outcome
from daylily.domain.steps import Per, Step, decoded, filled
from daylily.domain.workset import REFUSED, Workset
from daylily.ports.compute import Job
from daylily.testing.faults import Blow, FaultInjector
from daylily.testing.samples import locked

EACH = Pipeline(
    name="each", command=("align", "{sample_id}", "{workset_dir}", "{results_dir}"), per_sample=True
)
STEPPED = Pipeline(
    name="stepped",
    steps=(
        Step(name="align", command=("align", "{sample_id}"), per=Per.SAMPLE),
        Step(name="join", command=("join", "{dy_r}", "{results_dir}", "{results_uri}")),
    ),
)
PLAIN = Pipeline(name="plain", command=("plain", "{results_dir}"))
STAGING = Staging(
    module="staged",
    inputs="@WORKSET@",
    outputs="@RESULTS@",
    earlier="@EARLIER@",
    environment={"AWS_REGION": "us-west-2"},
)


@pytest.fixture
def lab() -> Lab:
    """A world in memory with pipelines of each kind."""
    pipelines = (*SHIPPED, EACH, STEPPED, PLAIN)
    return Lab(settings=Settings(store="memory", engine="memory", pipelines=pipelines))


def trio(lab: Lab, pipeline: str) -> Workset:
    """Submit a workset of three samples."""
    names = ("A", "B", "C")
    lab.upload(*(f"{name}_R{read}.fastq" for name in names for read in (1, 2)))
    samples = tuple(
        Sample(sample_id=name, pairs=(FastqPair(f"{name}_R1.fastq", f"{name}_R2.fastq"),))
        for name in names
    )
    return lab.submit(pipeline=pipeline, samples=samples)


def launched(lab: Lab) -> Job:
    """Let a monitor launch what is ready; return what the engine was asked last."""
    lab.app().cycle()
    return lab.compute.submitted[-1]


def failed(
    lab: Lab, workset: Workset, *, exit_code: int = 65, fine: str = "", bad: str = ""
) -> Workset:
    """Let the running attempt fail, leaving a file that says what became of samples."""
    running = lab.get(workset.workset_id)
    told = [Outcome.of(name, None) for name in fine] + [Outcome.of(name, "cut short") for name in bad]
    place = f"results/attempt-{running.attempts[-1].number}/{SAMPLES}"
    lab.put(workset.workset_id, place, samples_text(told).encode())
    lab.compute.end(running.attempt_key, exit_code=exit_code)
    lab.app().cycle()
    return lab.get(workset.workset_id)


def retry(lab: Lab) -> RetryWorkset:
    """Return what people retry by."""
    return lab.app().retry


def options(words: Iterable[str], name: str) -> list[str]:
    """Return the values of an option."""
    listed = list(words)
    return [value for option, value in pairwise(listed) if option == name]


def test_a_task_for_each_sample(lab: Lab) -> None:
    """A command that is run per sample becomes a job of tasks, named after the samples."""
    workset = trio(lab, "each")
    job = launched(lab)
    here = f"memory://{PREFIX}{workset.workset_id}"
    assert job.arguments == ()
    assert [task.name for task in job.tasks] == ["A", "B", "C"]
    assert job.tasks[1].arguments == ("align", "B", here, f"{here}/results/attempt-1")


def test_tasks_of_failed_samples_alone(lab: Lab) -> None:
    """What tasks say of their samples is recorded, and a retry runs those that failed."""
    workset = trio(lab, "each")
    launched(lab)
    for name, code in (("A", 0), ("B", 65), ("C", 0)):
        lab.compute.end_task(f"{workset.workset_id}/1", name, exit_code=code, message="cut short")
    lab.app().cycle()
    ended = lab.get(workset.workset_id)
    told = {name: each.message for name, (_, each) in ended.outcomes.items() if each.failed}
    assert (ended.state, len(ended.outcomes), told) == (State.ERROR, 3, {"B": "cut short"})

    retry(lab)(ADA, workset.workset_id, failed_samples=True)
    assert [task.name for task in launched(lab).tasks] == ["B"]
    assert lab.get(workset.workset_id).attempts[-1].only == ("B",)


def test_an_option_names_the_samples(lab: Lab) -> None:
    """A command that can do some samples is told which, where it is not to do all."""
    workset = trio(lab, "fastq-qc")
    assert options(launched(lab).arguments, "--sample") == []
    failed(lab, workset, fine="AC", bad="B")
    retry(lab)(ADA, workset.workset_id, failed_samples=True)
    assert options(launched(lab).arguments, "--sample") == ["B"]


def test_a_command_for_all_is_never_for_some(lab: Lab) -> None:
    """A pipeline that knows no samples is run as a whole, and its record does not say otherwise."""
    workset = trio(lab, "plain")
    launched(lab)
    waiting = failed(lab, workset, exit_code=75, fine="A")
    assert waiting.state is State.RETRYING
    assert len(waiting.outcomes) == 1
    lab.clock.advance(lab.patience())
    lab.app().cycle()
    assert launched(lab).arguments[0] == "plain"
    assert lab.get(workset.workset_id).attempts[-1].only == ()

    failed(lab, workset, fine="A", bad="B")
    with pytest.raises(IllegalTransitionError, match="plain cannot be run for some samples alone"):
        retry(lab)(ADA, workset.workset_id, failed_samples=True)


def test_a_pipeline_that_is_gone_is_run_for_nobody(lab: Lab) -> None:
    """Its samples cannot be retried apart: nobody knows whether it could be run for some."""
    workset = trio(lab, "each")
    launched(lab)
    ended = failed(lab, workset, fine="A", bad="B")
    lab.store.save(evolve(ended, manifest=evolve(ended.manifest, pipeline="gone")))
    with pytest.raises(IllegalTransitionError, match="gone cannot be run"):
        retry(lab)(ADA, workset.workset_id, failed_samples=True)


def test_steps_are_one_command(lab: Lab) -> None:
    """The runner gets the plan, the samples, and no place to go on from in a first attempt."""
    workset = trio(lab, "stepped")
    job = launched(lab)
    here = f"memory://{PREFIX}{workset.workset_id}"
    assert job.arguments[1:3] == ("-m", STEPS)
    assert options(job.arguments, "--workset") == [here]
    assert options(job.arguments, "--sample") == ["A", "B", "C"]
    assert options(job.arguments, "--resume") == []
    (plan,) = options(job.arguments, "--plan")
    align, join = decoded(plan)
    assert filled(align.command, {"sample_id": "A"}) == ("align", "A")
    target = "stepped"  # what our own daylily_work.yaml tells the engine of old
    uri = f"{here}/results/attempt-1"
    assert filled(join.command, {"results_dir": "R"}) == ("join", target, "R", uri)


def test_steps_go_on_from_earlier_attempts(lab: Lab) -> None:
    """A retry is told where the attempts before it left their results, the latest first."""
    workset = trio(lab, "stepped")
    launched(lab)
    failed(lab, workset, fine="A", bad="BC")
    retry(lab)(ADA, workset.workset_id, failed_samples=True)
    job = launched(lab)
    here = f"memory://{PREFIX}{workset.workset_id}/results"
    assert options(job.arguments, "--sample") == ["B", "C"]
    assert options(job.arguments, "--resume") == [f"{here}/attempt-1"]

    ended = failed(lab, workset, bad="BC")
    ran = ended.attempts[-1]
    more = tuple(
        evolve(ran, number=n, job=REFUSED if n == 5 else f"job-{n}") for n in range(3, 3 + EARLIER_MOST)
    )
    retry(lab)(ADA, lab.store.save(evolve(ended, attempts=(*ended.attempts, *more))).workset_id)
    places = options(launched(lab).arguments, "--resume")
    assert places == [f"{here}/attempt-{n}" for n in (7, 6, 4, 3, 2)]


@pytest.mark.parametrize("pipeline", ["fastq-qc", "each", "stepped"])
def test_files_that_are_elsewhere_are_fetched(lab: Lab, pipeline: str) -> None:
    """Where the engine has no such files, every command is run by what fetches them."""
    workset = trio(lab, pipeline)
    if launched(lab).tasks:
        lab.compute.end_task(f"{workset.workset_id}/1", "A")
    ended = failed(lab, workset, fine="A", bad="BC")
    again = ended.retry(by="ada", at=lab.clock(), failed_samples=True)
    make = evolve(lab.app().cycle.start.job, staging=STAGING, python="python3.12")
    job = make(again)

    here = f"memory://{PREFIX}{workset.workset_id}"
    results = f"{here}/results/attempt-2"
    for words in [task.arguments for task in job.tasks] or [job.arguments]:
        assert words[:3] == ("python3.12", "-m", "staged")
        assert words[3:7] == ("--workset", here, "--results", results)
        assert "@WORKSET@" in words[words.index("--") :]
        assert "@RESULTS@" in words[words.index("--") :]
    assert job.environment == STAGING.environment
    if pipeline == "each":
        assert [options(task.arguments, "--task") for task in job.tasks] == [["B"], ["C"]]
        assert [options(task.arguments, "--of") for task in job.tasks] == [["2"], ["2"]]
    if pipeline == "stepped":
        assert options(job.arguments, "--earlier") == [f"{here}/results/attempt-1"]
        assert options(job.arguments, "--resume") == ["@EARLIER@"]


def test_checksums_are_listed_where_results_stay(lab: Lab) -> None:
    """A command on the engine's own disks is wrapped; steps list theirs themselves."""
    held = locked(lab.get(trio(lab, "plain").workset_id))
    make = evolve(lab.app().cycle.start.job, summing=("sum",))
    results = f"memory://{PREFIX}{held.workset_id}/results/attempt-1"
    assert make(held).arguments == ("sum", results, "--", "plain", results)

    each = evolve(held, manifest=evolve(held.manifest, pipeline="each"), retry_only=("A", "C"))
    first, last = (task.arguments for task in make(each).tasks)
    assert first[:7] == ("sum", results, "--task", "A", "--of", "2", "--")
    assert last[2:6] == ("--task", "C", "--of", "2")

    stepped = evolve(held, manifest=evolve(held.manifest, pipeline="stepped"))
    assert make(stepped).arguments[1:3] == ("-m", STEPS)
    assert evolve(make, staging=STAGING)(held).arguments[2] == "staged"


def test_each_cluster_may_have_a_python_of_its_own(lab: Lab) -> None:
    """What runs Daylily on a cluster's machines is said of that cluster; elsewhere it is another."""
    held = locked(lab.get(trio(lab, "fastq-qc").workset_id))
    make = evolve(lab.app().cycle.start.job, python="here", pythons={"cloud": "there"})

    assert make(held).arguments[0] == "here"
    assert make(evolve(held, cluster="onprem")).arguments[0] == "here"
    assert make(evolve(held, cluster="cloud")).arguments[0] == "there"


def test_d_35_customers_words_are_arguments_and_plain(lab: Lab) -> None:
    """D-35: words of a customer's file are whole arguments; what a shell would obey is refused."""
    workset = trio(lab, "stepped")
    lab.remove(workset.workset_id, "daylily_work.yaml")
    text = 'dy-r: -p -k --config callers=["deep19"] {workset}\n'
    lab.put(workset.workset_id, "daylily_work.yaml", text.encode())
    (plan,) = options(launched(lab).arguments, "--plan")
    words = filled(decoded(plan)[1].command, {"results_dir": "R"})
    assert words[1:-2] == ("-p", "-k", "--config", "callers=[deep19]", workset.workset_id)


@pytest.mark.parametrize(
    "text", ["help; id", "$(id)", "`id`", "a | b", "x > y", "don't", "{0.__class__}"]
)
def test_d_35_what_a_shell_would_obey_is_refused(lab: Lab, text: str) -> None:
    """D-35: the workset is not launched, and needs a person."""
    workset = trio(lab, "stepped")
    lab.remove(workset.workset_id, "daylily_work.yaml")
    lab.put(workset.workset_id, "daylily_work.yaml", f'dy-r: "{text}"\n'.encode())
    lab.app().cycle()
    refused = lab.get(workset.workset_id)
    assert lab.started() == []
    assert refused.state is State.ERROR
    assert refused.failure is not None
    assert "daylily_work.yaml, dy_r" in refused.failure.message


def test_outcomes_that_cannot_be_read_hold_nothing_up(lab: Lab) -> None:
    """An attempt ends as the engine says, also where its results cannot be read."""
    workset = trio(lab, "fastq-qc")
    launched(lab)
    lab.compute.end(f"{workset.workset_id}/1")
    app = lab.app(FaultInjector(1, Blow.OUTAGE_BEFORE, on="objects.open"))
    (ended,) = app.cycle.poll([lab.get(workset.workset_id)])
    assert (ended.state, ended.outcomes) == (State.COMPLETE, {})


def test_partial_success_is_on_record(lab: Lab) -> None:
    """A run that succeeds though a sample failed says so."""
    workset = trio(lab, "fastq-qc")
    launched(lab)
    ended = failed(lab, workset, exit_code=0, fine="AC", bad="B")
    assert ended.state is State.COMPLETE
    assert [name for name, (_, each) in ended.outcomes.items() if each.failed] == ["B"]
