"""`daylily doctor` on AWS: each trouble is found, and told with what to do."""

import socket
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from tests.integration.aws.moto.faulty import answers, refusal

from daylily.adapters.aws.clients import Clients
from daylily.adapters.aws.installation import AWSInstallation
from daylily.adapters.aws.policies import Policies
from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.adapters.object_state_store import ObjectStateStore
from daylily.adapters.system import utc_now
from daylily.config import Settings
from daylily.connecting.installing import installation as chosen
from daylily.domain.customers import Customer
from daylily.ports.installation import Finding
from daylily.testing.samples import a_workset

TABLE, BUCKET = "daylily-worksets", "acme-worksets"


def bare(**more: Any) -> AWSInstallation:
    """Return an installation of which nothing is there."""
    given: dict[str, Any] = {
        "clients": Clients(region="us-west-2"),
        "policies": Policies(
            region="us-west-2",
            table=TABLE,
            customers=f"{TABLE}-customers",
            bucket=BUCKET,
            worksets="worksets/",
            files="files/",
        ),
        "customer": Customer(customer_id="acme", name="Acme"),
        "clock": utc_now,
        "pause": lambda _: None,
    }
    return AWSInstallation(**(given | more))


@pytest.fixture
def installation(monkeypatch: pytest.MonkeyPatch) -> AWSInstallation:
    """Return an installation of which all is there."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    found = bare()
    for step in found.plan():
        step.carry_out(lambda _: None)
    return found


def findings(installation: AWSInstallation) -> dict[str, Finding]:
    """Return what the checks find, by their names."""
    found = list(installation.check())
    assert len({each.check for each in found}) == len(found)
    return {each.check: each for each in found}


def test_all_is_well(installation: AWSInstallation) -> None:
    """All is tried, and goes well but for moto's keys in the environment; nothing is left."""
    found = findings(installation)
    assert list(found) == [
        *("endpoint", "credentials", "table", "skew", "indexes", "writes", "backups", "customers"),
        *("bucket", "objects", "versions", "public", "lifecycle", "sentinels"),
    ]
    assert {check for check, each in found.items() if each.verdict != "ok"} == {"credentials"}
    assert found["bucket"].text == f"{BUCKET} is there, in us-west-2"
    assert installation.dynamodb.scan(TableName=TABLE)["Items"] == []
    assert installation.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


def test_records_that_the_table_does_not_have(installation: AWSInstallation) -> None:
    """Who has a table is told of those who keep worksets in the bucket alone, below the same prefix."""
    store = ObjectStateStore(S3ObjectStore(installation.s3, BUCKET), utc_now)
    store.add(a_workset())
    found = findings(installation)["records"]
    assert (found.verdict, TABLE in found.text) == ("warn", True)
    assert "WORKSET_TABLE_NAME" in found.advice


def test_a_bucket_alone(installation: AWSInstallation) -> None:
    """Records and customers are looked for in it, unless it cannot be listed."""
    alone = evolve(
        installation, policies=evolve(installation.policies, table=None, customers=None), state="x/"
    )
    assert findings(alone)["records"].verdict == "ok"
    answers(alone.s3, "s3", "ListObjectsV2", refusal(403, "AccessDenied", "no"))
    found = findings(alone)
    assert found["bucket"].verdict == "FAIL"
    assert not found.keys() & {"records", "customers"}


def test_nothing_is_there() -> None:
    """What init makes is missing, and init is what to run."""
    found = findings(bare())
    failed = {check: each.advice for check, each in found.items() if each.verdict == "FAIL"}
    assert failed.keys() == {"table", "customers", "bucket"}
    assert all("daylily init" in advice for advice in failed.values())
    assert found["table"].text.startswith(f"dynamodb:GetItem: there is no table {TABLE}")


