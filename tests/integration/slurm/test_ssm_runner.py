"""Commands through Systems Manager: what is sent, what comes back, and what is no answer."""

import getpass
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from tests.integration.slurm.systems_manager import SystemsManager

from daylily.adapters.slurm.ssm import HeadNodeOf, SSMRunner
from daylily.domain.errors import RejectedError, UnavailableError

INSTANCE = "i-0123456789abcdef0"
NASTY = "$(touch pwned) `id` ; rm -rf / \"'\\\n* é {{ssm:secret}} {{ commands }}"


@pytest.fixture
def manager(tmp_path: Path) -> SystemsManager:
    """Return a Systems Manager whose only instance is this machine."""
    return SystemsManager(tmp_path)


def runner_of(client: Any, **more: Any) -> SSMRunner:
    """Return a runner that does not wait."""
    given: dict[str, Any] = {"user": getpass.getuser(), "pause": lambda _: None} | more
    return SSMRunner(client=client, instance=lambda: INSTANCE, **given)


def test_words_and_input_stay_what_they_are(manager: SystemsManager) -> None:
    """Nothing of a command or its input is read by a shell, or by Systems Manager; its code is told."""
    program = "import sys; print(ascii(sys.argv[1:]), ascii(sys.stdin.read())); sys.exit(7)"

    found = runner_of(manager).run([sys.executable, "-c", program, NASTY, ""], given=NASTY.encode())

    assert (found.code, found.complaint) == (7, "")
    assert found.output.decode().strip() == f"{[NASTY, '']!a} {NASTY!a}"
    (script,) = manager.scripts
    assert "ssm:" not in script
    assert "pwned" not in script
    assert not any(folder.exists() for folder in manager.folders)


def test_complaints(manager: SystemsManager) -> None:
    """What it writes to stderr comes back too, the end of it."""
    program = "import sys; sys.stderr.write('x' * 10000 + 'Invalid job id'); sys.exit(1)"

    found = runner_of(manager).run([sys.executable, "-c", program])

    assert (found.code, found.output) == (1, b"")
    assert found.complaint.endswith("Invalid job id")


@pytest.mark.parametrize("size", [0, 1, 15_000, 100_000])
def test_more_than_an_answer_holds(manager: SystemsManager, size: int) -> None:
    """Output of any size and content comes back whole, and nothing of it is left there."""
    program = f"import random, sys; r = random.Random(1); sys.stdout.buffer.write(r.randbytes({size}))"

    found = runner_of(manager).run([sys.executable, "-c", program])

    assert len(found.output) == size
    assert (len(manager.scripts) > 1) == (size > 14_000)
    assert not any(folder.exists() for folder in manager.folders)


def test_as_a_user_who_has_logged_in(manager: SystemsManager) -> None:
    """Jobs are the user's, and commands are found where the profile of the cluster puts them."""
    found = runner_of(manager).run(["sh", "-c", "echo $LOGGED_IN_AS"])

    assert found.output.decode().strip() == getpass.getuser()


@pytest.mark.parametrize("user", ["", "root; id", "-x", "Root", "a b"])
def test_no_other_words_for_a_user(manager: SystemsManager, user: str) -> None:
    """The name of the user is the one word of ours in the script, and is a name."""
    with pytest.raises(ValueError, match="no name of a user"):
        runner_of(manager, user=user)


def test_too_large_to_be_sent(manager: SystemsManager) -> None:
    """What can never be sent is refused, and not tried for ever."""
    with pytest.raises(RejectedError, match="more than Systems Manager takes"):
        runner_of(manager).run(["cat"], given=os.urandom(60_000))
    assert manager.scripts == []


def test_a_shell_that_does_not_do_as_it_is_told(manager: SystemsManager, tmp_path: Path) -> None:
    """An answer that is not ours is no answer: nothing is known then."""
    (tmp_path / "mktemp").write_text("#!/bin/sh\necho no space left >&2\nexit 1\n")
    (tmp_path / "mktemp").chmod(0o755)

    with pytest.raises(UnavailableError, match="no space left"):
        runner_of(manager).run(["true"])


