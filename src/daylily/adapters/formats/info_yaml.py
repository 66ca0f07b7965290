"""``daylily_info.yaml``: who submitted what, for people and other systems (contract 2.8)."""

from datetime import UTC, datetime

from attrs import frozen

from daylily.adapters.formats import strict_yaml
from daylily.adapters.formats.dump import dump_yaml
from daylily.domain.errors import InvalidInputError
from daylily.domain.names import is_id
from daylily.domain.workset import Workset

_LONGEST = 256
"""Characters of a name that somebody may have."""


@frozen(kw_only=True)
class InfoFile:
    """What a file says that no other file does; None where it does not, or makes no sense."""

    workset_id: str | None = None
    customer_id: str | None = None
    submitted_by: str | None = None
    created_at: datetime | None = None


def parse(data: bytes) -> InfoFile:
    """Return what a file says. It is for people: one that cannot be read says nothing."""
    try:
        entries = strict_yaml.read(data).entries
    except InvalidInputError:
        return InfoFile()

    def text(name: str) -> str | None:
        node = entries.get(name)
        if not isinstance(node, strict_yaml.Scalar) or node.absent:
            return None
        return node.text.strip()[:_LONGEST]

    def name_of(name: str) -> str | None:
        found = text(name)
        return found if found and is_id(found) else None

    return InfoFile(
        workset_id=name_of("workset_id"),
        customer_id=name_of("customer_id"),
        submitted_by=text("submitted_by"),
        created_at=_read_instant(text("created_at") or ""),
    )


def render(workset: Workset, *, bucket_uri: str | None = None) -> str:
    """
    Return the text of the file; it is read back only where a store has lost its worksets.

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


def _read_instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
