"""``daylily_info.yaml``: who submitted what."""

from datetime import timedelta

import yaml
from hypothesis import HealthCheck, given, settings

from daylily.adapters.formats.info_yaml import render
from daylily.domain.workset import Workset
from daylily.testing.samples import NOON, a_workset
from daylily.testing.strategies import worksets

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

FIELDS = {
    "workset_id": "ws-1",
    "workset_name": "Workset ws-1",
    "customer_id": "acme",
    "created_at": "2025-06-02T12:00:00Z",
    "submitted_at": "2025-06-02T12:00:00Z",
    "submitted_by": "ada",
    "pipeline_type": "germline",
    "reference_genome": "GRCh38",
    "priority": "normal",
    "sample_count": 1,
    "sample_ids": ["NA12878"],
    "enable_qc": True,
    "archive_results": True,
    "notification_email": None,
}


def test_fields() -> None:
    """All fields of contract 2.8 that concern the workset itself are there, times as text."""
    text = render(a_workset(at=NOON + timedelta(microseconds=5)))

    assert yaml.safe_load(text) == FIELDS


def test_bucket() -> None:
    """Where the directory is in a bucket, bucket, prefix (without a slash) and results are named."""
    text = render(a_workset(), bucket_uri="s3://lab-bucket/worksets/ws-1/")

    assert yaml.safe_load(text) == FIELDS | {
        "s3_bucket": "lab-bucket",
        "s3_prefix": "worksets/ws-1",
        "export_uri": "s3://lab-bucket/worksets/ws-1/results/",
    }


def test_no_bucket() -> None:
    """A directory of this machine is nobody's bucket."""
    assert yaml.safe_load(render(a_workset(), bucket_uri="/srv/worksets/ws-1")) == FIELDS


@unhurried
@given(worksets())
def test_any_workset(workset: Workset) -> None:
    """Whatever has happened to a workset, any YAML reader gets its name and number of samples."""
    fields = yaml.safe_load(render(workset))

    assert fields["workset_name"] == workset.name
    assert fields["sample_count"] == len(fields["sample_ids"]) == len(workset.manifest.samples)