@pytest.fixture(scope="module")
def client() -> Any:
    """Return a client; making one takes longer than these tests do."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.Session(region_name="us-east-1", **keys).client("ssm")  # type: ignore[arg-type]


@pytest.fixture
def ssm(client: Any) -> Iterator[Stubber]:
    """Return what answers in the place of Systems Manager, which checks what it is asked."""
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def sent(ssm: Stubber) -> None:
    """Have one command sent."""
    asked = {
        "InstanceIds": [INSTANCE],
        "DocumentName": "AWS-RunShellScript",
        "Parameters": {"commands": ANY, "executionTimeout": ["90"]},
        "TimeoutSeconds": 30,
        "Comment": "daylily",
    }
    command = {"CommandId": "0123456789012345678901234567890123456", "InstanceIds": [INSTANCE]}
    command["CommandId"] = "01234567-89ab-cdef-0123-456789abcdef"
    ssm.add_response("send_command", {"Command": command}, asked)


@pytest.mark.parametrize(
    ("status", "details"),
    [
        ("TimedOut", "DeliveryTimedOut"),
        ("TimedOut", "ExecutionTimedOut"),
        ("Cancelled", "Cancelled"),
        ("Failed", "Undeliverable"),
        ("Failed", "Terminated"),
    ],
)
def test_d_27_no_answer_is_no_failure(client: Any, ssm: Stubber, status: str, details: str) -> None:
    """D-27: a head node that could not be asked has said nothing about any job."""
    sent(ssm)
    ssm.add_client_error("get_command_invocation", "InvocationDoesNotExist")
    ssm.add_response("get_command_invocation", {"Status": "Pending", "StatusDetails": "Pending"})
    ssm.add_response("get_command_invocation", {"Status": status, "StatusDetails": details})

    with pytest.raises(UnavailableError, match=details):
        runner_of(client).run(["squeue"])


@pytest.mark.parametrize("call", ["send_command", "get_command_invocation"])
@pytest.mark.parametrize(
    "code", ["ThrottlingException", "InvalidInstanceId", "InternalServerError", "AccessDeniedException"]
)
def test_d_27_systems_manager_does_not_answer(client: Any, ssm: Stubber, call: str, code: str) -> None:
    """D-27: throttled, broken, forbidden or without an agent there: nothing is known."""
    if call == "get_command_invocation":
        sent(ssm)
    ssm.add_client_error(call, code, "said")

    with pytest.raises(UnavailableError, match="said"):
        runner_of(client).run(["squeue"])


def test_it_is_given_up_after_a_while(client: Any, ssm: Stubber) -> None:
    """A command without an end keeps nobody waiting for ever."""
    seconds = iter(range(0, 1000, 40))
    sent(ssm)
    for _ in range(2):
        ssm.add_response("get_command_invocation", {"Status": "InProgress"})

    with pytest.raises(UnavailableError, match="gave up after 90 s"):
        runner_of(client, now=lambda: float(next(seconds))).run(["squeue"])


def head_nodes(*found: str) -> Callable[[], str]:
    """Return what looks for a head node, where EC2 tells of these."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    ec2 = boto3.Session(region_name="us-east-1", **keys).client("ec2")  # type: ignore[arg-type]
    stubber = Stubber(ec2)
    filters = [
        {"Name": "tag:parallelcluster:cluster-name", "Values": ["night"]},
        {"Name": "tag:parallelcluster:node-type", "Values": ["HeadNode"]},
        {"Name": "instance-state-name", "Values": ["running"]},
    ]
    for instance in found:
        instances = [{"InstanceId": name} for name in instance.split()]
        answer = {"Reservations": [{"Instances": [each]} for each in instances]}
        stubber.add_response("describe_instances", answer, {"Filters": filters})
    stubber.activate()
    return HeadNodeOf(client=ec2, cluster="night")


def test_d_37_a_cluster_that_was_made_anew() -> None:
    """D-37: the head node is looked for each time, by its cluster's name, and has no public address."""
    find = head_nodes("i-1", "i-2")

    assert [find(), find()] == ["i-1", "i-2"]


@pytest.mark.parametrize("found", ["", "i-1 i-2"])
def test_d_38_no_other_cluster_is_taken(found: str) -> None:
    """D-38: where there is not just the one head node of that name, no other is taken in its place."""
    with pytest.raises(UnavailableError, match=r"cluster night has \d head nodes that run"):
        head_nodes(found)()
