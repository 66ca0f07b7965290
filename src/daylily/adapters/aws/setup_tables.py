"""What it takes to have a table of DynamoDB, with its indexes, its expiry and its backups."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from attrs import evolve, frozen
from botocore.exceptions import ClientError

from daylily.adapters.aws.errors import NotOfferedError, code, reported
from daylily.adapters.aws.schema import Index, index_definition
from daylily.domain.errors import ConflictError, UnavailableError
from daylily.ports.installation import Step, Tell

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_BUSY: Final = frozenset({"LimitExceededException", "ResourceInUseException"})
_SHORTEST: Final = 1.0
_LONGEST: Final = 10.0
"""Seconds between looks at what is being made."""
_TELL_EVERY: Final = 30.0
_UNSEEN: Final = 30
"""How many looks a table that was just created may stay away."""
NOT_OFFERED: Final = "not offered by this store"


@frozen(kw_only=True, eq=False)
class TableSetup:
    """
    Plans what a table lacks.

    Args:
        client: A low-level client, which threads may share.
        name: Its name.
        key: The attribute that it is keyed by.
        indexes: Those that it has to have.
        pause: Waits so many seconds.
        order: The attribute that rows of a partition are ordered by, if its key has two.
        ttl: The attribute that tells when a row is to be removed, if rows expire.
    """

    client: "DynamoDBClient"
    name: str
    key: str
    indexes: tuple[Index, ...]
    pause: Callable[[float], None]
    order: str | None = None
    ttl: str | None = None

    def steps(self) -> Iterator[Step]:
        """
        Yield what is there, and what is to be done.

        Raises:
            ConflictError: A table, or an index, of that name is something else.
        """
        found = self.found()
        if found is None:
            with_indexes = f", with {len(self.indexes)} indexes" if self.indexes else ""
            change = f"create it, on demand{with_indexes}"
            yield Step(thing=self._called, now="missing", change=change, carry_out=self._create)
        else:
            self._check_key(found)
            yield self._present(found)
            yield from self._index_steps(found)
        if self.ttl is not None:
            yield from self._expiry_steps(self.ttl, found is not None)
        yield from self._backup_steps(found is not None)

    def found(self) -> Mapping[str, Any] | None:
        """Return what DynamoDB says of the table; None if there is none."""
        with reported("dynamodb", "DescribeTable", self._called):
            try:
                return self.client.describe_table(TableName=self.name)["Table"]
            except ClientError as error:
                if code(error) != "ResourceNotFoundException":
                    raise
                return None

    # The table

    def _check_key(self, found: Mapping[str, Any]) -> None:
        if found.get("TableStatus") == "DELETING":
            raise ConflictError(f"{self._called} is being deleted: wait until it is gone")
        if _keys(found) != self._own_keys:
            raise ConflictError(
                f"{self._called} is keyed by {', '.join(_keys(found))}, not by"
                f" {', '.join(self._own_keys)}: it holds something else, so choose another name"
            )

    def _present(self, found: Mapping[str, Any]) -> Step:
        if found["TableStatus"] == "CREATING":
            wait = "wait until it is there"
            return Step(
                thing=self._called, now="being created", change=wait, carry_out=self._until_active
            )
        provisioned = "ProvisionedThroughput" in _throughput(found)
        billing = "provisioned, which is left as it is" if provisioned else "on demand"
        return Step(thing=self._called, now=f"there, {billing}")

    def _create(self, tell: Tell) -> None:
        indexed = (each for index in self.indexes for each in _attributes(index))
        keys = sorted({*self._own_keys, *indexed})
        arguments: dict[str, Any] = {
            "TableName": self.name,
            "KeySchema": [
                {"AttributeName": each, "KeyType": kind}
                for each, kind in zip(self._own_keys, ("HASH", "RANGE"), strict=False)
            ],
            "AttributeDefinitions": [_text(each) for each in keys],
            "BillingMode": "PAY_PER_REQUEST",
        }
        if self.indexes:
            definitions = [index_definition(index) for index in self.indexes]
            arguments["GlobalSecondaryIndexes"] = definitions
        with reported("dynamodb", "CreateTable", self._called):
            try:
                self.client.create_table(**arguments)
            except ClientError as error:
                if code(error) != "ResourceInUseException":  # somebody else was faster
                    raise
        self._until_active(tell)

    def _until_active(self, tell: Tell) -> None:
        """Wait until the table and all its indexes are; no limit: a large table takes hours."""
        waited = told_at = 0.0
        told = ""
        unseen = 0
        while True:
            found = self.found()
            if found is None and (unseen := unseen + 1) >= _UNSEEN:
                raise UnavailableError(f"{self._called} is not there, although it was created")
            pending = _pending(found)
            if not pending:
                return
            if pending != told or waited - told_at >= _TELL_EVERY:
                tell(f"{pending} ({waited:.0f} s)")
                told, told_at = pending, waited
            rest = min(_LONGEST, _SHORTEST + waited / 10)
            self.pause(rest)
            waited += rest

    # Its indexes

    def _index_steps(self, found: Mapping[str, Any]) -> Iterator[Step]:
        present = {each["IndexName"]: each for each in found.get("GlobalSecondaryIndexes", ())}
        sound = 0
        for index in self.indexes:
            thing, there = f"index {index.name} of {self.name}", present.get(index.name)
            if there is None:
                change = "add it, while the table stays in use"
                add = partial(self._add, index)
                yield Step(thing=thing, now="missing", change=change, carry_out=add)
                continue
            self._check_index(index, there)
            if there.get("IndexStatus", "ACTIVE") == "ACTIVE":
                sound += 1
                continue
            wait = "wait until it is built"
            yield Step(thing=thing, now="being built", change=wait, carry_out=self._until_active)
        if self.indexes:
            yield Step(thing=f"indexes of {self.name}", now=f"{sound} of {len(self.indexes)} are there")

    def _check_index(self, index: Index, there: Mapping[str, Any]) -> None:
        keys, projection = _keys(there), there["Projection"]["ProjectionType"]
        if keys != _attributes(index) or projection != "ALL":
            raise ConflictError(
                f"index {index.name} of {self._called} is over {', '.join(keys)} ({projection}),"
                f" not over {', '.join(_attributes(index))} (ALL): remove it, then `daylily init`"
            )

    def _add(self, index: Index, tell: Tell) -> None:
        # DynamoDB builds one at a time, and somebody else may be building, too.
        self._until_active(tell)
        while (found := self.found()) is not None and not _has(found, index):
            keys = {each["AttributeName"]: each for each in found["AttributeDefinitions"]}
            keys |= {each: _text(each) for each in _attributes(index)}
            create = cast("Any", {**index_definition(index), **_throughput(found)})
            with reported("dynamodb", "UpdateTable", self._called):
                try:
                    self.client.update_table(
                        TableName=self.name,
                        AttributeDefinitions=list(keys.values()),
                        GlobalSecondaryIndexUpdates=[{"Create": create}],
                    )
                except ClientError as error:
                    if code(error) not in _BUSY:
                        raise
                    self.pause(_SHORTEST)
            self._until_active(tell)

    # Its expiry

    def _expiry_steps(self, attribute: str, is_there: bool) -> Iterator[Step]:
        thing = f"expiry of {self.name}"
        try:
            now = self._expiry() if is_there else None
        except NotOfferedError:
            yield Step(thing=thing, now=NOT_OFFERED)
            return
        if now is None:
            change = f"have rows removed at their {attribute}"
            expire = partial(self._expire, attribute)
            yield optional(Step(thing=thing, now="off", change=change, carry_out=expire))
        else:
            yield Step(thing=thing, now=f"on, by {now}")

    def _expiry(self) -> str | None:
        with reported("dynamodb", "DescribeTimeToLive", self._called):
            answer = self.client.describe_time_to_live(TableName=self.name)
        found = answer["TimeToLiveDescription"]
        on = found.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}
        return found.get("AttributeName") if on else None

    def _expire(self, attribute: str, _: Tell) -> None:
        with reported("dynamodb", "UpdateTimeToLive", self._called):
            try:
                self.client.update_time_to_live(
                    TableName=self.name,
                    TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute},
                )
            except ClientError as error:
                # Somebody else was faster.
                if code(error) != "ValidationException" or self._expiry() is None:
                    raise

    # Its backups

    def _backup_steps(self, is_there: bool) -> Iterator[Step]:
        thing = f"backups of {self.name}"
        try:
            on = is_there and self.backed_up()
        except NotOfferedError:
            yield Step(thing=thing, now=NOT_OFFERED)
            return
        if on:
            yield Step(thing=thing, now="on")
        else:
            change = "turn point-in-time recovery on"
            yield optional(Step(thing=thing, now="off", change=change, carry_out=self._back_up))

    def backed_up(self) -> bool:
        """
        Tell whether the table can be had back as it was at any time (point-in-time recovery).

        Raises:
            NotOfferedError: The store has no such thing.
        """
        with reported("dynamodb", "DescribeContinuousBackups", self._called):
            answer = self.client.describe_continuous_backups(TableName=self.name)
        found = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        return found.get("PointInTimeRecoveryStatus") == "ENABLED"

    def _back_up(self, tell: Tell) -> None:
        # A table that was just created is not ready for it at once.
        for attempt in range(_UNSEEN):
            with reported("dynamodb", "UpdateContinuousBackups", self._called):
                try:
                    self.client.update_continuous_backups(
                        TableName=self.name,
                        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
                    )
                except ClientError as error:
                    if code(error) != "ContinuousBackupsUnavailableException":
                        raise
                else:
                    return
            if attempt == 0:
                tell("the table is not ready for it yet")
            self.pause(min(_LONGEST, _SHORTEST + attempt))
        raise UnavailableError(f"backups of {self._called} cannot be turned on yet: try again later")

    @property
    def _own_keys(self) -> list[str]:
        return [self.key] if self.order is None else [self.key, self.order]

    @property
    def _called(self) -> str:
        return f"table {self.name}"


def optional(step: Step) -> Step:
    """Return a step that a store may be without: imitations of AWS have not everything."""

    def carry_out(tell: Tell) -> None:
        try:
            step.carry_out(tell)
        except NotOfferedError:
            tell(NOT_OFFERED)

    return evolve(step, carry_out=carry_out)


def _text(attribute: str) -> Any:
    return {"AttributeName": attribute, "AttributeType": "S"}


def _attributes(index: Index) -> list[str]:
    return [index.partition, index.order]


def _keys(schema: Mapping[str, Any]) -> list[str]:
    """Return the attributes of a key, the partition's first."""
    parts = sorted(schema["KeySchema"], key=lambda each: str(each["KeyType"]))  # HASH, RANGE
    return [str(each["AttributeName"]) for each in parts]


def _has(found: Mapping[str, Any], index: Index) -> bool:
    return any(each["IndexName"] == index.name for each in found.get("GlobalSecondaryIndexes", ()))


def _throughput(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an index of a provisioned table has to be given: as much as the table has."""
    mode = found.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    given = found.get("ProvisionedThroughput", {})
    units = {name: given.get(name, 0) for name in ("ReadCapacityUnits", "WriteCapacityUnits")}
    if mode == "PAY_PER_REQUEST" or not all(units.values()):
        return {}
    return {"ProvisionedThroughput": units}


def _pending(found: Mapping[str, Any] | None) -> str:
    """Return what is still being made; empty once all is there."""
    if found is None or found["TableStatus"] == "CREATING":
        return "the table is being created"
    building = [
        each["IndexName"]
        for each in found.get("GlobalSecondaryIndexes", ())
        if each.get("IndexStatus", "ACTIVE") == "CREATING"
    ]
    if building:
        return f"{', '.join(building)} is being built"
    return "" if found["TableStatus"] == "ACTIVE" else "the table is being changed"
