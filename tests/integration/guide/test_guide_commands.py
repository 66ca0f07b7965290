"""Every command of the guide runs as it is printed; what goes on is observed, and ended by SIGTERM."""

import json
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from tests.integration.guide.guide import Command, blocks, commands
from tests.integration.guide.world import BASH, BUCKET, TABLE, Site, other_address, port_of
from tests.integration.notices.linear_server import Linear, linear_server

COMMANDS: Final = commands()
MONITORS: Final = [each for each in COMMANDS if each.words[0] == "daylily-workset-monitor"]
OPEN: Final = shutil.which("openssl") or "openssl"
TOKEN: Final = "a-token-that-only-the-operator-has"


def the(*words: str) -> Command:
    """Return the one command that begins with these words."""
    (found,) = [each for each in COMMANDS if each.words[: len(words)] == words]
    return found


UVICORN: Final = the("python", "-m", "uvicorn")
OPENSSL: Final = the("openssl", "req")
HTTPS: Final = the("python", "examples/run_api_with_auth.py")
CURL: Final = the("curl", "-X", "POST")
EXPORT: Final = the("export")


@pytest.fixture
def linear() -> Iterator[Linear]:
    """A Linear that answers."""
    with linear_server() as server:
        yield server


def test_there_is_a_test_for_each() -> None:
    """A command that is added to the guide needs one, too."""
    assert {*MONITORS, UVICORN, OPENSSL, HTTPS, CURL, EXPORT} == {*COMMANDS}
    assert [each.words[1:] for each in MONITORS] == [
        (
            *("--bucket", BUCKET, "--prefix", "worksets/"),
            *("--dynamodb-table", TABLE, "--dynamodb-region", "us-west-2"),
        ),
        (
            *("--bucket", BUCKET, "--prefix", "worksets/"),
            *("--dynamodb-table", TABLE, "--dynamodb-region", "us-west-2"),
            *("--sns-topic-arn", "arn:aws:sns:us-west-2:123456789:workset-notifications"),
            *("--linear-api-key", "$LINEAR_API_KEY", "--linear-team-id", "$LINEAR_TEAM_ID"),
        ),
        (
            *("--bucket", "$WORKSET_BUCKET", "--dynamodb-table", "$WORKSET_TABLE"),
            *("--poll-interval", "60"),
        ),
        ("--bucket", "$BUCKET", "--dynamodb-table", "$TABLE"),
    ]
    assert EXPORT.text == "export DAYLILY_LOG_LEVEL=DEBUG"


@pytest.mark.parametrize("command", MONITORS, ids=lambda command: command.name)
def test_a_monitor_runs_what_it_finds(site: Site, linear: Linear, command: Command) -> None:
    """It takes up what is in the table and what was dropped into the bucket, and stops when asked."""
    site.put(
        "dropped-1",
        "daylily_work.yaml",
        b"pipeline: germline\nsamples:\n  - id: HG002\n    r1: s3://r/a.fastq\n",
    )
    site.put("dropped-1", "daylily.ready", b"20251016T111111")
    more = {
        "DAYLILY_LINEAR_URL": linear.url,
        # Set before the last of them, as the guide has it.
        "DAYLILY_LOG_LEVEL": "DEBUG" if command is MONITORS[-1] else "INFO",
    }
    with site.running(command.text, **more) as monitor:
        monitor.says("cycle done")
    assert monitor.exit_code == 0, monitor.said
    assert "monitor stopped" in monitor.said
    assert site.row("dropped-1")["state"] == "in_progress"
    assert "daylily.in_progress" in site.names("dropped-1")
    assert ("credentials: " in monitor.said) is (command is MONITORS[-1])
    assert site.environment["LINEAR_API_KEY"] not in monitor.said


def test_a_workset_of_the_guide_runs_to_its_end(site: Site, linear: Linear) -> None:
    """Registered as printed, run by a monitor as printed: complete in both ledgers, and people know."""
    site.run("python", "-c", blocks("python")[0].text)
    with site.running(MONITORS[0].text, DAYLILY_LINEAR_URL=linear.url) as monitor:
        monitor.says("state=complete")
    assert site.row("customer-ws-001")["state"] == "complete"
    names = site.names("customer-ws-001")
    assert {name for name in names if name.startswith("daylily.")} == {"daylily.complete"}
    assert "results/attempt-1/calls.vcf" in names
    assert [issue["title"] for issue in linear.issues.values()] == [
        "[Daylily] customer-ws-001 - complete"
    ]


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (f"--bucket gone-{BUCKET}", "s3:ListBucket: there is no bucket"),
        (f"--bucket {BUCKET} --dynamodb-table gone", "there is no table gone"),
        ("--dynamodb-table gone", "S3_BUCKET"),
        (f"--bucket {BUCKET} --sns-topic-arn notifications", "sns_topic_arn"),
        (f"--bucket {BUCKET} --linear-api-key $NOT_SET --linear-team-id x", "variable empty"),
    ],
)
def test_d63_what_is_not_set_up_stops_it(site: Site, flags: str, told: str) -> None:
    """With what is wrong, and an exit code; it never runs on without it."""
    with site.running(f"daylily-workset-monitor {flags}") as monitor:
        monitor.says(told)
        monitor.process.wait(30)
    assert monitor.exit_code in {2, 5}
    assert "monitor started" not in monitor.said


