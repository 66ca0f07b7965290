"""Systems Manager as a runner sees it: scripts run in a shell of this machine, answers are cut."""

import os
import subprocess
from pathlib import Path
from typing import Any, Final

from attrs import define, field
from botocore.exceptions import ClientError

MOST_OUTPUT: Final = 24_000
MOST_COMPLAINT: Final = 8_000
# What a login does on a head node: the profile of the cluster says where it is.
_RUNUSER: Final = """\
#!/bin/sh
[ "$1" = -l ] && [ "$3" = -c ] || exit 125
export SLURM_CONF={conf} LOGGED_IN_AS="$2"
cd /
exec sh -c "$4"
"""


@define
class SystemsManager:
    """Answers two calls; a command has run once it is asked about."""

    home: Path
    slow: int = 1
    """How often a command is asked about before there is an answer."""
    scripts: list[str] = field(factory=list)
    folders: set[Path] = field(factory=set)
    """Where scripts said that they keep what was written."""
    _asked: dict[str, int] = field(init=False, factory=dict)
    _answers: dict[str, dict[str, Any]] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        stand_in = self.home / "runuser"
        stand_in.write_text(_RUNUSER.format(conf=os.environ.get("SLURM_CONF", "/dev/null")))
        stand_in.chmod(0o755)

    def log_in_with(self, conf: str) -> None:
        """Have logins find a cluster."""
        (self.home / "runuser").write_text(_RUNUSER.format(conf=conf))

    def send_command(self, **options: Any) -> dict[str, Any]:
        assert options["DocumentName"] == "AWS-RunShellScript"
        (script,) = options["Parameters"]["commands"]
        self.scripts.append(script)
        environment = {
            "PATH": f"{self.home}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        }
        ran = subprocess.run(
            ["/bin/sh", "-c", script], env=environment, capture_output=True, check=False
        )
        words = ran.stdout.partition(b"\n")[0].decode().split()
        if words[:1] == ["daylily"]:
            self.folders.add(Path(words[3]))
        name = f"command-{len(self.scripts)}"
        self._answers[name] = {
            "Status": "Failed" if ran.returncode else "Success",
            "StatusDetails": "Failed" if ran.returncode else "Success",
            "ResponseCode": ran.returncode,
            "StandardOutputContent": ran.stdout.decode()[:MOST_OUTPUT],
            "StandardErrorContent": ran.stderr.decode()[:MOST_COMPLAINT],
        }
        return {"Command": {"CommandId": name}}

    def get_command_invocation(self, *, CommandId: str, InstanceId: str) -> dict[str, Any]:  # noqa: N803
        self._asked[CommandId] = asked = self._asked.get(CommandId, 0) + 1
        if asked == 1 and self.slow:
            raise ClientError(
                {"Error": {"Code": "InvocationDoesNotExist", "Message": ""}}, "GetCommandInvocation"
            )
        if asked <= self.slow:
            return {"Status": "InProgress", "StatusDetails": "InProgress"}
        return self._answers[CommandId]
