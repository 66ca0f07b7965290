"""SlurmCompute from afar: commands through Systems Manager, of which a shell takes the place."""

from pathlib import Path

import pytest
from attrs import evolve
from tests.integration.slurm.bench import SMALL, SlurmBench
from tests.integration.slurm.cluster import Cluster
from tests.integration.slurm.systems_manager import SystemsManager

from daylily.adapters.slurm.compute import SlurmCompute
from daylily.adapters.slurm.ssm import SSMRunner
from daylily.ports.compute import Job, Phase
from daylily.testing.contracts.compute import KEY, await_end, await_running, read_log

pytestmark = pytest.mark.slurm


@pytest.fixture
def far(engine: SlurmCompute, slurm: Cluster, tmp_path: Path) -> SlurmCompute:
    """Return an engine whose commands go through Systems Manager."""
    manager = SystemsManager(tmp_path, slow=0)
    manager.log_in_with(str(slurm.home / "slurm.conf"))
    runner = SSMRunner(
        client=manager,  # type: ignore[arg-type]
        instance=lambda: "i-0123456789abcdef0",
        user="root",
        pause=lambda _: None,
    )
    return evolve(engine, runner=runner)


def test_jobs_through_systems_manager(far: SlurmCompute, slurm: Cluster, tmp_path: Path) -> None:
    """They are submitted once, watched, read and canceled, exactly as at home."""
    directory = tmp_path / "workset"
    directory.mkdir()
    bench = SlurmBench(compute=far, slurm=slurm, directory=directory)
    name = far.submit(bench.runs_on("ws-2/1"))
    script = "import random; print(random.Random(1).randbytes(40000).hex())"
    loud = Job(key=KEY, arguments=("python3", "-c", script), directory="/", resources=SMALL)

    far.submit(loud)

    assert await_end(far, KEY, bench).phase is Phase.SUCCEEDED
    assert sum(map(len, read_log(far, KEY, limit=65536))) == 80_001
    await_running(far, "ws-2/1", bench)
    assert far.submit(bench.runs_on("ws-2/1")) == name
    far.cancel("ws-2/1")
    assert await_end(far, "ws-2/1", bench).phase is Phase.CANCELED
    assert bench.starts("ws-2/1") == 1