def test_a_missing_index(installation: AWSInstallation) -> None:
    """Tables of old lack indexes, and AWS does not read one that is being built."""
    client = installation.dynamodb
    client.update_table(
        TableName=TABLE, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "queue-index"}}]
    )
    # In words as AWS has them, which moto has not.
    building = "Cannot read from backfilling global secondary index: state-priority-index"
    answers(client, "dynamodb", "Query", refusal(400, "ValidationException", building, json=True))
    found = findings(installation)["indexes"]
    assert found.verdict == "FAIL"
    assert found.text.endswith(": state-priority-index, queue-index")
    assert "daylily init" in found.advice


def test_a_table_of_something_else(installation: AWSInstallation) -> None:
    """A table of another key is not tried further."""
    wrong = refusal(400, "ValidationException", "The provided key element does not match", json=True)
    answers(installation.dynamodb, "dynamodb", "GetItem", wrong)
    found = findings(installation)
    assert "is not keyed by workset_id" in found["table"].text
    assert "indexes" not in found


@pytest.mark.parametrize(
    ("service", "operation", "check", "told"),
    [
        ("dynamodb", "GetItem", "table", f"dynamodb:GetItem on table {TABLE}"),
        (
            "dynamodb",
            "Query",
            "indexes",
            f"dynamodb:Query on index state-priority-index of table {TABLE}",
        ),
        ("dynamodb", "PutItem", "writes", f"dynamodb:PutItem on table {TABLE}"),
        ("dynamodb", "UpdateItem", "writes", f"dynamodb:UpdateItem on table {TABLE}"),
        ("s3", "ListObjectsV2", "bucket", f"s3:ListBucket on bucket {BUCKET}"),
        ("s3", "PutObject", "objects", f"s3:PutObject on bucket {BUCKET}"),
        ("s3", "GetObject", "objects", f"s3:GetObject on bucket {BUCKET}"),
        ("s3", "DeleteObject", "objects", f"s3:DeleteObject on bucket {BUCKET}"),
    ],
)
def test_what_is_not_permitted(
    installation: AWSInstallation, service: str, operation: str, check: str, told: str
) -> None:
    """Each action of the guide's policy is tried; one that is missing is named, with the way to it."""
    is_json = service == "dynamodb"
    denied = refusal(403, "AccessDeniedException" if is_json else "AccessDenied", json=is_json)
    client = installation.dynamodb if is_json else installation.s3
    answers(client, service, operation, denied)
    found = findings(installation)[check]
    assert found.verdict == "FAIL"
    assert f"{told} is not permitted" in found.text
    assert "daylily iam-policy" in found.text


@pytest.mark.parametrize(
    ("service", "operation", "check"),
    [
        ("dynamodb", "DescribeContinuousBackups", "backups"),
        ("s3", "GetBucketVersioning", "versions"),
        ("s3", "GetPublicAccessBlock", "public"),
        ("s3", "GetBucketLifecycleConfiguration", "lifecycle"),
    ],
)
def test_what_only_an_admin_may_see(
    installation: AWSInstallation, service: str, operation: str, check: str
) -> None:
    """What no process needs at run time is no fault where it may not be looked at."""
    is_json = service == "dynamodb"
    denied = refusal(403, "AccessDeniedException" if is_json else "AccessDenied", json=is_json)
    answers(installation.dynamodb if is_json else installation.s3, service, operation, denied)
    found = findings(installation)[check]
    assert (found.verdict, "--role admin" in found.text) == ("ok", True)


def test_what_should_be_set_otherwise(installation: AWSInstallation) -> None:
    """What makes data safe, and is not on, is a warning that names init."""
    installation.dynamodb.update_continuous_backups(
        TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )
    client = installation.s3
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    client.delete_public_access_block(Bucket=BUCKET)
    client.delete_bucket_lifecycle(Bucket=BUCKET)
    found = findings(installation)
    warned = {
        check for check, each in found.items() if each.verdict == "warn" and "init" in each.advice
    }
    assert warned == {"backups", "versions", "public", "lifecycle"}


def dropping(client: Any, operation: str, *names: str) -> None:
    """Let a store be one that does not heed conditions, as some do."""

    def drop(params: dict[str, Any], **_: object) -> None:
        for name in names:
            params.pop(name, None)

    client.meta.events.register(f"provide-client-params.{operation}", drop)


