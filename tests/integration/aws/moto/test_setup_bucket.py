"""Buckets as `daylily init` makes and mends them."""

from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from tests.integration.aws.moto.faulty import answers, refusal
from tests.integration.aws.worlds import counted, s3_client

from daylily.adapters.aws.errors import NotPermittedError
from daylily.adapters.aws.setup_bucket import BucketSetup
from daylily.domain.errors import ConflictError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NAME = "acme-worksets"


@pytest.fixture
def client() -> "S3Client":
    """Return a client of this test's own."""
    return s3_client()


@pytest.fixture
def setup(client: "S3Client") -> BucketSetup:
    """Return what sets a bucket up."""
    return BucketSetup(client=client, name=NAME, region="us-east-1", prefixes=("worksets/", "files/"))


def carry_out(setup: BucketSetup) -> list[str]:
    """Carry all steps out; return what was told meanwhile."""
    told: list[str] = []
    for step in setup.steps():
        step.carry_out(told.append)
    return told


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2", "eu-central-1", "us-gov-west-1"])
def test_a_bucket_is_made_where_it_is_wanted(setup: BucketSetup, region: str) -> None:
    """In the region of the settings, by its name; us-east-1 alone has to go unnamed."""
    client = s3_client(region=region)
    setup = evolve(setup, client=client, region=region)
    carry_out(setup)
    location: str | None = client.get_bucket_location(Bucket=NAME)["LocationConstraint"]
    assert (location or "us-east-1") == region
    assert next(iter(setup.steps())).now == f"there, in {region}"


def test_what_a_new_bucket_is_like(client: "S3Client", setup: BucketSetup) -> None:
    """Versions are kept, all is encrypted, nothing is public, and what nobody needs goes by itself."""
    assert all(step.change for step in setup.steps())
    assert carry_out(setup) == []
    assert client.get_bucket_versioning(Bucket=NAME)["Status"] == "Enabled"
    encryption: Any = client.get_bucket_encryption(Bucket=NAME)
    (rule,) = encryption["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    blocked = client.get_public_access_block(Bucket=NAME)["PublicAccessBlockConfiguration"]
    assert set(blocked.values()) == {True}
    rules = client.get_bucket_lifecycle_configuration(Bucket=NAME)["Rules"]
    parts = [rule for rule in rules if "AbortIncompleteMultipartUpload" in rule]
    assert {rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] for rule in parts} == {7}
    versions = [rule for rule in rules if "NoncurrentVersionExpiration" in rule]
    assert {rule["NoncurrentVersionExpiration"]["NoncurrentDays"] for rule in versions} == {30}
    for ours in (parts, versions):
        assert [rule["Filter"]["Prefix"] for rule in ours] == ["worksets/", "files/"]

    calls = counted(client)
    assert [step for step in setup.steps() if step.change] == []
    assert not [call for call in calls.take() if call.startswith(("Put", "Create"))]


