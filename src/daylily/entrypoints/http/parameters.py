"""What queries, headers and bodies may hold, as JSON Schema: shared by the routes that take it."""

from typing import Any, Final

from daylily.application.submit_workset import Submission
from daylily.domain.lifecycle import Priority, State
from daylily.entrypoints.http.describing import Body, in_header, in_query

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
    {"type": "string", "maxLength": 8192},
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

WHICH_WORKSETS: Final = (STATES, PRIORITY, NAME, LIMIT, CURSOR)


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that takes null, too, which stands for what is left out."""
    made = {**schema, "type": [schema["type"], "null"]}
    if "enum" in made:
        made["enum"] = [*made["enum"], None]
    return made


def closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    """Return the schema of an object that has no other properties."""
    made: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    return {**made, "required": [*required]} if required else made


_TEXT: Final = nullable({"type": "string"})
_EMPTY: Final = {"type": ["string", "null"], "maxLength": 0, "deprecated": True}
_FILE: Final = {"type": "string", "format": "binary"}
_KEY: Final = {"type": "string", "minLength": 1, "maxLength": 1024}

SAMPLE: Final = closed(
    {
        "sample_id": {"type": "string", "minLength": 1},
        "r1_file": _KEY,
        "r2_file": nullable(_KEY),
        "lane": {"type": ["string", "integer", "null"]},
        "coverage": nullable({"type": "number", "minimum": 0}),
        "subsample": nullable({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
        **dict.fromkeys(("run_id", "experiment_id", "concordance_dir", "external_id"), _TEXT),
        **dict.fromkeys(("sample_type", "library_prep", "platform", "barcode", "vendor"), _TEXT),
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
            "reference_genome": nullable({"type": "string", "minLength": 1, "default": "GRCh38"}),
            "priority": nullable({"type": "string", "enum": PRIORITIES, "default": "normal"}),
            "notification_email": nullable({"type": "string", "pattern": EMAIL}),
            "max_retries": nullable(
                {"type": "integer", "minimum": 0, "maximum": 10, "default": _DEFAULTS.max_retries}
            ),
            "samples": {"type": "array", "items": SAMPLE, "minItems": 1},
            **dict.fromkeys(("enable_qc", "archive_results"), nullable({"type": "boolean"})),
            **dict.fromkeys(("workset_type", "preferred_cluster"), _TEXT),
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
                "type": "array",
                "items": closed(
                    {"number": {"type": "integer", "minimum": 1}, "etag": {"type": "string"}},
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
            "priority": nullable({"type": "string", "enum": PRIORITIES, "default": "normal"}),
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