@pytest.mark.parametrize("operation", ["PutItem", "UpdateItem"])
def test_a_table_that_heeds_no_conditions(installation: AWSInstallation, operation: str) -> None:
    """Where a write is done although it must not, two monitors would run a workset twice."""
    names = ("ConditionExpression", "ExpressionAttributeNames")
    dropping(
        installation.dynamodb,
        f"dynamodb.{operation}",
        *(names if operation == "PutItem" else names[:1]),
    )
    drop_unused(installation.dynamodb)
    found = findings(installation)["writes"]
    assert found.verdict == "FAIL"
    assert found.text == f"{operation} was done although its condition did not hold"


def drop_unused(client: Any) -> None:
    """Name no attribute that the expressions do not have: moto refuses such."""

    def drop(params: dict[str, Any], **_: object) -> None:
        if "ConditionExpression" not in params:
            params["ExpressionAttributeNames"].pop("#workset_id")

    client.meta.events.register("provide-client-params.dynamodb.UpdateItem", drop)


@pytest.mark.parametrize(
    ("operation", "name", "told"),
    [
        ("PutObject", "IfNoneMatch", "If-None-Match has replaced"),
        ("PutObject", "IfMatch", "If-Match has replaced"),
        ("DeleteObject", "IfMatch", "a delete with If-Match has removed"),
    ],
)
def test_a_bucket_that_heeds_no_conditions(
    installation: AWSInstallation, operation: str, name: str, told: str
) -> None:
    """An S3 of that kind is told of, and what was tried on it is removed all the same."""
    dropping(installation.s3, f"s3.{operation}", name)
    found = findings(installation)["objects"]
    assert found.verdict == "FAIL"
    assert told in found.text
    assert "twice" in found.advice
    assert installation.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


@pytest.mark.parametrize(
    ("off", "verdict"), [(-3, "ok"), (4, "ok"), (-20, "warn"), (20, "warn"), (300, "FAIL")]
)
def test_skew(installation: AWSInstallation, off: float, verdict: str) -> None:
    """A clock that is off is told of before S3 refuses its signatures, and before it takes a lock."""
    told = installation.dynamodb.get_item(TableName=TABLE, Key={"workset_id": {"S": "x"}})
    assert told["ResponseMetadata"]["HTTPHeaders"]["date"]
    found = findings(evolve(installation, clock=later(off)))["skew"]
    assert found.verdict == verdict
    assert found.verdict == "ok" or "NTP" in found.advice


def later(seconds: float) -> Callable[[], datetime]:
    """Return a clock that is off."""
    return lambda: utc_now() + timedelta(seconds=seconds)


def test_a_customer_that_is_not_there(installation: AWSInstallation) -> None:
    """Who acts for a customer that nobody has added is told so, and by what names customers go."""
    stranger = evolve(installation, customer=Customer(customer_id="nobody", name="Nobody"))
    found = findings(stranger)["customers"]
    assert (found.verdict, found.text) == ("FAIL", "there is no customer nobody")


@pytest.mark.parametrize(
    ("operation", "advice"),
    [
        ("GetItem", "without it monitors keep no limits; API and submit need it"),
        ("Scan", "a monitor can do without; API and submit cannot"),
    ],
)
def test_customers_are_hardly_a_monitors_business(
    installation: AWSInstallation, operation: str, advice: str
) -> None:
    """The policy of monitors has little of customers: that is worth a warning, and no more."""
    denied = refusal(403, "AccessDeniedException", json=True)
    first = (None,) if operation == "GetItem" else ()
    answers(installation.dynamodb, "dynamodb", operation, *first, denied)
    found = findings(installation)["customers"]
    assert (found.verdict, found.advice) == ("warn", advice)


def test_a_bucket_in_another_region(installation: AWSInstallation) -> None:
    """It works, and costs time and money with each byte."""
    policies = evolve(installation.policies, region="eu-central-1")
    for step in evolve(installation, policies=policies, clients=Clients(region="eu-central-1")).plan():
        step.carry_out(lambda _: None)
    found = findings(evolve(installation, policies=policies))["bucket"]
    assert found.verdict == "warn"
    assert found.text == f"{BUCKET} is in us-west-2, the tables in eu-central-1"


