"""AWS as moto serves it to other processes, and an installation there under the guide's names."""

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import boto3
import httpx
from attrs import define, field, frozen
from moto.server import ThreadedMotoServer
from tests.integration.guide.guide import ROOT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

TABLE: Final = "daylily-worksets"
BUCKET: Final = "daylily-worksets-bucket"
REGION: Final = "us-west-2"
BASH: Final = shutil.which("bash") or "bash"

CREDENTIALS: Final = "[default]\naws_access_key_id = test\naws_secret_access_key = test\n"
TOPIC: Final = "arn:aws:sns:us-west-2:123456789:workset-notifications"
PIPELINES: Final = """\
pipelines:
  germline:
    command:
      - "{python}"
      - -c
      - "import pathlib, sys; pathlib.Path(sys.argv[1], 'calls.vcf').write_text(sys.argv[2])"
      - "{results_dir}"
      - "{reference_genome}"
"""
"""What a site has to say of a pipeline before it can be run there."""


@contextmanager
def moto_server() -> Iterator[str]:
    """Serve AWS on loopback; yield the address."""
    # A line for each request would hide what a failing test has to say.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@frozen
class Site:
    """A machine that is set up for the guide: its variables, its stores, its files."""

    folder: Path
    endpoint: str
    environment: dict[str, str]

    @classmethod
    def new(cls, folder: Path, endpoint: str) -> "Site":
        """Return one whose stores ``daylily init`` has made."""
        (folder / "credentials").write_text(CREDENTIALS)
        (folder / "daylily.yaml").write_text(PIPELINES)
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "DAYLILY_", "LINEAR_", "COGNITO_", "S3_", "SNS_"))
        }
        environment = {
            **clean,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
            "AWS_CONFIG_FILE": str(folder / "no-profiles"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_REGION": REGION,
            "DAYLILY_HOME": str(folder / "home"),
            "DAYLILY_CONFIG": str(folder / "daylily.yaml"),
            # Those of the guide's own examples.
            "WORKSET_BUCKET": BUCKET,
            "WORKSET_TABLE": TABLE,
            "BUCKET": BUCKET,
            "TABLE": TABLE,
            "LINEAR_API_KEY": "lin_api_0123456789abcdef",
            "LINEAR_TEAM_ID": "team-7",
            # Whatever a test forgets, nobody out there is told.
            "DAYLILY_LINEAR_URL": "http://127.0.0.1:9/graphql",
        }
        site = cls(folder, endpoint, environment)
        httpx.post(f"{endpoint}/moto-api/reset").raise_for_status()
        site.run("daylily", "init", "--yes", S3_BUCKET=BUCKET)
        site.create_topic()
        return site

    def create_topic(self) -> None:
        """Have the guide's topic there: of an account that is not the one that all else is in."""
        own = boto3.client("sts", **self._reached())
        role = f"arn:aws:iam::{TOPIC.split(':')[4]}:role/owner"
        theirs = own.assume_role(RoleArn=role, RoleSessionName="owner")["Credentials"]
        boto3.client(
            "sns",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=theirs["AccessKeyId"],
            aws_secret_access_key=theirs["SecretAccessKey"],
            aws_session_token=theirs["SessionToken"],
        ).create_topic(Name=TOPIC.rpartition(":")[2])

    def run(self, *words: str, **more: str) -> str:
        """Run a command that must go well, and return what it printed."""
        done = subprocess.run(
            words,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            cwd=self.folder,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def s3(self) -> "S3Client":
        """A client of S3."""
        return boto3.client("s3", **self._reached())

    @property
    def dynamodb(self) -> "DynamoDBClient":
        """A client of DynamoDB."""
        return boto3.client("dynamodb", **self._reached())

    @property
    def cognito(self) -> Any:
        """A client of Cognito."""
        return boto3.client("cognito-idp", **self._reached())

    def _reached(self) -> dict[str, Any]:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return {"endpoint_url": self.endpoint, "region_name": REGION, **keys}

    def row(self, workset_id: str) -> dict[str, Any]:
        """Return a workset's row as it is stored."""
        got = self.dynamodb.get_item(TableName=TABLE, Key={"workset_id": {"S": workset_id}})
        return {name: next(iter(value.values())) for name, value in got.get("Item", {}).items()}

    def names(self, workset_id: str) -> set[str]:
        """Return what stands in a workset's directory, whatever its depth."""
        prefix = f"worksets/{workset_id}/"
        got = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return {each["Key"].removeprefix(prefix) for each in got.get("Contents", ())}

    def put(self, workset_id: str, name: str, body: bytes = b"") -> None:
        """Put a file into a workset's directory."""
        self.s3.put_object(Bucket=BUCKET, Key=f"worksets/{workset_id}/{name}", Body=body)

    @contextmanager
    def running(self, command: str, **more: str) -> Iterator["Running"]:
        """Start a command as a shell would, and end it by SIGTERM."""
        process = subprocess.Popen(
            # The shell fills in variables, and is then replaced: the signal is for the command.
            [BASH, "-c", f"exec {command}"],
            env={**self.environment, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )
        assert process.stdout is not None
        running = Running(process, process.stdout)
        try:
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise
            running.close()


@define
class Running:
    """A command that goes on, and what it prints."""

    process: subprocess.Popen[str]
    _output: IO[str]
    _said: list[str] = field(init=False, factory=list)
    _news: threading.Condition = field(init=False, factory=threading.Condition)
    _ended: bool = field(init=False, default=False)
    _reader: threading.Thread = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._output:
            with self._news:
                self._said.append(line)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    @property
    def said(self) -> str:
        """All that it has printed so far."""
        with self._news:
            return "".join(self._said)

    def says(self, text: str) -> str:
        """Wait until it prints a line with *text*, and return that line."""
        with self._news:
            found = self._news.wait_for(
                lambda: self._ended or any(text in line for line in self._said), timeout=120
            )
            lines = [line for line in self._said if text in line]
        assert found, f"it says neither {text!r} nor goodbye:\n{self.said}"
        assert lines, f"it never said {text!r}:\n{self.said}"
        return lines[0]

    def close(self) -> None:
        """Let go of what it was read by."""
        self._reader.join()
        self._output.close()

    @property
    def exit_code(self) -> int | None:
        """Its exit code, once it has ended."""
        return self.process.returncode


def port_of(printed: int) -> int:
    """Return the port that is printed, or a free one where another process has that."""
    for port in (printed, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise AssertionError("there is no free port")


def other_address() -> str | None:
    """Return an address of this machine that is not loopback, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])
