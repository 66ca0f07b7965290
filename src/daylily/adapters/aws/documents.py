"""Documents in a table of DynamoDB."""

import math
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, cast

from attrs import evolve, frozen
from botocore.exceptions import ClientError

from daylily.adapters.aws.errors import code, reported
from daylily.adapters.aws.rows import Row, from_wire
from daylily.adapters.aws.schema import DOCUMENT_KEY, DOCUMENT_PLACE, DOCUMENT_TTL
from daylily.adapters.aws.table import REFUSED, Terms
from daylily.adapters.documents import (
    after_key,
    clash,
    damaged_document,
    is_sound,
    page_of_documents,
    readable,
    stale,
    unknown,
)
from daylily.adapters.paging import time_key
from daylily.domain.errors import InvalidInputError
from daylily.ports.clock import Clock
from daylily.ports.documents import Document
from daylily.ports.paging import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT: Final = timedelta(days=1)
"""How long what has expired stays in the table: whoever still holds it must not meet its successor."""
_LONGEST_PAGE: Final = 100


@frozen(eq=False)
class DynamoDBDocumentStore:
    """
    Documents in one table, partitioned by kind and partition; DynamoDB removes what has expired.

    Args:
        client: A low-level client, which threads may share.
        table: Its name.
        clock: Tells what has expired; DynamoDB takes its time.
    """

    client: "DynamoDBClient"
    table: str
    clock: Clock

    def add(self, document: Document) -> Document:
        """See DocumentStore.add."""
        terms = Terms()
        key, until = terms.name(DOCUMENT_KEY), terms.name("expires_at")
        now = terms.value(time_key(self.clock()))
        absent = f"attribute_not_exists({key}) OR {until} <= {now}"
        row, written = self._write(document, absent, terms)
        if not written:
            raise clash(document)
        return evolve(document, version=int(row["version"]))

    def get(self, kind: str, partition: str, key: str) -> Document:
        """See DocumentStore.get."""
        if not is_sound(kind, partition, key):
            raise unknown(kind, key)
        with reported("dynamodb", "GetItem", self._called):
            found = self.client.get_item(
                TableName=self.table, Key=_key(kind, partition, key), ConsistentRead=True
            )
        document = _document(from_wire(found["Item"])) if "Item" in found else None
        if document is None or document.expired(self.clock()):
            raise unknown(kind, key)
        return document

    def replace(self, document: Document) -> Document:
        """See DocumentStore.replace."""
        terms, now = Terms(), self.clock()
        until, version = terms.name("expires_at"), terms.name("version")
        unchanged = (
            f"{version} = {terms.value(document.version)}"
            f" AND (attribute_not_exists({until}) OR {until} > {terms.value(time_key(now))})"
        )
        row, written = self._write(document, unchanged, terms)
        if written:
            return evolve(document, version=int(row["version"]))
        if not row or _document(row).expired(now):
            raise unknown(document.kind, document.key)
        raise stale(document)

    def list(
        self,
        kind: str,
        partition: str,
        *,
        after: str | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> Page[Document]:
        """See DocumentStore.list."""
        last = after_key(after, limit=limit, newest_first=newest_first)
        if not is_sound(kind, partition):
            return Page(())
        rows = self._query(
            f"{kind}#{partition}", last, newest_first=newest_first, size=min(limit + 1, _LONGEST_PAGE)
        )
        found = list(islice(readable(rows, _document), limit + 1))
        return page_of_documents(found, limit, newest_first=newest_first)

    def _query(self, place: str, last: str | None, *, newest_first: bool, size: int) -> Iterator[Row]:
        """Yield the rows that have not expired, asking for pages as they are wanted."""
        terms = Terms()
        until, now = terms.name("expires_at"), terms.value(time_key(self.clock()))
        condition = f"{terms.name(DOCUMENT_PLACE)} = {terms.value(place)}"
        if last is not None:
            bound = "<" if newest_first else ">"
            condition += f" AND {terms.name(DOCUMENT_KEY)} {bound} {terms.value(last)}"
        arguments: dict[str, Any] = {
            "KeyConditionExpression": condition,
            "FilterExpression": f"attribute_not_exists({until}) OR {until} > {now}",
            "ScanIndexForward": not newest_first,
            "ConsistentRead": True,
            "Limit": size,
            **terms.given(),
        }
        while True:
            with reported("dynamodb", "Query", self._called):
                page = self.client.query(TableName=self.table, **arguments)
            yield from map(from_wire, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _write(self, document: Document, condition: str, terms: Terms) -> tuple[Row, bool]:
        """Write a document if *condition* holds; return its row and True, or what is in the way."""
        write_id = uuid.uuid4().hex
        version = terms.name("version")
        to_set = {"body": document.body, "write_id": write_id}
        to_remove = []
        if (at := document.expires_at) is None:
            to_remove = [terms.name("expires_at"), terms.name(DOCUMENT_TTL)]
        else:
            to_set["expires_at"] = time_key(at)
            to_set[DOCUMENT_TTL] = math.ceil((at + _KEPT).timestamp())  # type: ignore[assignment]
        parts = [f"{terms.name(name)} = {terms.value(value)}" for name, value in to_set.items()]
        parts.append(f"{version} = if_not_exists({version}, {terms.value(0)}) + {terms.value(1)}")
        expression = f"SET {', '.join(parts)}"
        if to_remove:
            expression += f" REMOVE {', '.join(to_remove)}"
        with reported("dynamodb", "UpdateItem", self._called):
            try:
                answer = self.client.update_item(
                    TableName=self.table,
                    Key=_key(document.kind, document.partition, document.key),
                    UpdateExpression=expression,
                    ConditionExpression=condition,
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **terms.given(),
                )
            except ClientError as error:
                if code(error) != REFUSED:
                    raise
                row = from_wire(cast("Any", error.response).get("Item", {}))
                # The answer to the write may have been lost, and what is in the way be that write.
                return row, row.get("write_id") == write_id
        return from_wire(answer["Attributes"]), True

    @property
    def _called(self) -> str:
        return f"table {self.table}"


def _key(kind: str, partition: str, key: str) -> dict[str, Any]:
    return {DOCUMENT_PLACE: {"S": f"{kind}#{partition}"}, DOCUMENT_KEY: {"S": key}}


def _document(row: Row) -> Document:
    kind, _, partition = str(row[DOCUMENT_PLACE]).partition("#")
    key, expires_at = str(row[DOCUMENT_KEY]), row.get("expires_at")
    try:
        return Document(
            kind=kind,
            partition=partition,
            key=key,
            body=str(row["body"]),
            version=int(row["version"]),
            expires_at=None if expires_at is None else datetime.fromisoformat(expires_at),
        )
    except (ArithmeticError, LookupError, TypeError, ValueError, InvalidInputError) as error:
        raise damaged_document(kind, key, error) from error
