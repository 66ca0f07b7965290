"""How commands of a cluster are run: on this machine, or on a login node over ssh."""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from attrs import field, frozen

from daylily.domain.errors import InvalidInputError, UnavailableError

PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LOGNAME", "TMPDIR", "TZ", "USER", "SLURM_CONF")
"""What commands, and with them jobs, get of this process's environment: nothing there is a secret."""

LOGGED_IN: Final = ("sh", "-lc", 'exec "$@"', "sh")
"""Lets a command find what the profile of a cluster adds to PATH; its words stay words."""

_SSH_FAILED: Final = 255


@frozen
class Finished:
    """What came of a command."""

    code: int
    output: bytes
    complaint: str
    """What it wrote to stderr."""


class Runner(Protocol):
    """Runs argument vectors where the cluster's commands are."""

    def run(self, arguments: Sequence[str], *, given: bytes = b"") -> Finished:
        """
        Run a command to its end and return what came of it.

        Args:
            given: What the command reads from its standard input.

        Raises:
            UnavailableError: It cannot be reached, or does not end; whether it ran is not known.
        """


@frozen(kw_only=True)
class LocalRunner:
    """Runs commands on this machine, which is a login node of the cluster."""

    environment: Mapping[str, str] = field(factory=lambda: os.environ)
    timeout: float = 60.0
    """Seconds after which a command is given up."""

    def run(self, arguments: Sequence[str], *, given: bytes = b"") -> Finished:
        """See Runner.run."""
        passed = {name: self.environment[name] for name in PASSED_ON if name in self.environment}
        return _run(arguments, given, passed, self.timeout)


@frozen(kw_only=True)
class SSHRunner:
    """
    Runs commands on a login node over ssh, whose key has to be known beforehand.

    What goes over the wire is quoted for the remote shell, word by word.

    Args:
        host: Name or address.
        user: None: as ``ssh`` itself finds.
        identity: File of the private key; None: as ``ssh`` itself finds.
        known_hosts: File of the hosts' public keys; None: the user's own.
    """

    host: str
    user: str | None = None
    port: int = 22
    identity: Path | None = None
    known_hosts: Path | None = None
    environment: Mapping[str, str] = field(factory=lambda: os.environ)
    timeout: float = 60.0

    def __attrs_post_init__(self) -> None:
        for name in (self.host, self.user or ""):
            if name.startswith("-") or any(each.isspace() or each == "@" for each in name):
                raise InvalidInputError.of("slurm_host", f"{name!r} is no name of a host or user")

    def run(self, arguments: Sequence[str], *, given: bytes = b"") -> Finished:
        """See Runner.run."""
        options = ["-T", "-p", str(self.port), "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]
        options += ["-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15"]
        if self.identity is not None:
            options += ["-i", str(self.identity), "-o", "IdentitiesOnly=yes"]
        if self.known_hosts is not None:
            options += ["-o", f"UserKnownHostsFile={self.known_hosts}"]
        target = self.host if self.user is None else f"{self.user}@{self.host}"
        names = (*PASSED_ON, "SSH_AUTH_SOCK")
        passed = {name: self.environment[name] for name in names if name in self.environment}
        command = ["ssh", *options, "--", target, shlex.join([*LOGGED_IN, *arguments])]
        found = _run(command, given, passed, self.timeout)
        if found.code == _SSH_FAILED:
            # Never an answer of the command's: it says nothing about any job.
            raise UnavailableError(f"ssh to {target}: {found.complaint.strip()[-500:]}")
        return found


def _run(
    arguments: Sequence[str], given: bytes, environment: Mapping[str, str], timeout: float
) -> Finished:
    try:
        found = subprocess.run(
            list(arguments),
            input=given,
            capture_output=True,
            env=environment,
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{arguments[0]} cannot be run: {error}") from error
    return Finished(found.returncode, found.stdout, found.stderr.decode(errors="replace"))
