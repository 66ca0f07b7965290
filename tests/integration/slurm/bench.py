"""Jobs for Slurm, and how to see what became of them."""

import contextlib
from collections.abc import Iterator

from attrs import evolve, frozen
from tests.integration.shell_bench import ShellBench
from tests.integration.slurm.cluster import Cluster

from daylily.adapters.slurm.compute import SlurmCompute
from daylily.domain.pipelines import Resources
from daylily.ports.compute import Compute, Job

SMALL = Resources(cpus=1, memory_gb=0.05)


@frozen(kw_only=True)
class SlurmBench(ShellBench):
    """Shell commands for Slurm."""

    compute: SlurmCompute
    slurm: Cluster
    needs: Resources = SMALL

    def impossible(self, key: str) -> Job:
        return self.shell(key, ":", needs=Resources(memory_gb=9000))

    def another(self) -> Compute:
        return evolve(self.compute)

    @contextlib.contextmanager
    def outage(self) -> Iterator[None]:
        self.slurm.stop_controller()
        try:
            yield
        finally:
            self.slurm.start_controller()
