"""Does DynamoDB let us do what we have to, and does it keep its promises?"""

from collections.abc import Callable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen
from botocore.exceptions import ClientError

from daylily.adapters.aws.errors import (
    MissingError,
    NotOfferedError,
    NotPermittedError,
    SilentError,
    code,
    reported,
)
from daylily.adapters.aws.schema import INDEXES, KEY, Index
from daylily.adapters.aws.setup_tables import TableSetup
from daylily.adapters.aws.table import Terms
from daylily.domain.errors import NotFoundError, UnavailableError
from daylily.ports.customers import Customers
from daylily.ports.documents import DocumentStore
from daylily.ports.installation import Finding

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOBODY: Final = "daylily.doctor"
"""A key that no workset has: ids have no dots."""
_LITTLE_SKEW: Final = 5.0
_MUCH_SKEW: Final = 60.0
"""Seconds. Monitors judge each other's locks by the clock."""
_INIT: Final = "`daylily init` creates it; or is it AWS_REGION, or the name, that is wrong?"
SILENT: Final = (
    "see whether the address is right (AWS_REGION, AWS_ENDPOINT_URL), and what is on the way to it: a"
    " proxy, a firewall, a subnet without an endpoint"
)


def trouble(check: str, error: UnavailableError) -> Finding:
    """Return the finding that something did not answer."""
    advice = {MissingError: _INIT, SilentError: SILENT}.get(type(error), "")
    return Finding(check, "FAIL", str(error), advice)


def unseen(check: str, error: NotPermittedError | NotOfferedError) -> Finding:
    """Return the finding that something could not be looked at, which processes need not do either."""
    if isinstance(error, NotOfferedError):
        return Finding(check, "ok", f"not looked at: {error}")
    return Finding(check, "ok", "not looked at, as only `daylily iam-policy --role admin` permits it")


