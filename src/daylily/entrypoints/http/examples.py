"""One story, as the OpenAPI document tells it: a run of one sample, submitted and complete."""

from typing import Any, Final

_AT: Final = "2026-05-04T09:30:00Z"
_ENDED: Final = "2026-05-04T09:41:12Z"
_CURSOR: Final = "WyJsaXN0IiwiMjAyNi0wNS0wNCJd"

TRANSITION: Final[dict[str, Any]] = {
    "state": "complete",
    "timestamp": _ENDED,
    "reason": "attempt 1 complete",
    "actor": "node1-4711-9f",
}
WORKSET: Final[dict[str, Any]] = {
    "workset_id": "run-7-3f9a1c2b",
    "workset_name": "Run 7",
    "customer_id": "local",
    "state": "complete",
    "priority": "normal",
    "pipeline_type": "fastq-qc",
    "reference_genome": "GRCh38",
    "sample_count": 1,
    "bucket": "s3://genomes",
    "prefix": "worksets/run-7-3f9a1c2b/",
    "created_at": _AT,
    "updated_at": _ENDED,
    "submitted_by": "ada",
    "results_uri": "s3://genomes/worksets/run-7-3f9a1c2b/results/attempt-1/",
    "samples": [
        {
            "sample_id": "A",
            "files": ["sample_data/a_R1.fastq.gz", "sample_data/a_R2.fastq.gz"],
            "outcome": "ok",
            "message": "",
            "attempt": 1,
        }
    ],
    "attempts": [
        {
            "number": 1,
            "job": "88213",
            "started_at": _AT,
            "ended_at": _ENDED,
            "outcome": "complete",
            "follows": None,
            "requested_by": None,
            "error": None,
            "only": [],
        }
    ],
    "state_history": [TRANSITION],
}
PAGE: Final = {"worksets": [WORKSET], "cursor": _CURSOR}
CHECKED: Final = {
    "workset_name": "Run 7",
    "pipeline_type": "fastq-qc",
    "reference_genome": "GRCh38",
    "priority": "normal",
    "sample_count": 1,
    "file_count": 2,
}
WHY: Final = {
    "workset_id": "run-7-3f9a1c2b",
    "state": "ready",
    "cause": "slot",
    "text": "waits for a free slot: 4 of 4 are taken",
    "rank": 3,
    "until": None,
    "remedy": None,
}
HISTORY: Final = {"transitions": [TRANSITION], "cursor": None}
LOG: Final = {
    "workset_id": "run-7-3f9a1c2b",
    "text": "A: 120000 read pairs\n",
    "offset": 21,
    "ended": False,
    "logs": ["A: 120000 read pairs"],
}
FILE: Final = {
    "key": "run7/a_R1.fastq.gz",
    "size": 7340032,
    "etag": "9b2cf535f27731c974343645a3985328",
    "modified_at": _AT,
}
FILES: Final = {"files": [FILE], "cursor": None}
FOLDER: Final = {
    "files": [
        {
            "key": "run7/deep/", "name": "deep", "type": "folder", "size": 0, "size_formatted": "0 B",
            "modified": None, "icon": "folder", "etag": None, "modified_at": None,
        },
        {
            **FILE, "name": "a_R1.fastq.gz", "type": "file", "size_formatted": "7.0 MB",
            "modified": FILE["modified_at"], "icon": "file-archive",
        },
    ],
    "prefix": "run7/",
    "bucket": None,
    "cursor": None,
}  # fmt: skip
UPLOAD: Final = {
    "upload_id": "WyJydW43L2FfUjEuZmFzdHEuZ3oiLDcs",
    "key": "run7/a_R1.fastq.gz",
    "size": 7340032,
    "offset": 1048576,
    "part_size": None,
    "parts": [],
}
STORED: Final = {"success": True, "bucket": None, **FILE}
FOLDER_MADE: Final = {"success": True, "folder": "run7/"}
REMOVED: Final = {"success": True, "deleted": "run7/a_R1.fastq.gz"}
ESTIMATE: Final = {
    "pipeline_type": "germline",
    "sample_count": 5,
    "priority": "normal",
    "estimated_cost_usd": 13.04,
    "compute_cost_usd": 0.6,
    "storage_cost_usd": 10.19,
    "transfer_cost_usd": 2.25,
    "vcpu_hours": 20.0,
    "estimated_duration_hours": 1.2,
    "estimated_duration_minutes": 75,
    "data_size_gb": 250.0,
    "cost_breakdown": {
        "compute": "$0.60",
        "storage": "$1.44",
        "fsx": "$8.75",
        "transfer": "$2.25",
    },
    "notes": ["An estimate: what is billed is what was used."],
}
FRONT_DOOR: Final = {
    "status": "healthy",
    "service": "daylily-workset-monitor",
    "timestamp": _AT,
}
READY: Final = {
    "status": "ready",
    "checks": {"state_store": "up", "object_store": "up", "customers": "up"},
}
QUEUE: Final = {
    "queue_depth": {"ready": 3, "in_progress": 2, "error": 1},
    "total_worksets": 6,
    "ready_worksets": 3,
    "in_progress_worksets": 2,
    "error_worksets": 1,
}
SCHEDULER: Final = {
    "total_clusters": 1,
    "total_vcpu_capacity": 192,
    "total_vcpus_used": 48,
    "vcpu_utilization_percent": 25.0,
    "total_active_worksets": 3,
    "queue_depth": 3,
}
DIRECTORY: Final = {
    "is_valid": True,
    "errors": [],
    "warnings": [],
    "estimated_cost_usd": 13.04,
    "estimated_duration_minutes": 75,
    "estimated_vcpu_hours": 20.0,
    "estimated_storage_gb": 250.0,
}
GENERATED: Final = {
    "yaml_content": "samples:\n- sample_id: A\n  fastq_r1: sample_data/a_R1.fastq.gz\n",
    "config": {"samples": [{"sample_id": "A", "fastq_r1": "sample_data/a_R1.fastq.gz"}]},
}
USAGE: Final = {
    "customer_id": "local",
    "storage_gb": 12.5,
    "max_storage_gb": 1000.0,
    "storage_utilization_percent": 1.25,
    "files_gb": 10.0,
    "worksets_gb": 2.5,
    "worksets": 1,
    "estimated_cost_usd": 13.04,
    "recorded_cost_usd": 0.6,
    "months": [
        {
            "month": "2026-05",
            "worksets": 1,
            "samples": 5,
            "complete": 1,
            "estimated_cost_usd": 13.04,
            "recorded_cost_usd": 0.6,
        }
    ],
}