def test_a_dry_run_writes_nothing(site: Site) -> None:
    """Not even what monitors do by the way with rows of systems of old."""
    site.run("python", "-c", blocks("python")[0].text)
    old = {"workset_id": "old-1", "state": "ready", "priority": "urgent", "created_at": "2026-01-14"}
    site.dynamodb.put_item(TableName=TABLE, Item={name: {"S": text} for name, text in old.items()})
    there = site.names("customer-ws-001"), site.row("customer-ws-001"), site.row("old-1")

    told = site.run("bash", "-c", f"{MONITORS[0].text} --dry-run")

    assert "customer-ws-001  ready  normal    launch" in told
    assert (site.names("customer-ws-001"), site.row("customer-ws-001"), site.row("old-1")) == there


def test_the_server_of_the_guide(site: Site) -> None:
    """On all addresses, and yet it serves its own machine alone; estimate and health are open."""
    port = port_of(8000)
    command = UVICORN.text.replace("8000", str(port))
    with site.running(command, S3_BUCKET=BUCKET) as server:
        server.says("Uvicorn running on http://0.0.0.0")
        here = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{here}/worksets").json() == []
        forwarded = {"x-forwarded-for": "127.0.0.1"}
        assert httpx.get(f"{here}/worksets", headers=forwarded).status_code == 401
        address = other_address()
        if address is not None:
            there = f"http://{address}:{port}"
            refused = httpx.get(f"{there}/worksets")
            assert (refused.status_code, "DAYLILY_TOKEN" in refused.text) == (401, True)
            assert httpx.get(f"{there}/health/ready").json()["status"] == "ready"
            assert httpx.post(f"{there}/api/estimate-cost", json=ESTIMATE).status_code == 200
    # uvicorn's way to say that it was told to stop, after it has.
    assert server.exit_code == -signal.SIGTERM
    assert "Application shutdown complete" in server.said


def test_the_server_takes_in_what_the_monitor_runs(site: Site) -> None:
    """The two processes of the guide's first deployment share the table and the bucket."""
    port = port_of(8000)
    command = UVICORN.text.replace("8000", str(port))
    with site.running(command, S3_BUCKET=BUCKET, DAYLILY_TOKEN=TOKEN) as server:
        server.says("Uvicorn running on")
        headers = {"authorization": f"Bearer {TOKEN}"}
        url = f"http://127.0.0.1:{port}/api/customers/local"
        with httpx.Client(headers=headers) as client:
            put = client.put(f"{url}/files/a_R1.fastq", content=b"@r\nACGT\n+\nIIII\n")
            assert put.status_code == 201, put.text
            sample = {"sample_id": "HG002", "r1_file": "a_R1.fastq"}
            body = {"workset_name": "trio", "pipeline_type": "fastq-qc", "samples": [sample]}
            made = client.post(f"{url}/worksets", json=body)
            assert made.status_code == 201, made.text
            workset_id = made.json()["workset_id"]
            assert {"daylily_work.yaml", "daylily.ready"} <= site.names(workset_id)
            assert site.row(workset_id)["state"] == "ready"
            with site.running(MONITORS[-1].text, LINEAR_API_KEY="", LINEAR_TEAM_ID="") as monitor:
                monitor.says("state=complete")
            assert client.get(f"{url}/worksets/{workset_id}").json()["state"] == "complete"


def test_settings_that_are_wrong_keep_the_server_from_starting(site: Site) -> None:
    """It says which, and ends."""
    command = UVICORN.text.replace("8000", str(port_of(8000)))
    with site.running(command, S3_BUCKET="No Bucket") as server:
        server.says("is no name of an S3 bucket")
        server.process.wait(30)
    assert server.exit_code == 3


ESTIMATE: Final = {"pipeline_type": "germline", "reference_genome": "GRCh38", "sample_count": 5}


def test_the_request_of_the_guide(site: Site) -> None:
    """It costs 13.04 USD, without a token; the parts add up."""
    port = port_of(8001)
    command = UVICORN.text.replace("8000", str(port))
    with site.running(command, DAYLILY_TOKEN=TOKEN) as server:
        server.says("Uvicorn running on")
        answer = json.loads(site.run("bash", "-c", CURL.text.replace("8001", str(port))))
    assert answer["estimated_cost_usd"] == 13.04
    parts = ("compute_cost_usd", "storage_cost_usd", "transfer_cost_usd")
    assert sum(answer[part] for part in parts) == pytest.approx(13.04)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the guide's recipe has made a certificate."""
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run([BASH, "-c", OPENSSL.text], cwd=folder, check=True, capture_output=True, timeout=120)
    return folder


