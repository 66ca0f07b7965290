"""Profiles, roles, sign-ins and addresses are boto3's business, as with every tool of AWS."""

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.credentials import SSOProvider
from botocore.tokens import SSOTokenProvider
from click.testing import CliRunner
from moto.core import set_initial_no_auth_action_count
from tests.integration.aws.worlds import dynamodb_client

from daylily.adapters.aws.clients import Clients
from daylily.adapters.aws.dynamodb import DynamoDBStateStore
from daylily.adapters.aws.s3 import S3ObjectStore
from daylily.adapters.aws.schema import create_table
from daylily.bootstrap import connect
from daylily.config import Settings, load
from daylily.domain.errors import InvalidInputError, NotFoundError, UnavailableError
from daylily.entrypoints.cli import cli

REGION = "eu-central-1"
TABLE = "daylily-worksets"


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a user of AWS tools, who has nothing in the environment."""
    for name in (
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
        *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"),
        *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ENDPOINT_URL"),
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    folder = tmp_path / ".aws"
    folder.mkdir()
    return folder


def settings(**environ: str) -> Settings:
    """Return what the environment says, as `daylily` reads it."""
    return load({}, {**os.environ, "S3_BUCKET": "acme-worksets", **environ}).settings


def store(found: Settings) -> DynamoDBStateStore:
    """Return the store that settings choose."""
    chosen = connect(found).store
    assert isinstance(chosen, DynamoDBStateStore)
    return chosen


# Addresses and regions


def test_addresses_and_region_of_a_profile(aws: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses may stand in a profile or in the environment, for all services or for one."""
    (aws / "config").write_text(
        f"[profile lab]\nregion = {REGION}\nservices = lab\nendpoint_url = http://all.example\n"
        "[services lab]\ns3 =\n  endpoint_url = http://s3.example\n"
    )
    (aws / "credentials").write_text("[lab]\naws_access_key_id = a\naws_secret_access_key = b\n")
    monkeypatch.setenv("AWS_PROFILE", "lab")

    world = connect(settings())
    assert isinstance(world.store, DynamoDBStateStore)
    assert isinstance(world.objects, S3ObjectStore)
    dynamodb, s3 = world.store.client.meta, world.objects.client.meta
    assert (dynamodb.endpoint_url, s3.endpoint_url) == ("http://all.example", "http://s3.example")
    assert (dynamodb.region_name, s3.region_name) == (REGION, REGION)

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://here.example")
    assert store(settings()).client.meta.endpoint_url == "http://here.example"
    assert store(settings(AWS_REGION="us-east-2")).client.meta.region_name == "us-east-2"


def test_what_boto3_cannot_make_sense_of(aws: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip in the name of a profile, or in an address, is bad input: monitors do not wait it out."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(InvalidInputError, match=r"nobody.*could not be found"):
        connect(settings())
    monkeypatch.delenv("AWS_PROFILE")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "store.example")
    with pytest.raises(InvalidInputError, match="Invalid endpoint"):
        connect(settings())


