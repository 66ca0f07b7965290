"""
What AWS has to permit: the guide's policy suffices, and ours have nothing that nobody needs.

moto enforces policies in earnest, but knows no resources beyond those of S3, and not all of S3's
actions. So lives go by moto with the actions of a policy, and by ``permits`` with its resources.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import boto3
import pytest
from attrs import evolve, frozen
from moto.core import set_initial_no_auth_action_count
from tests.integration.aws.moto.life import Life
from tests.integration.aws.moto.permits import (
    Guard,
    Policy,
    actions,
    allowing,
    listed,
    pairs,
    unused,
    without,
)
from tests.integration.aws.worlds import dynamodb_client, s3_client

from daylily.adapters.aws.customers import DynamoDBCustomers
from daylily.adapters.aws.dynamodb import DynamoDBStateStore
from daylily.adapters.aws.installation import AWSInstallation
from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.adapters.aws.schema import create_customer_table, create_document_table, create_table
from daylily.adapters.aws.sns import SNSNotifier
from daylily.adapters.filtered import FilteredNotifier
from daylily.adapters.memory.compute import InMemoryCompute
from daylily.bootstrap import App, compose, connect, installation
from daylily.config import Settings
from daylily.domain.customers import Customer
from daylily.domain.errors import DaylilyError
from daylily.ports.installation import Role
from daylily.testing.clock import ManualClock

REGION: Final = "us-west-2"
TABLE: Final = "daylily-worksets"
BUCKET: Final = "daylily-worksets-bucket"
TOPIC: Final = f"arn:aws:sns:{REGION}:123456789012:workset-notifications"
SETTINGS: Final = Settings(
    store="aws",
    engine="memory",
    region=REGION,
    table=TABLE,
    bucket=BUCKET,
    customer="acme",
    sns_topic_arn=TOPIC,
    retry_base=timedelta(),
)
GUIDE: Final[Policy] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
                "dynamodb:Query",
                "dynamodb:Scan",
            ],
            "Resource": "arn:aws:dynamodb:*:*:table/daylily-worksets*",
        },
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"],
            "Resource": [
                "arn:aws:s3:::daylily-worksets-bucket",
                "arn:aws:s3:::daylily-worksets-bucket/*",
            ],
        },
        {"Effect": "Allow", "Action": "sns:Publish", "Resource": "arn:aws:sns:*:*:workset-*"},
    ],
}
"""As the guide prints it."""


def printed(role: Role) -> Policy:
    """Return what `daylily iam-policy` prints."""
    return installation(SETTINGS).policy(role)


@pytest.fixture(autouse=True)
def _anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)


@pytest.fixture
def ground() -> None:
    """Make what a life takes place on, with every permission."""
    dynamodb, s3 = dynamodb_client(region=REGION), s3_client(region=REGION)
    create_table(dynamodb, TABLE)
    create_document_table(dynamodb, f"{TABLE}-documents")
    customers = create_customer_table(dynamodb, f"{TABLE}-customers")
    DynamoDBCustomers(dynamodb, customers).add(Customer(customer_id="acme", name="Acme"))
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    boto3.client("sns", region_name=REGION).create_topic(Name="workset-notifications")


@frozen
class Users:
    """Makes users of AWS, and works as them."""

    monkeypatch: pytest.MonkeyPatch
    engine: InMemoryCompute
    clock: ManualClock

    def app(self, name: str, policy: Policy) -> App:
        """Return what a process has that works as a new user with a policy."""
        self.become(name, policy)
        world = evolve(connect(SETTINGS), compute=self.engine, clock=self.clock)
        return compose(SETTINGS, world)

    def become(self, name: str, policy: Policy) -> None:
        """Let clients that are made from now on be those of a new user."""
        iam = boto3.client("iam", region_name=REGION)
        iam.create_user(UserName=name)
        document = json.dumps(_widened(policy))
        iam.put_user_policy(UserName=name, PolicyName="daylily", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        self.monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])

    def life(self, api: Policy, monitor: Policy) -> Life:
        """Return a life of two processes, each with its own policy."""
        return Life(self.app("api", api), self.app("monitor", monitor), self.engine)


def _widened(policy: Policy) -> Policy:
    """Name all resources where moto knows none, or another than AWS asks for."""
    return {**policy, "Statement": [_as_moto_knows_it(each) for each in policy["Statement"]]}


def _as_moto_knows_it(statement: dict[str, Any]) -> dict[str, Any]:
    actions = listed(statement["Action"])
    if not actions[0].startswith("s3:"):
        return {**statement, "Resource": "*"}
    if "s3:DeleteObject" in actions:
        # Of a batch moto asks for the bucket as well, AWS for each object alone.
        return {**statement, "Resource": [*listed(statement["Resource"]), f"arn:aws:s3:::{BUCKET}"]}
    return statement


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> Users:
    """Return what makes users; moto's own keys are back afterwards."""
    clock = ManualClock()
    return Users(monkeypatch, InMemoryCompute(clock, duration=None), clock)


