"""``daylily estimate``."""

from pathlib import Path
from typing import Final

import click

from daylily.domain.errors import Fault, InvalidInputError
from daylily.entrypoints.cli.base import command, pass_session
from daylily.entrypoints.cli.client import Question
from daylily.entrypoints.cli.complete import known_pipelines, priorities
from daylily.entrypoints.cli.drafts import Choices, prepare, unnamed
from daylily.entrypoints.cli.failures import plain
from daylily.entrypoints.cli.render import grid
from daylily.entrypoints.cli.session import Session
from daylily.entrypoints.views import EstimateView

_OPTIONS: Final = {
    "sample_count": "--samples",
    "estimated_coverage": "--coverage",
    "data_size_gb": "--data-gb",
}


@command(
    epilog="""\b
Examples:
  daylily estimate --pipeline germline --samples 10
  daylily estimate --pipeline wgs --samples 3 --coverage 60 --priority urgent --data-gb 400
  daylily estimate run7/ --pipeline fastq-qc       count samples and bytes of a source
"""
)
@click.argument("source", type=click.Path(path_type=Path), required=False)
@click.option(
    "--pipeline", "-p", metavar="NAME", help="Pipeline that would run.", shell_complete=known_pipelines
)
@click.option(
    "--samples",
    type=int,
    metavar="N",
    help="How many [default: those of SOURCE, or 1].",
)
@click.option("--coverage", type=float, default=30.0, show_default=True, help="Mean depth (x).")
@click.option("--priority", metavar="WORD", help="urgent, normal or low.", shell_complete=priorities)
@click.option(
    "--data-gb",
    type=float,
    metavar="GB",
    help="Size of the input [default: that of SOURCE, or 50 a sample].",
)
@pass_session
def estimate(
    session: Session,
    source: Path | None,
    pipeline: str | None,
    samples: int | None,
    coverage: float,
    priority: str | None,
    data_gb: float | None,
) -> None:
    """Say what a workset will cost, before it is submitted. SOURCE is as for submit."""
    if source is not None:
        draft = prepare(
            source,
            Choices(pipeline=pipeline, priority=priority),
            max_retries=session.settings.max_retries,
            # Whether this installation can run it is no matter here: the estimator knows the names.
            faults_of=lambda _: (),
        )
        pipeline = draft.submission.pipeline
        priority = draft.submission.priority
        samples = len(draft.submission.samples) if samples is None else samples
        data_gb = draft.size / 1e9 if data_gb is None else data_gb
        for line in draft.warnings:
            click.echo(plain(f"warning: {line}"), err=True)
    made = _asked(
        session,
        Question(
            pipeline=pipeline or "",
            sample_count=1 if samples is None else samples,
            coverage=coverage,
            priority=priority or "normal",
            data_gb=data_gb or 0.0,
        ),
    )
    if session.as_json:
        session.print_json(made)
        return
    session.print(grid(_rows(made)))
    for note in made.notes:
        session.say(note)


def _asked(session: Session, question: Question) -> EstimateView:
    """
    Return the estimate.

    Raises:
        InvalidInputError: Something is wrong with the question; every fault, under its option.
    """
    faults = []
    if question.sample_count == 0:  # the estimator has an answer to that: nothing
        faults.append(Fault("--samples", "0 is too few: a workset has at least one sample"))
    try:
        made = session.client.estimate(question)
    except InvalidInputError as error:
        faults += map(_in_words, error.faults)
    if faults:
        raise InvalidInputError(faults)
    return made


def _in_words(fault: Fault) -> Fault:
    """Return a fault under the option that it is of."""
    if fault.place == "pipeline" and fault.message.startswith("'' "):
        return unnamed(fault)
    return Fault(_OPTIONS.get(fault.place, fault.place), fault.message)


def _rows(made: EstimateView) -> list[tuple[str, str]]:
    samples = "1 sample" if made.sample_count == 1 else f"{made.sample_count} samples"
    return [
        ("Workset", f"{made.pipeline_type}, {samples}, {made.priority}, {made.data_size_gb:g} GB"),
        ("Total", f"${made.estimated_cost_usd:.2f}"),
        *((f"  {name}", amount) for name, amount in made.cost_breakdown.items()),
        ("Duration", f"{made.estimated_duration_hours:g} h ({made.vcpu_hours:g} vCPU-hours)"),
    ]