def test_rules_of_others_stay(client: "S3Client", setup: BucketSetup) -> None:
    """Others' rules are handed in again as they were, ours as they should be."""
    client.create_bucket(Bucket=NAME)
    theirs: Any = {
        "ID": "glacier",
        "Status": "Enabled",
        "Filter": {"Prefix": "archive/"},
        "Transitions": [{"Days": 90, "StorageClass": "GLACIER"}],
    }
    outdated: Any = {
        "ID": "daylily-parts-worksets",
        "Status": "Disabled",
        "Filter": {"Prefix": "worksets/"},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    client.put_bucket_lifecycle_configuration(
        Bucket=NAME, LifecycleConfiguration={"Rules": [theirs, outdated]}
    )

    assert [step.now for step in setup.steps()][-1] == "lacks 4 of our 4 rules"
    carry_out(setup)

    rules = {
        rule["ID"]: rule for rule in client.get_bucket_lifecycle_configuration(Bucket=NAME)["Rules"]
    }
    assert rules["glacier"] == theirs
    assert rules["daylily-parts-worksets"]["Status"] == "Enabled"
    assert len(rules) == 5


def test_rules_of_the_old_form(client: "S3Client", setup: BucketSetup) -> None:
    """S3 takes no mixture of rules with Prefix and with Filter: those of old get the new form."""
    carry_out(setup)
    old = {"ID": "tmp", "Status": "Enabled", "Prefix": "tmp/", "Expiration": {"Days": 3}}
    sent: list[Any] = []

    def found(parsed: dict[str, Any], **_: object) -> None:
        parsed["Rules"] = [old]
        parsed["TransitionDefaultMinimumObjectSize"] = "varies_by_storage_class"

    def put(params: dict[str, Any], **_: object) -> None:
        sent.append(params)

    client.meta.events.register("after-call.s3.GetBucketLifecycleConfiguration", found)
    client.meta.events.register("provide-client-params.s3.PutBucketLifecycleConfiguration", put)
    carry_out(setup)
    (params,) = sent
    (first, *ours) = params["LifecycleConfiguration"]["Rules"]
    assert first == {
        "ID": "tmp",
        "Status": "Enabled",
        "Expiration": {"Days": 3},
        "Filter": {"Prefix": "tmp/"},
    }
    assert len(ours) == 4
    assert params["TransitionDefaultMinimumObjectSize"] == "varies_by_storage_class"


def test_encryption_of_others_stays(client: "S3Client", setup: BucketSetup) -> None:
    """Who encrypts with a key of their own goes on doing so."""
    client.create_bucket(Bucket=NAME)
    client.put_bucket_encryption(
        Bucket=NAME,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
        },
    )
    assert [step.now for step in setup.steps() if "encryption" in step.thing] == ["aws:kms"]
    carry_out(setup)
    found: Any = client.get_bucket_encryption(Bucket=NAME)
    (rule,) = found["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"


def test_a_bucket_of_somebody_else(client: "S3Client", setup: BucketSetup) -> None:
    """Names are the world's: one that is taken, or may not be listed, is said to be so."""
    create, *_ = setup.steps()
    answers(client, "s3", "CreateBucket", refusal(409, "BucketAlreadyExists"))
    with pytest.raises(ConflictError, match="somebody else's bucket: choose another S3_BUCKET"):
        create.carry_out(print)
    answers(client, "s3", "CreateBucket", refusal(403, "AccessDenied"))
    with pytest.raises(NotPermittedError, match=f"s3:CreateBucket on bucket {NAME}.*iam-policy"):
        create.carry_out(print)
    answers(client, "s3", "ListObjectsV2", refusal(403, "AccessDenied"))
    with pytest.raises(NotPermittedError, match="s3:ListBucket"):
        list(setup.steps())


def test_a_store_without_it_all(client: "S3Client", setup: BucketSetup) -> None:
    """Imitations of S3 have not everything: what they lack is said, and no reason to stop."""
    for operation in ("PutBucketEncryption", "PutPublicAccessBlock"):
        answers(client, "s3", operation, refusal(501, "NotImplemented"))
    assert carry_out(setup) == ["not offered by this store"] * 2
    for operation in ("GetBucketVersioning", "GetPublicAccessBlock", "GetBucketLifecycleConfiguration"):
        answers(client, "s3", operation, refusal(501, "NotImplemented"))
    assert [step.now for step in setup.steps()].count("not offered by this store") == 3


PORTAL = "https://portal.lab.example"


def test_pages_may_send_files(client: "S3Client", setup: BucketSetup) -> None:
    """Those of the portal, once it is named; rules of others stay, an old one of ours goes."""
    assert [step.thing for step in setup.steps()] == [step.thing for step in setup.steps(None)]
    client.create_bucket(Bucket=NAME)
    theirs: Any = {"ID": "site", "AllowedOrigins": ["https://a.example"], "AllowedMethods": ["GET"]}
    outdated: Any = {
        "ID": "daylily-uploads",
        "AllowedOrigins": ["https://old"],
        "AllowedMethods": ["PUT"],
    }
    client.put_bucket_cors(Bucket=NAME, CORSConfiguration={"CORSRules": [theirs, outdated]})

    *_, step = setup.steps(PORTAL)
    assert (step.now, bool(step.change)) == (f"not taken from {PORTAL}", True)
    step.carry_out(print)

    *_, step = setup.steps(PORTAL)
    assert (step.now, step.change) == (f"taken from {PORTAL}", "")
    found: Any = client.get_bucket_cors(Bucket=NAME)["CORSRules"]
    assert [rule.get("ID") for rule in found] == ["site", "daylily-uploads"]
    assert [rule["AllowedOrigins"] for rule in found] == [["https://a.example"], [PORTAL]]
    assert found[1]["ExposeHeaders"] == ["ETag"]  # by which the page names the parts of a file


def test_pages_may_send_files_to_a_new_bucket(client: "S3Client", setup: BucketSetup) -> None:
    """It has no rules at all before."""
    for step in setup.steps(PORTAL):
        step.carry_out(print)
    assert [step for step in setup.steps(PORTAL) if step.change] == []
    assert len(client.get_bucket_cors(Bucket=NAME)["CORSRules"]) == 1
