"""``daylily_info.yaml``: who submitted what."""

from datetime import timedelta

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from daylily.adapters.formats.info_yaml import InfoFile, parse, render
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


def test_what_is_read_back() -> None:
    """Whose it is, of whom and since when reads back, and nothing else is looked at."""
    told = parse(render(a_workset(at=NOON)).encode())

    assert told == InfoFile(workset_id="ws-1", customer_id="acme", submitted_by="ada", created_at=NOON)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", InfoFile()),
        (b"\xff\x00", InfoFile()),
        (b"- a list\n", InfoFile()),
        (b"customer_id: ../etc\nsubmitted_by: null\ncreated_at: [x]\n", InfoFile()),
        (b"created_at: 2025-06-02T12:00:00\n", InfoFile(created_at=NOON)),
        (b"created_at: 2025-06-02T14:00:00+02:00\n", InfoFile(created_at=NOON)),
    ],
)
def test_a_file_of_somebody_else(data: bytes, expected: InfoFile) -> None:
    """What makes no sense says nothing, and is no error: the file is for people."""
    assert parse(data) == expected


@unhurried
@given(worksets())
def test_any_workset_reads_back(workset: Workset) -> None:
    """Whoever has submitted what, it is read back as it was written, in whole seconds."""
    told = parse(render(workset).encode())

    assert told.customer_id == workset.customer_id
    assert told.created_at == workset.created_at.replace(microsecond=0)
    assert told.submitted_by == (workset.submitted_by.strip() or None)