def test_the_certificate_of_the_guide(certificate: Path) -> None:
    """A year, no passphrase, for localhost."""
    shown = subprocess.run(
        [OPEN, "x509", "-in", "cert.pem", "-noout", "-subject", "-text"],
        cwd=certificate,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "CN = localhost" in shown or "CN=localhost" in shown
    assert "4096 bit" in shown
    assert "PRIVATE KEY" in (certificate / "key.pem").read_text()


def test_https_of_the_guide(site: Site, certificate: Path) -> None:
    """With the certificate of the guide; TLS 1.2 or later, for people of a pool and the operator."""
    port = port_of(8443)
    pool = json.loads(site.run("daylily", "auth", "create-pool", "--json"))
    site.run("daylily", "auth", "create-user", "ada@lab.example", S3_BUCKET=BUCKET, **_of(site, pool))
    site.cognito.admin_set_user_password(
        UserPoolId=pool["user_pool_id"],
        Username="ada@lab.example",
        Password=f"{TOKEN.title()}1",
        Permanent=True,
    )
    command = HTTPS.text.replace("8443", str(port))
    for printed, made in (
        ("/etc/ssl/certs/server.pem", certificate / "cert.pem"),
        ("/etc/ssl/private/server-key.pem", certificate / "key.pem"),
    ):
        assert printed in command
        command = command.replace(printed, str(made))
    more = {"S3_BUCKET": BUCKET, "DAYLILY_TOKEN": TOKEN, **_of(site, pool)}
    with site.running(command, **more) as server:
        server.says(f"daylily is up at https://0.0.0.0:{port}")
        url = f"https://localhost:{port}"
        trusting = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
        with httpx.Client(verify=trusting) as client:
            assert client.post(f"{url}/api/estimate-cost", json=ESTIMATE).status_code == 200
            assert client.get(f"{url}/worksets").status_code == 401
            headers = {"authorization": f"Bearer {TOKEN}"}
            assert client.get(f"{url}/worksets", headers=headers).json() == []
            ada = {"name": "ada@lab.example", "password": f"{TOKEN.title()}1"}
            token = client.post(f"{url}/api/auth/sign-in", json=ada).json()["token"]
            headers = {"authorization": f"Bearer {token}"}
            me = client.get(f"{url}/api/auth/me", headers=headers).json()
            assert (me["name"], me["customer_id"], me["role"]) == (ada["name"], "local", "user")
            forged = {"authorization": f"Bearer {token[:-8]}AAAAAAAA"}
            assert client.get(f"{url}/api/auth/me", headers=forged).status_code == 401
        for version, taken in (("1.1", False), ("1.2", True), ("1.3", True)):
            assert _speaks(f"localhost:{port}", version) is taken
    assert server.exit_code == 0, server.said


def _of(site: Site, pool: dict[str, str]) -> dict[str, str]:
    """Return the variables that name a pool, and where moto has its keys."""
    return {
        "COGNITO_USER_POOL_ID": pool["user_pool_id"],
        "COGNITO_APP_CLIENT_ID": pool["app_client_id"],
        "DAYLILY_JWKS_URL": f"{site.endpoint}/{pool['user_pool_id']}/.well-known/jwks.json",
    }


def test_https_needs_a_pool(site: Site, certificate: Path) -> None:
    """S-30: Without the ids of Cognito it does not serve."""
    command = f"python examples/run_api_with_auth.py --https --cert {certificate}/cert.pem"
    with site.running(f"{command} --key {certificate}/key.pem") as server:
        server.says("error: COGNITO_USER_POOL_ID and COGNITO_APP_CLIENT_ID are needed")
        server.process.wait(30)
    assert server.exit_code == 1


def _speaks(address: str, version: str) -> bool:
    done = subprocess.run(
        [OPEN, "s_client", "-connect", address, f"-tls{version.replace('.', '_')}", "-brief"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=30,
    )
    return done.returncode == 0


@pytest.mark.parametrize(
    "given", ["--https", "--https --cert {here}/cert.pem", "--https --cert {here}/x --key {here}/y"]
)
def test_https_needs_both_files(site: Site, certificate: Path, given: str) -> None:
    """Without them it does not serve anything else instead."""
    command = f"python examples/run_api_with_auth.py {given.format(here=certificate)}"
    with site.running(command) as server:
        server.says("error:")
        server.process.wait(30)
    assert server.exit_code == 1
