"""``daylily_work.yaml``: what to run, for engines of old and for us (contract 2.7)."""

import re
import shlex
from typing import Final

from daylily.adapters.formats.dump import dump_yaml
from daylily.adapters.formats.work_file import FASTQ_KEYS, Reading, WorkFile, parse, read
from daylily.domain.errors import InvalidInputError
from daylily.domain.manifest import FastqPair, Sample
from daylily.domain.names import check_id
from daylily.domain.workset import Workset

__all__ = [
    "FASTQ_KEYS",
    "OLD_ENGINE",
    "Reading",
    "WorkFile",
    "parse",
    "pipeline_of",
    "plain_words",
    "read",
    "render",
]

OLD_ENGINE: Final = "old-engine"
"""Stands for a pipeline that only the engine of old knows: a command line, and no name for it."""

_TARGETS: Final = {"germline": "germline_wgs_snv", "wgs": "germline_wgs_kitchensink"}
_PIPELINES: Final = {target: pipeline for pipeline, target in _TARGETS.items()}
_TARGET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,63}")
# What a shell takes for plain text: the old engine pastes the value into a command line (D-35).
_PLAIN_WORD: Final = re.compile(r"[A-Za-z0-9_.,:/@%+=\[\]-]+")
_PLAIN_URI: Final = re.compile(r"[A-Za-z0-9/][A-Za-z0-9:/._+=@-]*")


def render(workset: Workset, *, bucket_uri: str) -> str:
    """
    Return a file that the old engine can run and that also says all that we want said.

    The old engine pastes three of the values into a shell, so these are built from checked names
    only. A pipeline that it has no target for is named as it is: a site may have a target of that
    name, and where there is none the engine reports an error rather than a run that did nothing.

    Args:
        bucket_uri: Where the workset's directory is; where a shell would not take it for plain text,
            the export step is left out.

    Raises:
        InvalidInputError: The workset's id or its pipeline is not a plain name.
    """
    workset_id = check_id(workset.workset_id)
    fields: dict[str, object] = {
        "workdir_name": workset_id,
        "day-clone": f" -d {workset_id} -t main ",
        "dy-r": _target(workset.manifest.pipeline),
    }
    if _PLAIN_URI.fullmatch(bucket_uri):
        fields["export_uri"] = f"{bucket_uri.rstrip('/')}/results/"
    fields |= {
        "workset_name": workset.name,
        "pipeline": workset.manifest.pipeline,
        "reference_genome": workset.manifest.reference_genome,
        "priority": workset.priority.value,
        "max_retries": workset.max_retries,
    }
    if workset.notification_email:
        fields["notification_email"] = workset.notification_email
    needs = workset.requirements
    asked = {
        "preferred_cluster": needs.cluster,
        "availability_zone": needs.availability_zone,
        "time_limit_hours": needs.time_limit_hours,
    }
    fields |= {name: value for name, value in asked.items() if value is not None}
    fields["samples"] = [
        _entry(sample, pair) for sample in workset.manifest.samples for pair in sample.pairs
    ]
    return dump_yaml(fields)


def pipeline_of(file: WorkFile) -> str | None:
    """
    Return the pipeline that a file asks for, or None if it asks for nothing.

    Where it names none, a command of the old engine that is a single target stands for one. What has
    options besides is more than a name: running the bare pipeline would be something else.
    """
    if file.pipeline or not file.run_command:
        return file.pipeline
    # Bridges of the first version wrote the name of the command, too.
    target = file.run_command.removeprefix("dy-r ").strip().lower()
    return _PIPELINES.get(target, target) if _TARGET.fullmatch(target) else OLD_ENGINE


def plain_words(text: str, workset_id: str) -> tuple[str, ...]:
    """
    Return what a command of the engine of old would have been told, as words.

    >>> plain_words(' -d {workdir_name} --config callers=["deep19","sentd"] ', "ws-1")
    ('-d', 'ws-1', '--config', 'callers=[deep19,sentd]')

    Raises:
        ValueError: There is in it what a shell would do more with than to pass it on (D-35).
    """
    words = []
    for word in shlex.split(text):
        # Names stand in the text for one thing alone; str.format would look into objects.
        filled = word.replace("{workset}", workset_id).replace("{workdir_name}", workset_id)
        if not _PLAIN_WORD.fullmatch(filled):
            raise ValueError(f"{word[:80]!r} is not a plain word: no shell is there to read it")
        words.append(filled)
    return tuple(words)


def _target(pipeline: str) -> str:
    target = _TARGETS.get(pipeline, pipeline.replace("-", "_"))
    if not _TARGET.fullmatch(target):
        raise InvalidInputError.of("pipeline", f"{pipeline[:80]!r} is not a plain name")
    return target


def _entry(sample: Sample, pair: FastqPair) -> dict[str, object]:
    entry: dict[str, object] = {"sample_id": sample.sample_id, "lane": pair.lane, "fastq_r1": pair.r1}
    if pair.r2 is not None:
        entry["fastq_r2"] = pair.r2
    if sample.coverage is not None:
        entry["coverage"] = sample.coverage
    return entry
