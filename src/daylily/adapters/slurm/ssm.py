"""
Commands on a head node without a public address, keys or open ports: through AWS Systems Manager.

SendCommand takes a script for a shell, and nothing for its standard input; Systems Manager itself fills
in what looks like ``{{ssm:name}}``. So no word of ours stands in that script: command and input go in
Base64, and become files there. What a command has written comes back the same way, in parts, since an
answer has 24,000 characters at most.
"""

import base64
import binascii
import gzip
import re
import shlex
import time
import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen
from botocore.exceptions import ClientError

from daylily.adapters.aws.engine_policies import CLUSTER_TAG, HEAD, NODE_TAG
from daylily.adapters.aws.errors import code, reported
from daylily.adapters.slurm.runner import Finished
from daylily.domain.errors import RejectedError, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ssm import SSMClient

UBUNTU: Final = "ubuntu"
"""Whom ParallelCluster lets in, where it runs Ubuntu."""

_DOCUMENT: Final = "AWS-RunShellScript"
_INPUT_MOST: Final = 60_000
"""Characters of a script; SendCommand refuses more than some 64 KiB."""
_PART: Final = 20_000
"""Characters of an answer; GetCommandInvocation cuts off what is beyond 24,000."""
_DELIVERY: Final = 30
"""Seconds, the least that SendCommand takes, after which an agent that is not there is given up."""
_UNDER_WAY: Final = frozenset({"Pending", "InProgress", "Delayed", "Cancelling"})
_WAITS: Final = (0.3, 0.3, 0.5, 0.5)
_LONGEST_WAIT: Final = 1.0
_USER: Final = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_FOLDER: Final = re.compile(r"/tmp/daylily\.[A-Za-z0-9]{8,}")  # noqa: S108 made there, for us alone

_SCRIPT: Final = """\
umask 077
d=$(mktemp -d /tmp/daylily.XXXXXXXXXX) || exit 90
for each in run:{run} in:{given}; do
  printf %s "${{each#*:}}" | base64 -d | gzip -dc > "$d/${{each%%:*}}" || exit 91
done
chown -R {user} "$d" || exit 92
runuser -l {user} -c ". $d/run" < "$d/in" > "$d/out" 2> "$d/err"
code=$?
gzip -c "$d/out" | base64 -w 0 > "$d/told" || exit 93
size=$(wc -c < "$d/told")
echo "daylily $code $size $d"
head -c {part} "$d/told"
tail -c 4000 "$d/err" >&2
[ "$size" -gt {part} ] || rm -rf "$d"
"""
_MORE: Final = 'tail -c +{first} "{folder}/told" | head -c {part}\n'


def _sound_user(_: object, __: object, user: str) -> None:
    if not _USER.fullmatch(user):
        raise ValueError(f"{user!r} is no name of a user")


