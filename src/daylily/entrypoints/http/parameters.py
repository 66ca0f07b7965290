"""What queries, headers and bodies may hold, as JSON Schema: shared by the routes that take it."""

from datetime import timedelta
from typing import Any, Final

from daylily.application.submit_workset import MOST_TAGS, Submission
from daylily.domain.clusters import LONGEST
from daylily.domain.lifecycle import Priority, State
from daylily.domain.manifest import Vendor
from daylily.domain.names import ID_PATTERN
from daylily.entrypoints.http.describing import WORKSET_ID, Body, in_header, in_query
from daylily.entrypoints.http.requests import INSTANT
from daylily.entrypoints.http.submission import MOST_LANES

MOST: Final = 1000
"""Items that a page may have."""
ONE_LINE: Final = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$"
EMAIL: Final = r"^[^@\s]{1,64}@[^@\s]{1,255}$"
PRIORITIES: Final = [*map(str, Priority), "high"]
_DEFAULTS: Final = Submission(name="", pipeline="", samples=())

LIMIT: Final = in_query(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": MOST, "default": 100},
    "How many items at most.",
)
CURSOR: Final = in_query(
    "cursor",
    {"type": "string", "maxLength": 5120},
    "Where to go on: what the last part gave. It fits no other listing, and nobody else's.",
)
STATES: Final = in_query(
    "state",
    {"type": "array", "items": {"type": "string", "enum": [*map(str, State)]}},
    "Only those in this state; may be given several times.",
)
PRIORITY: Final = in_query("priority", {"type": "string", "enum": PRIORITIES}, "Only those of it.")
NAME: Final = in_query("name", {"type": "string"}, "Part of the name, whatever the case.")
ATTEMPT: Final = in_query(
    "attempt", {"type": "integer", "minimum": 1, "maximum": 10**9}, "Which one; the last, unless said."
)

OFFSET: Final = in_query(
    "offset", {"type": "integer", "minimum": 0, "maximum": 1 << 60, "default": 0}, "From which byte."
)
DOWNLOAD: Final = in_query(
    "download", {"type": "integer", "enum": [0, 1]}, "1 has a browser save the file, not show it."
)
FOLDER_PREFIX: Final = in_query("prefix", {"type": "string"}, "Which folder; the top, unless said.")
FILES_LIMIT: Final = in_query(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": MOST, "default": MOST},
    "How many files and folders at most.",
)
RECURSIVE: Final = in_query(
    "recursive",
    {"type": "integer", "enum": [0, 1]},
    "1 lists all files whose keys start with the prefix, at any depth.",
)
LINES: Final = in_query(
    "lines",
    {"type": "integer", "minimum": 1, "maximum": 1000, "default": 20},
    "How many lines, of `.../preview`.",
)
RANGE: Final = in_header("Range", {"type": "string"}, "Which bytes: `bytes=0-99`, `bytes=100-`.")
IF_RANGE: Final = in_header("If-Range", {"type": "string"}, "Of which `ETag` the range is meant.")
IF_NONE_MATCH: Final = in_header("If-None-Match", {"type": "string"}, "Which `ETag` is known already.")
PREFIX: Final = in_query("prefix", {"type": "string"}, "What the names of files start with.")

