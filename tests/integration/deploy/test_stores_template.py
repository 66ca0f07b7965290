"""stores.yaml makes what `daylily init` makes."""

import os
from typing import Any

import boto3
import pytest
from tests.integration.deploy.templates import BUCKET, REGION, create, template

from daylily.bootstrap import installation
from daylily.config import load

pytestmark = [
    pytest.mark.usefixtures("aws"),
    pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning"),
]


@pytest.mark.parametrize("portal", [None, "https://portal.lab.example"])
def test_init_finds_nothing_left_but_the_customer(portal: str | None) -> None:
    """Tables, indexes, expiry, backups and the bucket are as `daylily init` would have made them."""
    create("stores.yaml", {"Bucket": BUCKET, "Portal": portal or ""})
    resources = template("stores.yaml")["Resources"]
    for resource in resources.values():
        if resource["Type"] == "AWS::DynamoDB::Table":
            finish_table(resource["Properties"])
    finish_bucket(resources["Objects"]["Properties"], portal)

    steps = installation(load({}, os.environ).settings).plan(portal=portal)

    assert [step.thing for step in steps if step.change] == ["customer local"]


def test_people_can_be_told_by_mail() -> None:
    """An address subscribes to the topic; the topic's name is one that the guide's policy permits."""
    create("stores.yaml", {"Bucket": BUCKET, "NotifyEmail": "lab@example.org"})
    (topic,) = boto3.client("sns", region_name=REGION).list_topics()["Topics"]
    assert topic["TopicArn"].rpartition(":")[2].startswith("workset-")


# What moto leaves out of tables and buckets, done with the very words of the template.


def finish_table(properties: dict[str, Any]) -> None:
    """Turn on expiry and backups."""
    name = properties["TableName"]
    name = "daylily-worksets" + (name["Fn::Sub"].removeprefix("${Table}") if "Fn::Sub" in name else "")
    client = boto3.client("dynamodb", region_name=REGION)
    backups = properties["PointInTimeRecoverySpecification"]
    client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=backups)
    if "TimeToLiveSpecification" in properties:
        expiry = properties["TimeToLiveSpecification"]
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)


def finish_bucket(properties: dict[str, Any], portal: str | None) -> None:
    """Turn on versions, block public access, and put the rules; those of old age in the form of old."""
    client = boto3.client("s3", region_name=REGION)
    versions = properties["VersioningConfiguration"]
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration=versions)
    block = properties["PublicAccessBlockConfiguration"]
    client.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=block)
    rules: list[Any] = []
    for told in properties["LifecycleConfiguration"]["Rules"]:
        rule = {"ID": told["Id"], "Status": told["Status"], "Prefix": told["Prefix"]}
        for name in ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration"):
            if name in told:
                rule[name] = told[name]
        if told.get("ExpiredObjectDeleteMarker"):
            rule["Expiration"] = {"ExpiredObjectDeleteMarker": True}
        rules.append(rule)
    client.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": rules})
    if portal is not None:
        _, cors, _ = properties["CorsConfiguration"]["Fn::If"]
        (told,) = cors["CorsRules"]
        assert told["AllowedOrigins"] == [{"Ref": "Portal"}]
        uploads: Any = {
            "ID": told["Id"],
            "AllowedOrigins": [portal],
            "AllowedMethods": told["AllowedMethods"],
            "AllowedHeaders": told["AllowedHeaders"],
            "ExposeHeaders": told["ExposedHeaders"],
            "MaxAgeSeconds": told["MaxAge"],
        }
        client.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [uploads]})
