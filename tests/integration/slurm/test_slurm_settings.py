"""The engine slurm, chosen by settings alone, below the local store."""

from pathlib import Path

import pytest
from tests.integration.checksums import check_lists
from tests.integration.reads import measured, results
from tests.integration.slurm.cluster import Cluster

from daylily.bootstrap import bootstrap
from daylily.config import load
from daylily.domain.lifecycle import State

pytestmark = pytest.mark.slurm


def test_fastq_qc_on_slurm(slurm: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workset of real reads goes through the shipped pipeline on Slurm; its report is there."""
    monkeypatch.setenv("SLURM_CONF", slurm.environment["SLURM_CONF"])
    environ = {
        "DAYLILY_HOME": str(tmp_path),
        "DAYLILY_ENGINE": "slurm",
        "DAYLILY_SLURM_FOLDER": str(slurm.home / "jobs"),
    }
    app = bootstrap(load({}, environ).settings)

    now = measured(app)

    assert now.state is State.COMPLETE
    assert {"report.html", "manifest.sha256"} <= results(app, now)
    app.world.close()


def test_results_are_listed(slurm: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One list of checksums a workset on the disks of a cluster, also where each sample has a task."""
    monkeypatch.setenv("SLURM_CONF", slurm.environment["SLURM_CONF"])
    folder = str(slurm.home / "listed")
    check_lists(tmp_path, DAYLILY_ENGINE="slurm", DAYLILY_SLURM_FOLDER=folder)