def live(life: Life) -> None:
    """Go through a life with enforcement switched on."""
    set_initial_no_auth_action_count(0)(life.live)()


def clients(app: App) -> Iterator[Any]:
    """Yield all clients of a process."""
    world = app.world
    assert isinstance(world.store, DynamoDBStateStore)
    assert isinstance(world.objects, S3ObjectStore)
    heard = world.channels["sns"]
    assert isinstance(heard, FilteredNotifier)
    sns = heard.channel
    assert isinstance(sns, SNSNotifier)
    yield world.store.client
    yield world.objects.client
    yield sns.client
    yield world.customers.client  # type: ignore[attr-defined]
    yield world.documents.client  # type: ignore[attr-defined]


def watched(app: App, policy: Policy | None = None) -> Guard:
    """Note what a process asks for."""
    guard = Guard(policy)
    guard.watch(*clients(app))
    return guard


def test_the_guides_policy_suffices(ground: None, users: Users) -> None:
    """
    S-71, S-72, S-73: API and monitor live their whole life on the policy that the guide prints.

    Each of its actions is needed by one of them at least, and nothing else is asked for, but to tidy
    up after an upload that broke, which a rule of the bucket does as well.
    """
    life = users.life(GUIDE, GUIDE)
    api, monitor = watched(life.api), watched(life.monitor)

    live(life)

    assert api.denied | monitor.denied == {"s3:AbortMultipartUpload"}
    assert api.actions() | monitor.actions() == {*actions(GUIDE), "s3:AbortMultipartUpload"}
    # By name and resource, which moto knows of S3 alone: tables, their indexes, and the topic.
    refused = {need[0] for need in api.needed | monitor.needed if not allowing(GUIDE, need)}
    assert refused == {"s3:AbortMultipartUpload"}


def test_our_policies_suffice(ground: None, users: Users) -> None:
    """What we print is enough for each of the two, and no part of it (action, resource) is idle."""
    policies = {role: printed(role) for role in (Role.API, Role.MONITOR)}
    life = users.life(policies[Role.API], policies[Role.MONITOR])
    guards = {Role.API: watched(life.api), Role.MONITOR: watched(life.monitor)}

    live(life)

    for role, guard in guards.items():
        refused = {need[0] for need in guard.needed if not allowing(policies[role], need)}
        assert refused <= {"s3:AbortMultipartUpload"}
        assert unused(policies[role], guard.needed) == set()


NEEDED: Final = [
    (role, action) for role in (Role.API, Role.MONITOR) for action in actions(printed(role))
]


@pytest.mark.parametrize(("role", "action"), NEEDED, ids=str)
def test_each_action_is_needed(ground: None, users: Users, role: Role, action: str) -> None:
    """Take one action away, and life does not go on: it is refused, and the trouble shows."""
    policies = {each: printed(each) for each in (Role.API, Role.MONITOR)}
    policies[role] = without(policies[role], action)
    life = users.life(policies[Role.API], policies[Role.MONITOR])
    guard = watched(life.api if role is Role.API else life.monitor)

    with pytest.raises((DaylilyError, AssertionError)):
        live(life)

    assert action in guard.denied