SORTS: Final = ("-created_at", "created_at")
_TIME: Final = {"type": "string", "pattern": f"^{INSTANT.pattern}$"}
WHICH_ARCHIVED: Final = (
    PRIORITY,
    NAME,
    in_query("pipeline", {"type": "string"}, "Only those that are run through it."),
    in_query("tag", {"type": "string"}, "Only those that have it."),
    in_query("created_from", _TIME, "Only those created then or later (RFC 3339, or a day)."),
    in_query("created_before", _TIME, "Only those created before."),
    in_query("sort", {"type": "string", "enum": [*SORTS]}, "`-created_at`: the newest first."),
    LIMIT,
    CURSOR,
)
WHICH_WORKSETS: Final = (STATES, *WHICH_ARCHIVED)
IF_MATCH: Final = in_header(
    "If-Match", {"type": "string"}, "The `ETag` that was seen: any other version is left as it is."
)
LAST_EVENT_ID: Final = in_header(
    "Last-Event-ID",
    {"type": "string", "pattern": r"^\d{1,12}\.\d{1,9}\.\d{1,18}$"},
    "Where an earlier stream had come to.",
)
OWNER: Final = in_query(
    "owner_id",
    {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
    "Who holds the lock.",
    required=True,
)
BUCKET: Final = in_query("bucket", {"type": "string"}, "That of the service.", required=True)
WORKSET_PREFIX: Final = in_query(
    "prefix", {"type": "string"}, "The directory of the workset.", required=True
)
TRUE_OR_FALSE: Final = ("true", "false", "1", "0")
DRY_RUN: Final = in_query(
    "dry_run", {"type": "string", "enum": [*TRUE_OR_FALSE]}, "It is always one: nothing is changed."
)
MONTHS: Final = in_query(
    "months", {"type": "integer", "minimum": 1, "maximum": 36, "default": 12}, "How many, this one too."
)


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that takes null, too, which stands for what is left out."""
    made = {**schema, "type": [schema["type"], "null"]}
    if "enum" in made:
        made["enum"] = [*made["enum"], None]
    return made


def optional(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a text that may be left out (``Fields.optional``): null and empty, too."""
    return {"anyOf": [schema, {"type": ["string", "null"], "maxLength": 0}]}


def closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    """Return the schema of an object that has no other properties."""
    made: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    return {**made, "required": [*required]} if required else made


_TEXT: Final = nullable({"type": "string"})
_OPTIONAL_PRIORITY: Final = optional({"type": "string", "enum": PRIORITIES, "default": "normal"})
_PLACE: Final = nullable({"type": "string", "pattern": f"^({ID_PATTERN.pattern})?$"})
_EMPTY: Final = {
    "type": ["string", "null", "array", "object"],
    "maxLength": 0,
    "items": {},
    "maxItems": 0,
    "maxProperties": 0,
    "deprecated": True,
}
_TAG: Final = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": ONE_LINE}
_FILE: Final = {"type": "string", "format": "binary"}
_KEY: Final = {"type": "string", "minLength": 1, "maxLength": 1024}

SAMPLE: Final = closed(
    {
        "sample_id": {"type": "string", "minLength": 1},
        "r1_file": _KEY,
        "r2_file": nullable(_KEY),
        "lane": {"type": ["string", "integer", "null"], "minimum": 0, "maximum": MOST_LANES},
        "coverage": nullable({"type": "number", "minimum": 0}),
        "subsample": nullable({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
        **dict.fromkeys(("run_id", "experiment_id", "concordance_dir", "external_id"), _TEXT),
        **dict.fromkeys(("sample_type", "library_prep", "platform", "barcode"), _TEXT),
        "vendor": nullable({"type": "string", "enum": [*map(str, Vendor)]}),
        **dict.fromkeys(("n_x", "n_y"), nullable({"type": "integer", "minimum": 0})),
        **dict.fromkeys(("positive_control", "negative_control"), nullable({"type": "boolean"})),
        "status": _TEXT,
    },
    "sample_id",
    "r1_file",
)

SUBMISSION: Final = Body(
    closed(
        {
            "workset_name": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": r"\S"},
            "pipeline_type": {"type": "string", "minLength": 1},
            "reference_genome": optional({"type": "string", "default": "GRCh38"}),
            "priority": _OPTIONAL_PRIORITY,
            "notification_email": optional({"type": "string", "pattern": EMAIL}),
            "max_retries": nullable(
                {"type": "integer", "minimum": 0, "maximum": 10, "default": _DEFAULTS.max_retries}
            ),
            "samples": {"type": "array", "items": SAMPLE, "minItems": 1},
            **dict.fromkeys(("enable_qc", "archive_results"), nullable({"type": "boolean"})),
            **dict.fromkeys(("preferred_cluster", "availability_zone"), _PLACE),
            "time_limit_hours": nullable(
                {"type": "number", "exclusiveMinimum": 0, "maximum": LONGEST / timedelta(hours=1)}
            ),
            "workset_type": _TEXT,
            "tags": nullable({"type": "array", "items": _TAG, "maxItems": MOST_TAGS}),
            **dict.fromkeys(("yaml_content", "manifest_tsv_content"), _TEXT),
            **dict.fromkeys(("s3_bucket", "s3_prefix", "manifest_id"), _EMPTY),
        },
        "workset_name",
        "pipeline_type",
    ),
    {
        "workset_name": "Run 7",
        "pipeline_type": "fastq-qc",
        "samples": [
            {"sample_id": "A", "r1_file": "run7/a_R1.fastq.gz", "r2_file": "run7/a_R2.fastq.gz"}
        ],
    },
    form={
        "type": "object",
        "properties": {
            "workset_name": {"type": "string", "minLength": 1, "maxLength": 100},
            "pipeline_type": {"type": "string", "minLength": 1},
            "sheet": _FILE,
            "files": {"type": "array", "items": _FILE},
        },
        "required": ["workset_name", "pipeline_type"],
    },
)
UPLOAD: Final = Body(
    {
        "type": "object",
        "properties": {"file": _FILE, "prefix": {"type": "string"}},
        "required": ["file"],
    },
    media_type="multipart/form-data",
)
BEGIN_UPLOAD: Final = Body(
    closed({"key": _KEY, "size": {"type": "integer", "minimum": 1, "maximum": 5 << 40}}, "key", "size"),
    {"key": "run7/a_R1.fastq.gz", "size": 7340032},
)
PARTS: Final = Body(
    closed(
        {
            "parts": {
                "type": ["array", "null"],
                "items": closed(
                    {
                        "number": {"type": "integer", "minimum": 1, "maximum": 10_000},
                        "etag": {"type": "string", "minLength": 1},
                    },
                    "number",
                    "etag",
                ),
            }
        }
    ),
    {"parts": [{"number": 1, "etag": "9b2cf535f27731c974343645a3985328"}]},
    required=False,
)
FIRST_PART: Final = in_query(
    "first",
    {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1},
    "The first of the parts whose addresses are told.",
)
UPLOAD_OFFSET: Final = {
    **in_header("Upload-Offset", {"type": "integer", "minimum": 0}, "Which byte the body begins with."),
    "required": True,
}
FOLDER: Final = Body(closed({"folder_path": _KEY}, "folder_path"), {"folder_path": "run7"})

_REASON: Final = nullable({"type": "string", "maxLength": 500, "pattern": ONE_LINE})

REASON: Final = Body(closed({"reason": _REASON}), {"reason": "wrong reference"}, required=False)
RETRY: Final = Body(
    closed({"reason": _REASON, "failed_samples": nullable({"type": "boolean"})}),
    {"reason": "the disk is back", "failed_samples": True},
    required=False,
)

ESTIMATE: Final = Body(
    closed(
        {
            "pipeline_type": {"type": "string", "minLength": 1},
            "reference_genome": _TEXT,
            "sample_count": nullable(
                {"type": "integer", "minimum": 0, "maximum": 100_000, "default": 1}
            ),
            "estimated_coverage": nullable(
                {"type": "number", "minimum": 0, "maximum": 10_000, "default": 30}
            ),
            "priority": _OPTIONAL_PRIORITY,
            "data_size_gb": nullable(
                {"type": "number", "minimum": 0, "maximum": 10_000_000, "default": 0}
            ),
        },
        "pipeline_type",
    ),
    {"pipeline_type": "germline", "reference_genome": "GRCh38", "sample_count": 5},
)
FILE: Final = Body(
    {"type": "string", "format": "binary"}, media_type="application/octet-stream", required=False
)
_PRIORITY: Final = {"type": "string", "enum": PRIORITIES}
PRIORITY_BODY: Final = Body(closed({"priority": _PRIORITY}, "priority"), {"priority": "urgent"})
DELETE: Final = Body(
    closed({"reason": _REASON, "hard_delete": nullable({"type": "boolean"})}),
    {"reason": "consent withdrawn", "hard_delete": True},
    required=False,
)
REGISTRATION: Final = Body(
    closed(
        {
            "workset_id": {"type": "string", "pattern": WORKSET_ID},
            "bucket": {"type": "string", "minLength": 1},
            "prefix": {"type": "string", "minLength": 1},
            "priority": _OPTIONAL_PRIORITY,
            "metadata": nullable({"type": "object"}),
        },
        "workset_id",
        "bucket",
        "prefix",
    ),
    {
        "workset_id": "run-7",
        "bucket": "genomes",
        "prefix": "worksets/run-7/",
        "metadata": {"pipeline_type": "germline", "samples": []},
    },
)
STATE: Final = Body(
    closed(
        {
            "state": {"type": "string", "enum": [*map(str, State)]},
            "reason": {"type": "string", "minLength": 1},
            **dict.fromkeys(("error_details", "cluster_name", "owner_id"), _TEXT),
            "metrics": nullable({"type": "object"}),
        },
        "state",
        "reason",
    ),
    {"state": "complete", "reason": "exported"},
)
GENERATE: Final = Body(
    closed(
        {
            "samples": {
                "type": "array",
                "minItems": 1,
                "items": {
                    **SAMPLE,
                    "properties": {
                        **{
                            name: schema
                            for name, schema in SAMPLE["properties"].items()
                            if name != "r1_file" and name != "r2_file"
                        },
                        "fastq_r1": _KEY,
                        "fastq_r2": nullable(_KEY),
                        "coverage": {"type": ["number", "string", "null"]},
                    },
                    "required": ["sample_id", "fastq_r1"],
                },
            },
            "reference_genome": {"type": "string", "minLength": 1},
            "pipeline": nullable({"type": "string", "default": "germline"}),
            "priority": _OPTIONAL_PRIORITY,
            "max_retries": nullable({"type": "integer", "minimum": 0, "maximum": 10, "default": 3}),
            "estimated_coverage": nullable(
                {"type": "number", "minimum": 0, "maximum": 10_000, "default": 30}
            ),
        },
        "samples",
        "reference_genome",
    ),
    {
        "samples": [{"sample_id": "A", "fastq_r1": "sample_data/a_R1.fastq.gz"}],
        "reference_genome": "GRCh38",
    },
)
