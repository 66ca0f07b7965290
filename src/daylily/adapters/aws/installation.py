"""What stores in AWS need: tables, a bucket, a customer, and permission."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from attrs import evolve, frozen

from daylily.adapters.aws.check_batch import BatchChecks
from daylily.adapters.aws.check_bucket import BucketChecks
from daylily.adapters.aws.check_tables import (
    SILENT,
    TableChecks,
    check_customers,
    check_documents,
    trouble,
)
from daylily.adapters.aws.check_topic import check_topic
from daylily.adapters.aws.clients import Clients
from daylily.adapters.aws.customers import DynamoDBCustomers
from daylily.adapters.aws.documents import DynamoDBDocumentStore
from daylily.adapters.aws.policies import Policies
from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.adapters.aws.schema import (
    CUSTOMER_KEY,
    DOCUMENT_KEY,
    DOCUMENT_PLACE,
    DOCUMENT_TTL,
    INDEXES,
    KEY,
)
from daylily.adapters.aws.setup_bucket import BucketSetup
from daylily.adapters.aws.setup_tables import TableSetup
from daylily.adapters.aws.sns import region_of
from daylily.adapters.object_customers import ObjectCustomers
from daylily.adapters.object_state_store import ObjectStateStore
from daylily.domain.customers import Customer
from daylily.domain.errors import AlreadyExistsError, NotFoundError, UnavailableError
from daylily.domain.lifecycle import State
from daylily.domain.spelling import meant
from daylily.ports.customers import Customers
from daylily.ports.installation import Finding, Role, Step, Tell

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

_ONE_TRUTH: Final = (
    "have all who share a prefix name the same table, or all 'none' (WORKSET_TABLE_NAME): each kind"
    " keeps books of its own"
)
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@frozen(kw_only=True, eq=False)
class AWSInstallation:
    """
    An Installation in DynamoDB and S3.

    Args:
        clients: Makes the clients that ask.
        policies: All names.
        customer: The customer that commands act for.
        clock: Tells the time.
        state: The folder in the bucket of records of worksets, for those who have no table.
        accounts: The folder in the bucket of records of customers, for those who have no table.
        pause: Waits so many seconds.
    """

    clients: Clients
    policies: Policies
    customer: Customer
    clock: Callable[[], datetime]
    state: str = "worksets/.daylily/state/"
    accounts: str = "worksets/.daylily/customers/"
    pause: Callable[[float], None] = time.sleep

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """What asks DynamoDB."""
        return self.clients.dynamodb()

    @cached_property
    def s3(self) -> "S3Client":
        """What asks S3."""
        return self.clients.s3()

    def plan(self, *, portal: str | None = None) -> Sequence[Step]:
        """See Installation.plan."""
        return tuple(self._steps(portal))

    def check(self) -> Iterator[Finding]:
        """See Installation.check."""
        yield self._endpoints()
        try:
            yield self._credentials()
        except UnavailableError as error:
            yield Finding("credentials", "FAIL", str(error))
            return
        yield from self._tables()
        checks = BucketChecks(
            bucket=self._bucket,
            objects=self._objects,
            prefix=self.policies.worksets,
            official=_official(self.s3),
        )
        there = True
        for finding in checks():
            there &= (finding.check, finding.verdict) != ("bucket", "FAIL")
            yield finding
        if there:
            yield from self._records()
        if (topic := self.policies.topic) is not None:
            yield check_topic(evolve(self.clients, region=region_of(topic)).sns(), topic)
        for names in self.policies.batches:
            yield from BatchChecks(client=self.clients.batch(), names=names)()

    def _tables(self) -> Iterator[Finding]:
        if self._worksets is not None:
            for finding in TableChecks(client=self.dynamodb, table=self._worksets, clock=self.clock)():
                yield finding
                if finding.advice == SILENT:
                    return  # it would be silent about the others too, and each takes as long
        if self._customers is not None:
            yield check_customers(self._accounts, self.customer.customer_id)
        if self._documents is not None:
            store = DynamoDBDocumentStore(self.dynamodb, self._documents.name, self.clock)
            yield check_documents(store, self._documents.name)

    def policy(self, role: Role) -> Mapping[str, Any]:
        """See Installation.policy."""
        return self.policies.of(role)

    def _steps(self, portal: str | None) -> Iterator[Step]:
        if self._worksets is not None:
            yield from self._worksets.steps()
        if self._customers is not None:
            yield from self._customers.steps()
        if self._documents is not None:
            yield from self._documents.steps()
        yield from self._bucket.steps(portal)
        yield self._customer_step()

    @property
    def _worksets(self) -> TableSetup | None:
        if self.policies.table is None:
            return None
        return TableSetup(
            client=self.dynamodb,
            name=self.policies.table,
            key=KEY,
            indexes=INDEXES,
            pause=self.pause,
        )

    @property
    def _customers(self) -> TableSetup | None:
        if self.policies.customers is None:
            return None
        return TableSetup(
            client=self.dynamodb,
            name=self.policies.customers,
            key=CUSTOMER_KEY,
            indexes=(),
            pause=self.pause,
        )

    @property
    def _documents(self) -> TableSetup | None:
        if self.policies.documents is None:
            return None
        return TableSetup(
            client=self.dynamodb,
            name=self.policies.documents,
            key=DOCUMENT_PLACE,
            order=DOCUMENT_KEY,
            ttl=DOCUMENT_TTL,
            indexes=(),
            pause=self.pause,
        )

    @property
    def _bucket(self) -> BucketSetup:
        return BucketSetup(
            client=self.s3,
            name=self.policies.bucket,
            region=self.policies.region,
            prefixes=(self.policies.worksets, self.policies.files),
        )

    @property
    def _objects(self) -> S3ObjectStore:
        return S3ObjectStore(self.s3, self.policies.bucket)

    @property
    def _accounts(self) -> Customers:
        if self._customers is None:
            return ObjectCustomers(self._objects, self.accounts)
        return DynamoDBCustomers(self.dynamodb, self._customers.name)

    def _customer_step(self) -> Step:
        thing = f"customer {self.customer.customer_id}"
        customers, table = self._accounts, self._customers
        if self._bucket.is_there() if table is None else table.found() is not None:
            with suppress(NotFoundError):
                customers.get(self.customer.customer_id)
                return Step(thing=thing, now="there")
        return Step(
            thing=thing, now="missing", change="add it", carry_out=partial(self._add, customers)
        )

    def _add(self, customers: Customers, _: Tell) -> None:
        with suppress(AlreadyExistsError):  # somebody else was faster
            customers.add(self.customer)

    def _records(self) -> Iterator[Finding]:
        """Look at what is kept in the bucket alone, or should not be."""
        check, table = "records", self.policies.table
        store = ObjectStateStore(self._objects, self.clock, self.state, tidy=False)
        try:
            if table is None:
                text = f"worksets are kept in the bucket alone: {store.count([State.READY])} are ready"
                yield Finding(check, "ok", text)
            elif store.holds_any():
                text = f"below {self.state} are worksets that {table} does not have"
                yield Finding(check, "warn", text, _ONE_TRUTH)
        except UnavailableError as error:
            yield trouble(check, error)
            return
        if self._customers is None:
            yield check_customers(self._accounts, self.customer.customer_id)

    def _credentials(self) -> Finding:
        identity = self.clients.identity()
        if not identity.in_the_environment:
            return Finding("credentials", "ok", f"from {identity}")
        advice = "use a profile (AWS_PROFILE) or a role instead: pipelines do not inherit keys"
        if self.clients.identity_without_keys() is None:
            advice += ", and those that run on this machine find no others"
        return Finding("credentials", "warn", f"from {identity}", advice)

    def _endpoints(self) -> Finding:
        clients: list[Any] = [self.s3]
        if self.policies.table is not None:
            clients.insert(0, self.dynamodb)
        told, open_to_all = [], False
        for client in clients:
            name = {"dynamodb": "DynamoDB", "s3": "S3"}[client.meta.service_model.service_name]
            parts = urlsplit(client.meta.endpoint_url)
            # Some put a password into an address.
            told.append(f"{name} {parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")
            open_to_all |= parts.scheme == "http" and parts.hostname not in _LOOPBACK
        region = self.policies.region
        text = f"{', '.join(told)}; region {region}"
        if open_to_all:
            return Finding("endpoint", "warn", text, "use https: anybody on the way can read all")
        if any(map(_official, clients)) and region not in (known := self.clients.regions()):
            guess = meant(region, sorted(known))
            hint = f"did you mean {guess}? " if guess else ""
            advice = f"{hint}boto3 knows no such region: mend AWS_REGION, or get a newer boto3"
            return Finding("endpoint", "warn", text, advice)
        return Finding("endpoint", "ok", text)


def _official(client: Any) -> bool:
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
