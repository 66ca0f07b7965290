"""A submission as the API takes it."""

from typing import Any

from daylily.application.submit_workset import Submission
from daylily.client.connection import given
from daylily.domain.manifest import FastqPair, Sample


def body_of(submission: Submission) -> dict[str, Any]:
    """Return the body of a submission; what nobody said is left out."""
    body: dict[str, Any] = {
        "workset_name": submission.name,
        "pipeline_type": submission.pipeline,
        "reference_genome": submission.reference_genome,
        "priority": submission.priority,
        "notification_email": submission.notification_email,
        "max_retries": submission.max_retries,
        "preferred_cluster": submission.requirements.cluster,
        "availability_zone": submission.requirements.availability_zone,
        "time_limit_hours": submission.requirements.time_limit_hours,
        "samples": [_lane(sample, pair) for sample in submission.samples for pair in sample.pairs],
    }
    if submission.tags:  # what servers of old do not know, they refuse
        body["tags"] = [*submission.tags]
    return body


def _lane(sample: Sample, pair: FastqPair) -> dict[str, Any]:
    """Return one lane of a sample as the API takes it; what nobody said is left out."""
    fields = {
        "sample_id": sample.sample_id,
        "lane": pair.lane,
        "r1_file": pair.r1,
        "r2_file": pair.r2,
        "run_id": sample.run_id,
        "experiment_id": sample.experiment_id,
        "sample_type": sample.sample_type,
        "library_prep": sample.library_prep,
        "vendor": sample.vendor.value,
        "platform": sample.platform,
        "barcode": sample.barcode,
        "concordance_dir": sample.concordance_dir,
        "subsample": sample.subsample,
        "positive_control": sample.positive_control,
        "negative_control": sample.negative_control,
        "n_x": sample.n_x,
        "n_y": sample.n_y,
        "external_id": sample.external_id,
        "coverage": sample.coverage,
    }
    return given(fields)
