"""One table of DynamoDB: single items, conditional writes and queries, each error explained."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from attrs import field, frozen
from botocore.exceptions import ClientError

from daylily.adapters.aws.errors import code, reported, retried
from daylily.adapters.aws.rows import Row, from_wire, to_wire
from daylily.adapters.aws.schema import KEY, Index
from daylily.adapters.remembered import Remembered
from daylily.domain.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REFUSED: Final = "ConditionalCheckFailedException"


@frozen
class Refused:
    """A conditional write was refused; *row* is what stood in the way, None if nothing is there."""

    row: Row | None
    repeated: bool = False
    """Whether the first try of this very write may have been done, and its answer lost."""


@frozen
class Terms:
    """The names and values of an expression: every name is an alias, since many words are reserved."""

    names: dict[str, str] = field(factory=dict)
    values: dict[str, Any] = field(factory=dict)

    def name(self, attribute: str) -> str:
        """Return the alias of an attribute."""
        self.names[f"#{attribute}"] = attribute
        return f"#{attribute}"

    def value(self, value: Any) -> str:
        """Return the alias of a value."""
        alias = f":v{len(self.values)}"
        self.values[alias] = value
        return alias

    def given(self) -> dict[str, Any]:
        """Return both as a call takes them."""
        found: dict[str, Any] = {}
        if self.names:
            found["ExpressionAttributeNames"] = self.names
        if self.values:
            found["ExpressionAttributeValues"] = to_wire(self.values)
        return found


@frozen(eq=False)
class Table:
    """
    A table; *client* is a low-level one, which threads may share.

    Args:
        rows: Remembers whole rows by their keys, where they are likely to be read again.
    """

    client: "DynamoDBClient"
    name: str
    key: str = KEY
    rows: Remembered[Row] | None = None

    def get(self, key: str, *attributes: str) -> Row | None:
        """Return the row under a key as the last write left it, or only some of its attributes."""
        arguments: dict[str, Any] = {}
        if attributes:
            terms = Terms()
            arguments["ProjectionExpression"] = ", ".join(map(terms.name, attributes))
            arguments |= terms.given()
        with reported("dynamodb", "GetItem", self._called):
            found = self.client.get_item(
                TableName=self.name, Key={self.key: {"S": key}}, ConsistentRead=True, **arguments
            )
        if "Item" not in found:
            return None
        return from_wire(found["Item"]) if attributes else self._row(found["Item"])

    def create(self, row: Row) -> Refused | None:
        """Store a new row, unless there is one."""
        terms = Terms()
        condition = f"attribute_not_exists({terms.name(self.key)})"
        return self._conditional(
            "PutItem", "put_item", Item=to_wire(row), ConditionExpression=condition, **terms.given()
        )

    def update(
        self, key: str, *, to_set: Row, to_keep: Row, to_remove: list[str], condition: str, terms: Terms
    ) -> Refused | None:
        """
        Change a row if *condition* holds.

        Args:
            to_set: Attributes to write.
            to_keep: Attributes to write only where the row has none of that name.
            to_remove: Attributes that are no more.
            terms: Names and values that *condition* refers to.
        """
        parts = [f"{terms.name(name)} = {terms.value(value)}" for name, value in to_set.items()]
        for name, value in to_keep.items():
            alias = terms.name(name)
            parts.append(f"{alias} = if_not_exists({alias}, {terms.value(value)})")
        expression = f"SET {', '.join(parts)}"
        if to_remove:
            expression += f" REMOVE {', '.join(map(terms.name, to_remove))}"
        return self._conditional(
            "UpdateItem",
            "update_item",
            Key={self.key: {"S": key}},
            UpdateExpression=expression,
            ConditionExpression=condition,
            **terms.given(),
        )

    def query(
        self,
        index: Index,
        condition: str,
        terms: Terms,
        *,
        size: int,
        newest_first: bool = False,
        **more: Any,
    ) -> Iterator[Row]:
        """Yield the rows of a query, asking for one page after the other as they are wanted."""
        for page in self._pages(
            index, condition, terms, ScanIndexForward=not newest_first, Limit=size, **more
        ):
            yield from map(self._row, page["Items"])

    def scan(self) -> Iterator[Row]:
        """Yield every row, in no order: for small tables."""
        rows, last = self.scanned(None)
        yield from rows
        while last is not None:
            rows, last = self.scanned(last)
            yield from rows

    def scanned(self, after: str | None, limit: int | None = None) -> tuple[list[Row], str | None]:
        """
        Return a page of all rows, in no order, and the key to go on after; None at the end.

        Args:
            after: What the page before gave; None for the first.
            limit: Rows at most; there may be fewer, and even none, though more pages follow.
        """
        arguments: dict[str, Any] = {} if limit is None else {"Limit": limit}
        if after is not None:
            arguments["ExclusiveStartKey"] = {self.key: {"S": after}}
        with reported("dynamodb", "Scan", self._called):
            page = self.client.scan(TableName=self.name, ConsistentRead=True, **arguments)
        last = page.get("LastEvaluatedKey")
        return [*map(self._row, page["Items"])], str(last[self.key]["S"]) if last else None

    def keys(self) -> Iterator[tuple[list[str], bool]]:
        """Yield pages of the keys of all rows, in no order, each with whether it is the last."""
        after: dict[str, Any] = {}
        while True:
            with reported("dynamodb", "Scan", self._called):
                page = self.client.scan(
                    TableName=self.name, ConsistentRead=True, ProjectionExpression=self.key, **after
                )
            last = page.get("LastEvaluatedKey")
            yield [str(item[self.key]["S"]) for item in page["Items"]], not last
            if not last:
                return
            after = {"ExclusiveStartKey": last}

    def count(self, index: Index, condition: str, terms: Terms) -> int:
        """Return how many rows a query finds."""
        pages = self._pages(index, condition, terms, Select="COUNT")
        return sum(int(page["Count"]) for page in pages)

    def _pages(
        self, index: Index, condition: str, terms: Terms, **more: Any
    ) -> Iterator[Mapping[str, Any]]:
        arguments = {"KeyConditionExpression": condition, **terms.given(), **more}
        while True:
            with reported("dynamodb", "Query", f"index {index.name} of {self._called}"):
                try:
                    page = self.client.query(TableName=self.name, IndexName=index.name, **arguments)
                except ClientError as error:
                    raise self._without_index(error, index) from error
            yield cast("Mapping[str, Any]", page)
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _without_index(self, error: ClientError, index: Index) -> Exception:
        if code(error) == "ValidationException" and "index" in str(error):
            return UnavailableError(
                f"{self._called} has no index {index.name}: `daylily init` adds it ({error})"
            )
        return error

    def _conditional(self, action: str, method: str, **arguments: Any) -> Refused | None:
        with reported("dynamodb", action, self._called):
            try:
                getattr(self.client, method)(
                    TableName=self.name, ReturnValuesOnConditionCheckFailure="ALL_OLD", **arguments
                )
            except ClientError as error:
                if code(error) != REFUSED:
                    raise
                item = cast("Mapping[str, Any]", error.response).get("Item")
                return Refused(from_wire(item) if item else None, retried(error))
        return None

    def _row(self, item: Mapping[str, Any]) -> Row:
        if self.rows is None:
            return from_wire(item)
        return self.rows.read(str(item[self.key]["S"]), item, lambda: from_wire(item))

    @property
    def _called(self) -> str:
        return f"table {self.name}"