def test_an_admin_can_do_it_all(users: Users) -> None:
    """The policy of admins is enough to make, mend, check and use it all, and no part of it is idle."""
    boto3.client("sns", region_name=REGION).create_topic(Name="workset-notifications")
    guard = Guard(printed(Role.ADMIN))
    here = installation(SETTINGS)
    assert isinstance(here, AWSInstallation)
    guard.watch(here.dynamodb, here.s3)

    for _ in ("all is new", "an index is missing"):
        for step in here.plan(portal="https://portal.lab.example"):
            step.carry_out(lambda _: None)
        assert [finding for finding in here.check() if finding.verdict == "FAIL"] == []
        dynamodb_client(region=REGION).update_table(
            TableName=TABLE, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "due-index"}}]
        )
    for step in here.plan():
        step.carry_out(lambda _: None)
    api = users.app("admin", GUIDE)
    guard.watch(*clients(api))
    Life(api, api, users.engine).live()
    assert len(api.world.store.scan().items) == 6  # as whoever compares the ledgers does

    assert unused(printed(Role.ADMIN), guard.needed) == set()


@pytest.mark.parametrize(
    ("policy", "warned"),
    [
        (GUIDE, set()),
        (printed(Role.API), set()),
        (printed(Role.MONITOR), {"customers", "documents"}),
    ],
    ids=["guide", "api", "monitor"],
)
def test_doctor_needs_no_more_than_what_it_looks_after(
    ground: None, policy: Policy, warned: set[str]
) -> None:
    """Whoever may run an API or a monitor may also ask what is wrong with it: nothing is, here."""
    here = installation(SETTINGS)
    assert isinstance(here, AWSInstallation)
    Guard(policy).watch(here.dynamodb, here.s3)

    found = {each.check: each for each in here.check()}

    assert [each for each in found.values() if each.verdict == "FAIL"] == []
    assert {check for check, each in found.items() if each.verdict == "warn"} - warned == {
        "credentials"
    }
    assert "--role admin" in found["backups"].text + found["versions"].text


def test_names_of_the_settings() -> None:
    """Policies name what the settings name, in the partition of AWS that the region is in."""
    here = Settings(
        store="aws",
        region="cn-north-1",
        table="lab-table",
        customer_table="lab-people",
        bucket="lab-bucket",
        prefix="lab/worksets/",
    )
    assert {resource for _, resource in pairs(installation(here).policy(Role.API))} == {
        "arn:aws-cn:dynamodb:cn-north-1:*:table/lab-table",
        "arn:aws-cn:dynamodb:cn-north-1:*:table/lab-table/index/*",
        "arn:aws-cn:dynamodb:cn-north-1:*:table/lab-people",
        "arn:aws-cn:dynamodb:cn-north-1:*:table/lab-table-documents",
        "arn:aws-cn:s3:::lab-bucket",
        "arn:aws-cn:s3:::lab-bucket/lab/worksets/*",
        "arn:aws-cn:s3:::lab-bucket/files/*",
    }
    bare = installation(evolve(here, table="none", customer_table=None)).policy(Role.ADMIN)
    assert not [action for action in actions(bare) if not action.startswith("s3:")]


def test_folders_that_are_set_are_permitted() -> None:
    """Who keeps index logs may scan the table and write them, and no other file of that folder."""
    here = evolve(SETTINGS, index_prefix="logs/", archive_prefix="old/")
    logs, old = f"arn:aws:s3:::{BUCKET}/logs/daylily.*.log", f"arn:aws:s3:::{BUCKET}/old/*"

    monitor, admin, api = (
        pairs(installation(here).policy(role)) for role in (Role.MONITOR, Role.ADMIN, Role.API)
    )

    index = {("s3:GetObject", logs), ("s3:PutObject", logs)}
    assert monitor - pairs(printed(Role.MONITOR)) == {
        *index,
        ("dynamodb:Scan", f"arn:aws:dynamodb:{REGION}:*:table/{TABLE}"),
    }
    assert admin - pairs(printed(Role.ADMIN)) == {*index, ("s3:GetObject", old)}
    assert api == pairs(printed(Role.API))
