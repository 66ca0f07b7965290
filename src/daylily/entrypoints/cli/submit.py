"""``daylily submit`` and ``daylily validate``."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from shlex import quote
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from daylily.domain.clusters import LONGEST, time_limit
from daylily.domain.manifest import Sample
from daylily.entrypoints.cli.base import command, pass_session
from daylily.entrypoints.cli.complete import genomes, pipelines, priorities
from daylily.entrypoints.cli.drafts import Choices, Draft, prepare
from daylily.entrypoints.cli.failures import NotCompleteError, plain
from daylily.entrypoints.cli.render import size_of
from daylily.entrypoints.cli.session import Session
from daylily.entrypoints.cli.upload import uploaded
from daylily.entrypoints.cli.watch import follow, wait_for
from daylily.entrypoints.views import to_json


def _take_hours(_ctx: click.Context, _param: click.Parameter, hours: float | None) -> timedelta | None:
    if hours is None:
        return None
    limit = time_limit(hours)
    if limit is None:
        raise click.BadParameter(
            f"{hours:g} is not above 0 and at most {LONGEST // timedelta(hours=1)}"
        )
    return limit


def _source_options(call: Callable[..., Any]) -> Callable[..., Any]:
    for add in reversed(
        (
            click.argument("source", type=click.Path(path_type=Path)),
            click.option("--name", help="Name of the workset [default: that of the source]."),
            click.option(
                "--pipeline", "-p", metavar="NAME", help="Pipeline to run.", shell_complete=pipelines
            ),
            click.option(
                "--reference",
                metavar="NAME",
                help="Reference genome [default: GRCh38].",
                shell_complete=genomes,
            ),
            click.option(
                "--priority",
                metavar="WORD",
                help="urgent, normal or low.",
                shell_complete=priorities,
            ),
            click.option(
                "--data-root",
                type=click.Path(path_type=Path),
                metavar="DIR",
                help="Folder that paths in a sheet start from, and stay in [default: the sheet's].",
            ),
            click.option(
                "--single-end", is_flag=True, help="In a folder, take first reads without mates."
            ),
            click.option("--email", metavar="ADDRESS", help="Whom to tell how it ended."),
            click.option("--max-retries", type=int, metavar="N", help="Automatic retries, 0 to 10."),
            click.option("--cluster", metavar="NAME", help="Run it there, or let it wait."),
            click.option("--zone", metavar="NAME", help="Run it in that zone, or let it wait."),
            click.option(
                "--time-limit",
                type=float,
                metavar="HOURS",
                callback=_take_hours,
                help="How long an attempt may run [default: as the pipeline's settings say].",
            ),
        )
    ):
        call = add(call)
    return call


@command(
    epilog="""\b
SOURCE is one of:
  a folder of FASTQ files   pairs are found by their names
  stage_samples.tsv         one row a lane; columns RUN_ID, SAMPLE_ID ... R1_FQ, R2_FQ ...
  a .csv                    sample,fastq_1,fastq_2 as nf-core has it
  a .yaml                   as daylily_work.yaml: pipeline, samples with fastq_r1, fastq_r2 ...
  a folder with daylily_work.yaml or stage_samples.tsv, or both, where they agree

\b
Examples:
  daylily submit reads/ --pipeline fastq-qc
  daylily submit run7/stage_samples.tsv -p fastq-qc --data-root /data --priority urgent
  daylily submit examples/fastq-qc --wait && echo complete
  ID=$(daylily submit run7 --json | jq -r .workset_id)
"""
)
@_source_options
@click.option("--wait/--no-wait", help="Stay until it ends; exit 0 only if it is complete.")
@click.option("--dry-run", is_flag=True, help="Check all, store nothing: as validate does.")
@pass_session
def submit(session: Session, source: Path, *, wait: bool, dry_run: bool, **options: Any) -> None:
    """
    Submit a workset.

    Everything is checked first, and all faults are listed at once, each with its place. The files are
    then copied into the store (or sent to the server), so yours may go afterwards.
    """
    draft = _draft(session, source, options)
    if dry_run:
        _tell_sound(session, draft)
        return
    with uploaded(session, draft) as submission:
        workset = session.client.submit(submission)
    if session.as_json:
        if wait:
            [workset] = follow(session, [workset.workset_id], quiet=True, stderr=True)
        session.print_json({**to_json(workset), **_passed_over(draft)})
        if wait and workset.state != "complete":
            raise NotCompleteError
    elif wait:
        session.say(f"submitted {workset.workset_id}")
        wait_for(session, [workset.workset_id], lambda last: last.state == "complete")
    else:
        click.echo(workset.workset_id)
        named = f" --url {quote(session.flags['url'])}" if session.flags.get("url") else ""
        session.say(f"submitted; follow it with: daylily watch {workset.workset_id}{named}")


@command(
    epilog="""\b
Examples:
  daylily validate reads/ --pipeline fastq-qc
  daylily validate run7/stage_samples.tsv -p fastq-qc --json
"""
)
@_source_options
@pass_session
def validate(session: Session, source: Path, **options: Any) -> None:
    """Check all that submit checks, and store nothing. SOURCE is as for submit."""
    _tell_sound(session, _draft(session, source, options))


def _draft(session: Session, source: Path, options: dict[str, Any]) -> Draft:
    draft = prepare(
        source,
        Choices(**options),
        max_retries=session.settings.max_retries,
        faults_of=session.client.faults,
    )
    for line in draft.warnings:
        # Also where JSON is wanted: that goes to standard output.
        click.echo(plain(f"warning: {line}"), err=True)
    return draft


def _tell_sound(session: Session, draft: Draft) -> None:
    submission = draft.submission
    if session.as_json:
        session.print_json(
            {
                "workset_name": submission.name,
                "pipeline_type": submission.pipeline,
                "reference_genome": submission.reference_genome,
                "priority": str(submission.priority),
                "sample_count": len(submission.samples),
                "file_count": len(draft.paths),
                "bytes": draft.size,
                "samples": [_sample(sample) for sample in submission.samples],
                **_passed_over(draft),
            }
        )
        return
    session.print(_pairs(submission.samples))
    lanes = sum(len(sample.pairs) for sample in submission.samples)
    click.echo(
        f"ok: {submission.name}, {submission.pipeline} on {submission.reference_genome}; "
        f"samples: {len(submission.samples)}, lanes: {lanes}, "
        f"files: {len(draft.paths)} ({size_of(draft.size)})"
    )


def _passed_over(draft: Draft) -> dict[str, Any]:
    return {"ignored": list(draft.ignored), "left_out": list(draft.left_out)}


def _sample(sample: Sample) -> dict[str, Any]:
    lanes = [{"lane": pair.lane, "r1": pair.r1, "r2": pair.r2} for pair in sample.pairs]
    return {"sample_id": sample.sample_id, "lanes": lanes}


def _pairs(samples: Sequence[Sample]) -> Table:
    """Return which files are taken for which reads."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("SAMPLE", "LANE", "R1", "R2"):
        table.add_column(title, overflow="fold")
    for sample in samples:
        for pair in sample.pairs:
            cells = (sample.sample_id, pair.lane, pair.r1, pair.r2 or "(single-end)")
            table.add_row(*(escape(plain(cell)) for cell in cells))
    return table
