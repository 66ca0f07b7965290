"""What processes must be permitted: the least, by the names that the settings give."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import botocore.session
from attrs import frozen

from daylily.adapters.aws.engine_policies import BatchNames, HeadNode, engine_statements
from daylily.adapters.dead_notices import KIND as DEAD_NOTICE
from daylily.application.slots import KIND as SLOTS
from daylily.application.watch_monitors import KIND as SILENCE
from daylily.ports.installation import Role

_ROWS: Final = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
_SCAN: Final = ("dynamodb:Scan",)
_INDEXES: Final = ("dynamodb:Query",)
_CUSTOMERS: Final = {
    Role.MONITOR: ("dynamodb:GetItem",),  # how many worksets of theirs may run
    Role.API: ("dynamodb:GetItem", "dynamodb:Scan", "dynamodb:PutItem", "dynamodb:UpdateItem"),
    Role.ADMIN: ("dynamodb:GetItem", "dynamodb:Scan", "dynamodb:PutItem", "dynamodb:UpdateItem"),
}
_DOCUMENTS: Final = ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem")
_OBJECTS: Final = ("s3:DeleteObject", "s3:GetObject", "s3:PutObject")
_NOTICES: Final = ("sns:Publish",)
_LEADING: Final = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{DEAD_NOTICE}#*"]}}
_SLOTS: Final = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{SLOTS}#*"]}}
_SILENCES: Final = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{SILENCE}#*"]}}
_SETUP_TABLES: Final = (
    "dynamodb:CreateTable",
    "dynamodb:DescribeContinuousBackups",
    "dynamodb:DescribeTable",
    "dynamodb:UpdateContinuousBackups",
)
_SETUP_EXPIRY: Final = ("dynamodb:DescribeTimeToLive", "dynamodb:UpdateTimeToLive")
_SETUP_INDEXES: Final = ("dynamodb:UpdateTable",)
_SETUP_BUCKET: Final = (
    "s3:CreateBucket",
    "s3:GetBucketCORS",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:PutBucketCORS",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
)


@frozen(kw_only=True)
class Policies:
    """
    Policies for one installation.

    Args:
        region: Where its tables are.
        table: The table of worksets; None where there is none.
        customers: The table of customers; None where there is none.
        bucket: Its bucket.
        worksets: The folder in it in which worksets have their directories.
        files: The folder in it in which customers keep their files.
        topic: The ARN of the SNS topic that is told what becomes of worksets, if there is one.
        index: The folder in the bucket in which monitors keep index logs, if they do.
        inputs: Folders of other buckets whose files customers may name: ``s3://bucket/folder/``.
        archive: The folder in the bucket to which people move old worksets, if there is one.
        documents: The table of tokens, users and the audit trail; None where there is none.
        batches: The queues and job definitions of its engines on AWS Batch.
        heads: The head nodes of its clusters that are reached through Systems Manager.
    """

    region: str
    table: str | None
    customers: str | None
    bucket: str
    worksets: str
    files: str
    topic: str | None = None
    index: str | None = None
    archive: str | None = None
    inputs: tuple[str, ...] = ()
    documents: str | None = None
    batches: tuple[BatchNames, ...] = ()
    heads: tuple[HeadNode, ...] = ()

    def of(self, role: Role) -> dict[str, Any]:
        """Return the policy of a role, as IAM takes it."""
        return {"Version": "2012-10-17", "Statement": list(self._statements(role))}

    def _statements(self, role: Role) -> Iterator[dict[str, Any]]:
        setup = role is Role.ADMIN
        if self.table is not None:
            table = self._table(self.table)
            # Whoever compares the table with the directories reads all of it, and so does who makes a
            # report or keeps an index.
            scans = setup or (role is Role.MONITOR and self.index is not None)
            yield _allow("Worksets", (*_ROWS, *(_SCAN if scans else ())), [table])
            yield _allow("WorksetIndexes", _INDEXES, [f"{table}/index/*"])
        if self.customers is not None:
            yield _allow("Customers", sorted(_CUSTOMERS[role]), [self._table(self.customers)])
        if self.documents is not None:
            documents = [self._table(self.documents)]
            if role is Role.MONITOR:
                # What it gives up telling people goes on a list; tokens and users are nothing to it.
                dead = _allow("DeadNotices", ("dynamodb:UpdateItem",), documents)
                yield {**dead, "Condition": _LEADING}
                slots = _allow("Slots", ("dynamodb:GetItem", "dynamodb:UpdateItem"), documents)
                yield {**slots, "Condition": _SLOTS}
                # That another monitor has gone silent.
                yield {**_allow("Silences", _DOCUMENTS, documents), "Condition": _SILENCES}
            else:
                yield _allow("Documents", _DOCUMENTS, documents)
        # Monitors have no business with what customers keep for themselves.
        folders = [self.worksets] if role is Role.MONITOR else [self.worksets, self.files]
        yield _allow("Objects", _OBJECTS, [f"{self._bucket}/{folder}*" for folder in folders])
        if self.index is not None and role is not Role.API:
            # S3 answers a question about an object by the right to read it.
            indexes = [f"{self._bucket}/{self.index}daylily.*.log"]
            yield _allow("IndexLogs", ("s3:GetObject", "s3:PutObject"), indexes)
        if self.archive is not None and setup:
            yield _allow("Archive", ("s3:GetObject",), [f"{self._bucket}/{self.archive}*"])
        yield from self._of_inputs(role)
        # Not narrowed to folders: to who may not list, S3 says 403 of an object that is not there, and
        # stores differ in whether they take its key for the prefix that a condition asks for.
        yield _allow("Listings", ("s3:ListBucket",), [self._bucket])
        if self.topic is not None:
            yield _allow("Notices", _NOTICES, [self.topic])
        where = f"arn:{self._partition}:{{}}:{self.region}"
        for allowed in engine_statements(where, role, self.batches, self.heads):
            yield allowed.statement()
        if setup:
            yield from self._setup()

    def _of_inputs(self, role: Role) -> Iterator[dict[str, Any]]:
        if not self.inputs or role is Role.MONITOR:
            return
        named = [each.removeprefix("s3://").replace("{customer_id}", "*") for each in self.inputs]
        buckets = dict.fromkeys(each.partition("/")[0] for each in named)
        arn = f"arn:{self._partition}:s3:::"
        yield _allow("Inputs", ("s3:GetObject",), [f"{arn}{each}*" for each in named])
        yield _allow("InputListings", ("s3:ListBucket",), [f"{arn}{bucket}" for bucket in buckets])

    def _setup(self) -> Iterator[dict[str, Any]]:
        tables = (self.table, self.customers, self.documents)
        names = [name for name in tables if name is not None]
        if names:
            yield _allow("SetUpTables", _SETUP_TABLES, [self._table(name) for name in names])
        if self.table is not None:
            yield _allow("SetUpIndexes", _SETUP_INDEXES, [self._table(self.table)])
        if self.documents is not None:
            yield _allow("SetUpExpiry", _SETUP_EXPIRY, [self._table(self.documents)])
        yield _allow("SetUpBucket", _SETUP_BUCKET, [self._bucket])

    def _table(self, name: str) -> str:
        return f"arn:{self._partition}:dynamodb:{self.region}:*:table/{name}"

    @property
    def _bucket(self) -> str:
        return f"arn:{self._partition}:s3:::{self.bucket}"

    @property
    def _partition(self) -> str:
        # China and the governments have AWSs of their own.
        return str(botocore.session.Session().get_partition_for_region(self.region))


def _allow(sid: str, actions: Sequence[str], resources: list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resources}
