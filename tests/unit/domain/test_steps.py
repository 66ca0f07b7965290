"""Steps and plans: what is filled in once is never looked at again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daylily.domain.pipelines import PLACEHOLDERS, Pipeline
from daylily.domain.steps import Per, Step, Value, decoded, encoded, filled, planned

VALUES = {name: f"<{name}>" for name in PLACEHOLDERS}
LATE = {"workset_dir": "/w", "results_dir": "/r", "sample_id": "A"}


def test_a_plan_has_what_is_known_filled_in() -> None:
    """What only the runner knows stays a name; words of lists become arguments of their own."""
    step = Step(
        name="align",
        command=("run", "{workset_id}:{sample_id}", "{dy_r}", "{workset_dir}/x"),
        per=Per.SAMPLE,
        on_cancel=("stop", "{attempt}"),
    )

    (plan,) = planned([step], VALUES, {"dy_r": ("-p", "a b")})

    assert filled(plan.command, LATE) == ("run", "<workset_id>:A", "-p", "a b", "/w/x")
    assert filled(plan.on_cancel, LATE) == ("stop", "<attempt>")
    assert plan.command[-1] == ("", Value("workset_dir"), "/x")


@given(st.text(), st.lists(st.text(), max_size=3))
def test_d35_customer_text_is_never_parsed_again(value: str, words: list[str]) -> None:
    """Braces, quotes, dollars and marks of others in a customer's words come out as they went in."""
    step = Step(name="run", command=("{reference_genome}", "{dy_r}", "{results_dir}"))
    values = {**VALUES, "reference_genome": value}

    text = encoded(planned([step], values, {"dy_r": words}))

    assert "@" not in text
    (plan,) = decoded(text)
    assert filled(plan.command, LATE) == (value, *words, "/r")


def test_a_digest_tells_what_a_step_does() -> None:
    """Another command is another step; where the results are is none of its business."""
    (one, same, other) = (
        planned([Step(name="a", command=("x", "{results_dir}", word))], values, {})[0]
        for word, values in (("1", VALUES), ("1", {**VALUES, "results_dir": "/else"}), ("2", VALUES))
    )

    assert one.digest == same.digest != other.digest


@pytest.mark.parametrize("text", ["", "{", "3", "[3]", "[{}]", '[{"name": "a"}]', "[" * 100_000])
def test_what_is_no_plan(text: str) -> None:
    """It is refused, whatever it is."""
    with pytest.raises(ValueError, match=r".*"):
        decoded(text)


def test_faults_of_steps() -> None:
    """All at once, each under its key."""
    pipeline = Pipeline(
        name="p",
        command=("x",),
        steps=(
            Step(name="Align it", command=()),
            Step(name="call", command=("x", "{sample_id}", "y{dy_r}"), on_cancel=("{nope}",)),
            Step(name="call", command=("x", "{sample_id}"), per=Per.SAMPLE, on_cancel=("{sample_id}",)),
        ),
    )

    assert [fault.place for fault in pipeline.faults()] == [
        "pipelines.p.steps",
        "pipelines.p.steps[0].name",
        "pipelines.p.steps[0].command",
        "pipelines.p.steps[1].command[1]",
        "pipelines.p.steps[1].command[2]",
        "pipelines.p.steps[1].on_cancel[0]",
        "pipelines.p.steps[2].on_cancel[0]",
        "pipelines.p.steps[2].name",
    ]


def test_per_sample_is_for_a_command() -> None:
    """A command of samples may name the sample; without a command it means nothing."""
    command = ("x", "{sample_id}")
    assert Pipeline(name="p", command=command, per_sample=True).faults() == []
    assert [fault.place for fault in Pipeline(name="p", command=command).faults()] == [
        "pipelines.p.command[1]"
    ]
    assert [fault.place for fault in Pipeline(name="p", per_sample=True).faults()] == [
        "pipelines.p.per_sample"
    ]


def test_a_pipeline_of_steps_runs_here() -> None:
    """It needs no command, and its plan has all steps."""
    pipeline = Pipeline(name="p", steps=(Step(name="a", command=("x", "{threads}")),))

    assert pipeline.runs_here
    assert pipeline.faults() == []
    assert [filled(step.command, {}) for step in pipeline.plan(VALUES)] == [("x", "<threads>")]
    assert not Pipeline(name="p").runs_here
