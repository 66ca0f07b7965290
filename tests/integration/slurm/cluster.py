"""A Slurm of one node for tests: its own daemons on loopback, in a directory that is thrown away."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from attrs import frozen
from tests.integration.ports import free_ports

PROGRAMS: Final = ("slurmctld", "slurmd", "munged", "sbatch", "squeue", "scancel", "scontrol")
_PATH: Final = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
_PATIENCE: Final = 60.0

_CONF: Final = """\
ClusterName=daylily
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={home}/munge.sock
CredType=cred/munge
StateSaveLocation={home}/state
SlurmdSpoolDir={home}/spool
SlurmctldPidFile={home}/slurmctld.pid
SlurmdPidFile={home}/slurmd.pid
SlurmctldLogFile={home}/slurmctld.log
SlurmdLogFile={home}/slurmd.log
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1,sched_min_interval=0
MinJobAge={remembers}
KillWait=2
SlurmctldTimeout=10
SlurmdTimeout=30
MessageTimeout=5
InactiveLimit=0
Waittime=0
PropagateResourceLimits=NONE
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes=n1 Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:16
"""


@frozen
class Cluster:
    """A running Slurm; commands reach it by ``SLURM_CONF`` in *environment*."""

    home: Path
    environment: dict[str, str]

    def start_controller(self) -> None:
        """Start the controller and wait until it answers."""
        self._daemon("slurmctld")
        self._await(lambda: self._call("scontrol", "ping").returncode == 0, "slurmctld")

    def start_node(self) -> None:
        """Start the node and wait until jobs can run on it."""
        self._daemon("slurmd", "-N", "n1")
        self._await(
            lambda: self._call("sinfo", "-h", "-o", "%t").stdout.strip() in {"idle", "mix", "alloc"},
            "slurmd",
        )

    def set_node(self, *words: str) -> None:
        """Have the node be in another state (``state=down``), as its operator would."""
        found = self._call("scontrol", "update", "nodename=n1", *words)
        assert found.returncode == 0, found.stderr

    def stop_controller(self) -> None:
        """Stop the controller, which saves what it knows, and wait until it is gone."""
        self._kill("slurmctld")

    def stop(self) -> None:
        """Cancel what runs and stop all daemons."""
        self._call("scancel", "--me")
        for name in ("slurmd", "slurmctld", "munged"):
            self._kill(name)

    def munge(self) -> None:
        """Start the daemon by which the others know one another."""
        key = self.home / "munge" / "key"
        key.parent.mkdir(mode=0o700)
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        arguments = [
            "munged", f"--key-file={key}", f"--socket={self.home}/munge.sock",
            f"--pid-file={self.home}/munged.pid", f"--log-file={key.parent}/log",
            f"--seed-file={key.parent}/seed",
        ]  # fmt: skip
        subprocess.run(arguments, check=True, env=self.environment, capture_output=True)

    def _daemon(self, name: str, *more: str) -> None:
        arguments = [name, "-f", str(self.home / "slurm.conf"), *more]
        subprocess.run(arguments, check=True, env=self.environment, capture_output=True)

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            arguments, env=self.environment, capture_output=True, text=True, check=False
        )

    def _await(self, holds: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + _PATIENCE
        while not holds():
            if time.monotonic() > end:
                log = self.home / f"{what}.log"
                raise AssertionError(f"{what} did not come up: {log.read_text()[-2000:]}")
            time.sleep(0.05)

    def _kill(self, name: str) -> None:
        file = self.home / f"{name}.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError):
            pid = int(file.read_text())
            os.kill(pid, signal.SIGTERM)
            self._await(lambda: not Path(f"/proc/{pid}").exists(), name)
            file.unlink(missing_ok=True)


@contextlib.contextmanager
def cluster(*, remembers: int = 600) -> Iterator[Cluster]:
    """
    Run a Slurm of one node.

    Args:
        remembers: Seconds that the controller keeps a job after its end.
    """
    missing = [name for name in PROGRAMS if shutil.which(name, path=_PATH) is None]
    if missing or os.geteuid() != 0:
        why = f"needs root and Debian's Slurm (`make engines`); not there: {', '.join(missing)}"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    # A short path: that of a socket may have 107 characters.
    home = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
    home.chmod(0o755)
    try:
        host = socket.gethostname().partition(".")[0]
        for name in ("state", "spool"):
            (home / name).mkdir()
        controller, node = free_ports(2)
        conf = _CONF.format(
            host=host,
            home=home,
            controller=controller,
            node=node,
            cpus=os.cpu_count(),
            remembers=remembers,
        )
        (home / "slurm.conf").write_text(conf)
        environment = {**os.environ, "PATH": _PATH, "SLURM_CONF": str(home / "slurm.conf")}
        running = Cluster(home, environment)
        try:
            running.munge()
            running.start_controller()
            running.start_node()
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)