def test_settings_hold_no_keys(aws: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no setting of ours for a key, and none is shown."""
    keys = {"AWS_ACCESS_KEY_ID": "AKIATHEKEY", "AWS_SECRET_ACCESS_KEY": "the-secret"}
    for name, value in {**keys, "AWS_SESSION_TOKEN": "the-token", "S3_BUCKET": "acme"}.items():
        monkeypatch.setenv(name, value)
    for command in (["config", "show"], ["config", "show", "--json"]):
        shown = CliRunner().invoke(cli, command, catch_exceptions=False).stdout
        assert "acme" in shown
        for word in ("AKIATHEKEY", "the-secret", "the-token", "access_key", "session_token"):
            assert word not in shown


# Roles


def anybodys(service: str) -> Any:
    """Return a client of somebody who may do all."""
    client: Any = boto3.client
    return client(service, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")


@pytest.fixture
def role(aws: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make a role that may read the table, a user who may do nothing but assume it, and profiles."""
    create_table(dynamodb_client(region=REGION), TABLE)
    iam = anybodys("iam")
    user = iam.create_user(UserName="ada")["User"]["Arn"]
    arn: str = iam.create_role(
        RoleName="daylily",
        AssumeRolePolicyDocument=_allow("sts:AssumeRole", Principal={"AWS": user}),
    )["Role"]["Arn"]
    read = _allow("dynamodb:GetItem", Resource="*")
    iam.put_role_policy(RoleName="daylily", PolicyName="read", PolicyDocument=read)
    assume = _allow("sts:AssumeRole", Resource="*")
    iam.put_user_policy(UserName="ada", PolicyName="assume", PolicyDocument=assume)
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    (aws / "credentials").write_text(
        f"[ada]\naws_access_key_id = {key['AccessKeyId']}\n"
        f"aws_secret_access_key = {key['SecretAccessKey']}\n"
    )
    (aws / "config").write_text(
        f"[profile ada]\nregion = {REGION}\n"
        f"[profile lab]\nrole_arn = {arn}\nsource_profile = ada\nregion = {REGION}\n"
    )
    return arn


def _allow(action: str, **more: Any) -> str:
    statement = {"Effect": "Allow", "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _read(found: DynamoDBStateStore) -> None:
    found.get("nothing")


def test_a_role_that_a_profile_assumes(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_PROFILE is all it takes: boto3 assumes the role that it names, and works with its rights."""
    enforced = set_initial_no_auth_action_count(0)
    monkeypatch.setenv("AWS_PROFILE", "lab")
    with pytest.raises(NotFoundError):  # it may look, and there is nothing
        enforced(_read)(store(settings()))
    found = Clients().identity()
    assert (found.method, found.profile) == ("assume-role", "lab")
    assert str(found) == "a role that the profile assumes; profile lab"

    monkeypatch.setenv("AWS_PROFILE", "ada")
    with pytest.raises(UnavailableError, match=r"dynamodb:GetItem .* is not permitted"):
        enforced(_read)(store(settings()))


def test_a_role_that_cannot_be_assumed(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the role that is told of, and not the table that was to be read."""
    anybodys("iam").delete_user_policy(UserName="ada", PolicyName="assume")
    monkeypatch.setenv("AWS_PROFILE", "lab")
    enforced = set_initial_no_auth_action_count(0)

    with pytest.raises(UnavailableError, match="cannot get credentials by AssumeRole") as caught:
        enforced(_read)(store(settings()))
    assert "not permitted" not in str(caught.value)
    with pytest.raises(UnavailableError, match="cannot get credentials by AssumeRole"):
        enforced(lambda: Clients(region=REGION).identity())()


# Sign-ins


class _Portal(BaseHTTPRequestHandler):
    """What gives credentials to those who have signed in."""

    def do_GET(self) -> None:
        """Give a role's credentials to whoever has the token."""
        signed_in = self.headers["x-amz-sso_bearer_token"] == "signed-in"
        until = int((datetime.now(UTC) + timedelta(hours=1)).timestamp() * 1000)
        given = {
            "accessKeyId": "ASIAX",
            "secretAccessKey": "x",
            "sessionToken": "x",
            "expiration": until,
        }
        body = json.dumps({"roleCredentials": given} if signed_in else {"message": "no"}).encode()
        self.send_response(200 if signed_in else 401)
        if not signed_in:
            self.send_header("x-amzn-ErrorType", "UnauthorizedException")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002
        """Keep quiet."""


@pytest.fixture
def portal(aws: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the file that holds the token of a sign-in; there is none yet."""
    (aws / "config").write_text(
        f"[profile lab]\nsso_session = acme\nsso_account_id = 123456789012\n"
        f"sso_role_name = daylily\nregion = {REGION}\n"
        f"[sso-session acme]\nsso_region = {REGION}\nsso_start_url = https://acme.awsapps.com/start\n"
        "sso_registration_scopes = sso:account:access\n"
    )
    cache = aws / "sso" / "cache"
    cache.mkdir(parents=True)
    # Found in the home at import, which is that of whoever runs the tests.
    for provider in (SSOTokenProvider, SSOProvider):
        monkeypatch.setattr(provider, "_SSO_TOKEN_CACHE_DIR", str(cache))
    server = HTTPServer(("127.0.0.1", 0), _Portal)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_PROFILE", "lab")
    yield cache / f"{hashlib.sha1(b'acme').hexdigest()}.json"  # noqa: S324 - the name that AWS gives it
    server.shutdown()
    thread.join()
    server.server_close()


def sign_in(file: Path, token: str, until: timedelta) -> None:
    """Do what `aws sso login` does."""
    expires = (datetime.now(UTC) + until).strftime("%Y-%m-%dT%H:%M:%SZ")
    file.write_text(json.dumps({"accessToken": token, "expiresAt": expires, "region": REGION}))


def test_a_sign_in(portal: Path) -> None:
    """After `aws sso login`, AWS_PROFILE is all it takes."""
    sign_in(portal, "signed-in", timedelta(hours=8))
    create_table(dynamodb_client(region=REGION), TABLE)
    with pytest.raises(NotFoundError):
        _read(store(settings()))
    assert str(Clients().identity()) == "a sign-in (SSO); profile lab"


def test_a_sign_in_that_ran_out(portal: Path) -> None:
    """Whoever has not signed in, or not since yesterday, is told to do so, whatever they ask for."""
    for token, until in ((None, None), ("old", timedelta(-1)), ("revoked", timedelta(hours=8))):
        if token and until:
            sign_in(portal, token, until)
        with pytest.raises(UnavailableError, match="aws sso login"):
            Clients().identity()
        with pytest.raises(UnavailableError, match=rf"GetItem on table {TABLE}.*aws sso login"):
            _read(store(settings()))
    told = CliRunner().invoke(cli, ["list"], env={"S3_BUCKET": "acme"}, catch_exceptions=False)
    assert told.exit_code == 5
    assert told.stderr.startswith("error: dynamodb does not answer")
    assert "Traceback" not in told.stderr