def test_sentinels_are_read(installation: AWSInstallation) -> None:
    """Those of the first directories are, whoever has put them there."""
    for key in ("ws-1/daylily.ready", "ws-1/daylily.lock", "ws-2/daylily.ready", "ws-3/reads"):
        installation.s3.put_object(Bucket=BUCKET, Key=f"worksets/{key}", Body=b"\xff")
    found = findings(installation)["sentinels"]
    assert found.text == "read 3 in 3 directories of worksets/"


def test_addresses_tell_no_secret(
    installation: AWSInstallation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address is shown without the password in it; unencrypted ones are warned of."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://ada:pass@store.example:9000")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")
    found = next(evolve(installation, clients=Clients(region="us-west-2", attempts=1)).check())
    assert found.verdict == "warn"
    assert found.text == ("DynamoDB http://127.0.0.1:1, S3 http://store.example:9000; region us-west-2")


@pytest.fixture
def silence() -> Iterator[str]:
    """Return the address of somebody who takes every call and answers none."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_silent_store(
    installation: AWSInstallation, monkeypatch: pytest.MonkeyPatch, silence: str
) -> None:
    """It is asked once, not for each table; what to look at is said, and the other store is tried."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", silence)
    clients = Clients(region="us-west-2", read_timeout=0.1, attempts=1)
    policies = evolve(installation.policies, documents=f"{TABLE}-documents")
    found = findings(evolve(installation, clients=clients, policies=policies))
    assert [check for check, each in found.items() if each.verdict == "FAIL"] == ["table"]
    assert "AWS_ENDPOINT_URL" in found["table"].advice
    assert not {"customers", "documents"} & found.keys()
    assert found["objects"].verdict == "ok"


def test_a_store_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks a store that does not answer is told so in ten seconds."""
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    made = chosen(Settings(store="aws", bucket=BUCKET))
    assert isinstance(made, AWSInstallation)
    assert made.clients.read_timeout * made.clients.attempts <= 10


@pytest.mark.parametrize(
    ("region", "verdict", "hint"),
    [
        ("us-wset-2", "warn", "did you mean us-west-2?"),
        ("mars-north-1", "warn", "mend AWS_REGION"),
        ("eu-central-1", "ok", ""),
        ("us-gov-west-1", "ok", ""),
        ("cn-north-1", "ok", ""),
    ],
)
def test_a_region_that_nobody_knows(
    installation: AWSInstallation, region: str, verdict: str, hint: str
) -> None:
    """A slip of the fingers is told of; an address that cannot be reached does not say why."""
    policies = evolve(installation.policies, region=region)
    found = next(evolve(installation, policies=policies, clients=Clients(region=region)).check())
    assert found.verdict == verdict
    assert hint in found.advice


def test_a_store_of_ones_own_has_any_region(
    installation: AWSInstallation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The regions of AWS are nothing to it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    policies = evolve(installation.policies, region="garage-1")
    found = next(evolve(installation, policies=policies, clients=Clients(region="garage-1")).check())
    assert found.verdict == "ok"


def test_keys_in_the_environment(
    installation: AWSInstallation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Jobs do not inherit them; it is said whether those on this machine find others."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    alone = findings(installation)["credentials"]
    assert alone.verdict == "warn"
    assert "find no others" in alone.advice

    profile = "[default]\naws_access_key_id = a\naws_secret_access_key = b\n"
    (tmp_path / "credentials").write_text(profile)
    both = findings(installation)["credentials"]
    assert "do not inherit keys" in both.advice
    assert "find no others" not in both.advice


def test_no_credentials(installation: AWSInstallation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials nothing is asked, and the ways to get some are named."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    found = list(evolve(installation, clients=Clients(region="us-west-2")).check())
    assert [each.check for each in found] == ["endpoint", "credentials"]
    assert found[-1].verdict == "FAIL"
    assert "AWS_PROFILE" in found[-1].text
    assert "aws sso login" in found[-1].text