@frozen(kw_only=True, eq=False)
class SSMRunner:
    """
    Runs commands on a head node through Systems Manager, as a user who has logged in there.

    A command that was asked for may run late, when this has long been given up: what SlurmCompute asks
    for may.

    Args:
        client: Asks Systems Manager.
        instance: Returns the id of the head node. It is asked each time: clusters are made anew.
        user: Whose the commands and the jobs are.
        timeout: Seconds after which a command is given up.
        pause: Waits so many seconds.
        now: Seconds that only grow.
    """

    client: "SSMClient"
    instance: Callable[[], str]
    user: str = field(default=UBUNTU, validator=_sound_user)
    timeout: float = 90.0
    pause: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic

    def run(self, arguments: Sequence[str], *, given: bytes = b"") -> Finished:
        """
        Run a command to its end; see Runner.run.

        Raises:
            RejectedError: It is too large to be sent.
        """
        instance = self.instance()
        script = _SCRIPT.format(
            run=_packed(f"exec {shlex.join(arguments)}\n".encode()),
            given=_packed(given),
            user=self.user,
            part=_PART,
        )
        if len(script) > _INPUT_MOST:
            raise RejectedError(
                f"{arguments[0]}: {len(script)} characters are more than Systems Manager takes"
            )
        told, complaint = self._answer(instance, script)
        head, _, data = told.partition("\n")
        exit_code, size, folder = self._head(head, complaint)
        while len(data) < size:
            part, _ = self._answer(
                instance, _MORE.format(first=len(data) + 1, folder=folder, part=_PART)
            )
            if not part:
                raise UnavailableError(f"{instance} has lost what {arguments[0]} has written")
            data += part
        if size > _PART:
            self._answer(instance, f'rm -rf "{folder}"\n')
        return Finished(exit_code, _unpacked(data), complaint)

    def _head(self, line: str, complaint: str) -> tuple[int, int, str]:
        word, *rest = line.split() or [""]
        if word == "daylily" and len(rest) == 3 and _FOLDER.fullmatch(rest[2]):
            return int(rest[0]), int(rest[1]), rest[2]
        said = complaint.strip()[-500:] or line[:80]
        raise UnavailableError(f"the head node does not do what it is asked: {said}")

    def _answer(self, instance: str, script: str) -> tuple[str, str]:
        """Run a script; return what it has written, to both streams."""
        end = self.now() + self.timeout
        with reported("ssm", "SendCommand", f"instance {instance}"):
            sent = self.client.send_command(
                InstanceIds=[instance],
                DocumentName=_DOCUMENT,
                Parameters={
                    "commands": [script],
                    "executionTimeout": [str(int(self.timeout))],
                },
                TimeoutSeconds=_DELIVERY,
                Comment="daylily",
            )
        command = sent["Command"]["CommandId"]
        waits = iter(_WAITS)
        while self.now() < end:
            self.pause(next(waits, _LONGEST_WAIT))
            found = self._invocation(command, instance)
            if found is not None and found["Status"] not in _UNDER_WAY:
                break
        else:
            raise UnavailableError(f"{instance} does not answer: gave up after {self.timeout:g} s")
        if found["Status"] != "Success":
            status = found.get("StatusDetails") or found["Status"]
            said = str(found.get("StandardErrorContent", "")).strip()[-500:]
            raise UnavailableError(f"{instance} does not answer: {status} {said}".rstrip())
        return found["StandardOutputContent"], found.get("StandardErrorContent", "")

    def _invocation(self, command: str, instance: str) -> Any:
        """Return how a command stands; None while Systems Manager has not got round to it."""
        with reported("ssm", "GetCommandInvocation", f"instance {instance}"):
            try:
                return self.client.get_command_invocation(CommandId=command, InstanceId=instance)
            except ClientError as error:
                if code(error) == "InvocationDoesNotExist":
                    return None
                raise


@frozen(kw_only=True, eq=False)
class HeadNodeOf:
    """
    Finds the head node of a ParallelCluster by the tags that it gives to its instances.

    Args:
        client: Asks EC2.
        cluster: Its name.
    """

    client: "EC2Client"
    cluster: str

    def __call__(self) -> str:
        """
        Return the id of the instance.

        Raises:
            UnavailableError: There is none that runs, or EC2 does not answer.
        """
        wanted = {
            f"tag:{CLUSTER_TAG}": self.cluster,
            f"tag:{NODE_TAG}": HEAD,
            "instance-state-name": "running",
        }
        with reported("ec2", "DescribeInstances", f"cluster {self.cluster}"):
            answer = self.client.describe_instances(
                Filters=[{"Name": name, "Values": [value]} for name, value in wanted.items()]
            )
        found = [
            each["InstanceId"]
            for reservation in answer["Reservations"]
            for each in reservation["Instances"]
        ]
        if len(found) != 1:
            raise UnavailableError(f"cluster {self.cluster} has {len(found)} head nodes that run")
        return found[0]


def _packed(data: bytes) -> str:
    return base64.b64encode(gzip.compress(data, mtime=0)).decode()


def _unpacked(text: str) -> bytes:
    try:
        return gzip.decompress(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, OSError, EOFError, zlib.error) as error:
        raise UnavailableError(f"what the head node says is damaged: {error}") from error