@frozen(kw_only=True, eq=False)
class TableChecks:
    """
    Tries the table of worksets without leaving anything in it.

    Args:
        client: A low-level client, which threads may share.
        table: The table of worksets.
        clock: Ours.
    """

    client: "DynamoDBClient"
    table: TableSetup
    clock: Callable[[], datetime]

    def __call__(self) -> Iterator[Finding]:
        """Yield what was found; a table that cannot be read is not tried further."""
        try:
            answer = self._read()
        except UnavailableError as error:
            yield trouble("table", error)
            return
        yield Finding("table", "ok", f"{self.table.name} is there, keyed by {KEY}")
        yield self._skew(answer)
        for check, find in (
            ("indexes", self._indexes),
            ("writes", self._writes),
            ("backups", self._backups),
        ):
            try:
                yield find(check)
            except UnavailableError as error:
                yield trouble(check, error)

    def _read(self) -> Any:
        with reported("dynamodb", "GetItem", self._called):
            try:
                return self.client.get_item(TableName=self.table.name, Key={KEY: {"S": NOBODY}})
            except ClientError as error:
                if code(error) == "ValidationException":
                    raise UnavailableError(
                        f"{self._called} is not keyed by {KEY}: it holds something else, so choose"
                        f" another WORKSET_TABLE_NAME ({error})"
                    ) from error
                raise

    def _skew(self, answer: Any) -> Finding:
        told = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        if told is None:
            return Finding("skew", "ok", "not known: the store does not tell its time")
        off = abs((self.clock() - parsedate_to_datetime(told)).total_seconds())
        if off <= _LITTLE_SKEW:
            return Finding("skew", "ok", "this clock and that of DynamoDB agree")
        advice = "have the clock set by NTP: monitors judge each other's locks by it"
        text = f"this clock and that of DynamoDB are {off:.0f} s apart"
        return Finding("skew", "warn" if off <= _MUCH_SKEW else "FAIL", text, advice)

    def _indexes(self, check: str) -> Finding:
        missing = [index.name for index in INDEXES if not self._answers(index)]
        if not missing:
            return Finding(check, "ok", f"all {len(INDEXES)} answer")
        text = f"not there, or still being built: {', '.join(missing)}"
        return Finding(check, "FAIL", text, "`daylily init` adds them, and waits until they are built")

    def _answers(self, index: Index) -> bool:
        terms = Terms()
        condition = f"{terms.name(index.partition)} = {terms.value(NOBODY)}"
        with reported("dynamodb", "Query", f"index {index.name} of {self._called}"):
            try:
                self.client.query(
                    TableName=self.table.name,
                    IndexName=index.name,
                    KeyConditionExpression=condition,
                    Limit=1,
                    **terms.given(),
                )
            except ClientError as error:
                if "index" in str(error) and code(error) in _NO_INDEX:
                    return False
                raise
        return True

    def _writes(self, check: str) -> Finding:
        """Ask for writes that cannot be: whoever refuses them for their condition permits them."""
        terms = Terms()
        key = terms.name(KEY)
        never = {
            "TableName": self.table.name,
            "ConditionExpression": f"attribute_exists({key}) AND attribute_not_exists({key})",
        }
        value = terms.value("nothing")
        update = {
            "Key": {KEY: {"S": NOBODY}},
            "UpdateExpression": f"SET {terms.name('error_details')} = {value}",
            **terms.given(),
        }
        put = {"Item": {KEY: {"S": NOBODY}}, "ExpressionAttributeNames": {key: KEY}}
        for action, call, arguments in (
            ("PutItem", self.client.put_item, put),
            ("UpdateItem", self.client.update_item, update),
        ):
            if not self._refuses(action, call, {**never, **arguments}):
                text = f"{action} was done although its condition did not hold"
                advice = "no two monitors may share this store: take one that heeds conditions"
                return Finding(check, "FAIL", text, advice)
        text = "PutItem and UpdateItem are permitted, and refused where a condition does not hold"
        return Finding(check, "ok", text)

    def _refuses(self, action: str, call: Any, arguments: dict[str, Any]) -> bool:
        with reported("dynamodb", action, self._called):
            try:
                call(**arguments)
            except ClientError as error:
                if code(error) != "ConditionalCheckFailedException":
                    raise
                return True
        return False

    def _backups(self, check: str) -> Finding:
        try:
            if self.table.backed_up():
                return Finding(check, "ok", "point-in-time recovery is on")
        except (NotPermittedError, NotOfferedError) as error:
            return unseen(check, error)
        return Finding(check, "warn", "point-in-time recovery is off", "`daylily init` turns it on")

    @property
    def _called(self) -> str:
        return f"table {self.table.name}"


_NO_INDEX: Final = frozenset({"ResourceNotFoundException", "ValidationException"})


def check_customers(customers: Customers, customer_id: str) -> Finding:
    """Look for the customer that commands act for, and list them all."""
    check = "customers"
    try:
        customers.get(customer_id)
    except NotFoundError:
        advice = "`daylily init` adds it; or name another by --customer or DAYLILY_CUSTOMER"
        return Finding(check, "FAIL", f"there is no customer {customer_id}", advice)
    except NotPermittedError as error:
        advice = "without it monitors keep no limits; API and submit need it"
        return Finding(check, "warn", str(error), advice)
    except UnavailableError as error:
        return trouble(check, error)
    try:
        count = len(customers.list(limit=1000).items)
    except NotPermittedError as error:
        return Finding(check, "warn", str(error), "a monitor can do without; API and submit cannot")
    except UnavailableError as error:
        return trouble(check, error)
    return Finding(check, "ok", f"{customer_id} is one of {count}")


def check_documents(documents: DocumentStore, table: str) -> Finding:
    """Look for what tokens, users and the audit trail are kept in."""
    check = "documents"
    try:
        documents.list("none", NOBODY, limit=1)
    except NotPermittedError as error:
        return Finding(check, "warn", str(error), "a monitor can do without; the API cannot")
    except UnavailableError as error:
        return trouble(check, error)
    return Finding(check, "ok", f"{table} is there")
