"""``daylily_info.yaml``: who submitted what, for people and other systems (contract 2.8)."""

from datetime import UTC, datetime

from daylily.adapters.formats.dump import dump_yaml
from daylily.domain.workset import Workset


def render(workset: Workset, *, bucket_uri: str | None = None) -> str:
    """
    Return the text of the file; nothing of it is ever read back.

    Args:
        bucket_uri: Where the workset's directory is; the three fields that name the bucket are left
            out unless it is ``s3://bucket/prefix``.
    """
    manifest = workset.manifest
    fields: dict[str, object] = {
        "workset_id": workset.workset_id,
        "workset_name": workset.name,
        "customer_id": workset.customer_id,
        "created_at": _instant(workset.created_at),
        "submitted_at": _instant(workset.created_at),
        "submitted_by": workset.submitted_by,
        "pipeline_type": manifest.pipeline,
        "reference_genome": manifest.reference_genome,
        "priority": workset.priority.value,
        "sample_count": len(manifest.samples),
        "sample_ids": [sample.sample_id for sample in manifest.samples],
        # Options of old portals that we always grant; readers expect the keys.
        "enable_qc": True,
        "archive_results": True,
        "notification_email": workset.notification_email,
    }
    if bucket_uri and bucket_uri.startswith("s3://"):
        bucket, _, prefix = bucket_uri.removeprefix("s3://").strip("/").partition("/")
        fields["s3_bucket"] = bucket
        fields["s3_prefix"] = prefix
        fields["export_uri"] = f"{bucket_uri.rstrip('/')}/results/"
    return dump_yaml(fields)


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
