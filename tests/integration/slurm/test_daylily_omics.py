"""``daylily-omics`` on a real Slurm, over a real sshd; scripts stand in for the programs of old."""

import sys
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from attrs import evolve, frozen

from daylily.adapters.local.object_store import DirectoryObjectStore
from daylily.adapters.sentinel_store import ObjectSentinelStore
from daylily.adapters.slurm.compute import SlurmCompute
from daylily.application.jobs import STEPS, MakeJob
from daylily.application.places import Places
from daylily.config import load
from daylily.domain.pipelines import Resources
from daylily.domain.results import MANIFEST
from daylily.domain.retry import ErrorCategory, Failure, RetryPolicy
from daylily.domain.workset import Progress, Workset
from daylily.ports.compute import JobStatus, Phase
from daylily.testing.samples import NOON, a_manifest, a_workset, locked

pytestmark = pytest.mark.slurm

OMICS = ["{python}", "-m", "daylily.pipelines.omics"]
CLONE = 'mkdir -p "$2/daylily-omics-analysis"; echo "$*" >> {home}/clones'
# Submits a job to the same cluster and waits for it, as snakemake does.
RUN = """
printf '%s\\n' "$@" > words
[ -e {home}/broken ] && exit 75
sbatch --mem=50M --output=/dev/null --wrap 'echo called > variants.vcf; {job}; touch over'
while [ ! -e over ]; do sleep 0.1; done
"""
EXPORT = "echo 'fsx_export: {{status: success, s3_uri: s3://b/ws-1}}' > fsx_export.yaml"


def patiently(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


@frozen
class Site:
    """A shared disk with a workset on it, and an engine."""

    home: Path
    engine: SlurmCompute
    job: str = ":"
    """What the job does that the pipeline submits."""

    @property
    def root(self) -> Path:
        """Where runs are."""
        return self.home / "runs"

    def results(self, attempt: int) -> Path:
        """Return the folder of an attempt's results."""
        return self.home / f"bucket/worksets/ws-1/results/attempt-{attempt}"

    def program(self, name: str, text: str) -> str:
        """Write a shell script; return the option that names it."""
        path = self.home / name
        path.write_text("#!/bin/sh\n" + text.format(home=self.home, job=self.job))
        path.chmod(0o755)
        return f"--program={path}"

    def make_job(self) -> MakeJob:
        """Return what makes jobs, by settings that replace commands of the shipped pipeline."""
        where = ["--root", str(self.root), "--name", "{workset_id}"]
        run = [*OMICS, "run", *where, self.program("day_run", RUN), "--", "{dy_r}"]
        steps: list[dict[str, object]] = [
            {
                "name": "staging",
                "command": [*OMICS, "stage", *where, "--workset", "{workset_dir}"],
            },
            {
                "name": "pipeline_starting",
                # The stand-in takes what it needs from its second word: -d NAME.
                "command": [*OMICS, "clone", *where, self.program("clone", CLONE), "--", "{day_clone}"],
            },
            {"name": "pipeline_running", "command": run, "on_cancel": [*OMICS, "cancel", *where]},
            {
                "name": "exporting",
                "command": [
                    *(*OMICS, "export", *where, "--output", "{results_dir}"),
                    self.program("export", EXPORT),
                ],
            },
        ]
        file = self.home / "daylily.yaml"
        file.write_text(yaml.safe_dump({"pipelines": {"daylily-omics": {"steps": steps}}}))
        objects = DirectoryObjectStore(self.home / "bucket")
        made = load({}, {}, file).settings.registry
        omics = evolve(made.get("daylily-omics"), resources=Resources(cpus=1, memory_gb=0.05))
        return MakeJob(
            objects=objects,
            sentinels=ObjectSentinelStore(objects, "worksets/"),
            places=Places(),
            pipelines=evolve(made, pipelines=(omics,)),
            python=sys.executable,
        )

    def launch(self, workset: Workset) -> Workset:
        """Lock a workset, have the engine run it, and return it as it runs then."""
        held = locked(workset)
        return held.launched(held.fence, self.engine.submit(self.make_job()(held)), at=NOON)

    def until(self, key: str, holds: Callable[[JobStatus], bool]) -> JobStatus:
        """Wait until the engine says of a job what is waited for."""
        found: list[JobStatus] = []

        def holds_now() -> bool:
            found.append(self.engine.status([key])[key])
            return holds(found[-1])

        patiently(holds_now)
        return found[-1]


@pytest.fixture
def site(tmp_path: Path, far: SlurmCompute) -> Site:
    """A site with a workset that an old portal has dropped."""
    folder = tmp_path / "bucket/worksets/ws-1"
    (folder / "sample_data").mkdir(parents=True)
    (tmp_path / "runs").mkdir()
    (folder / "stage_samples.tsv").write_text("sheet\n")
    (folder / "sample_data/A_R1.fastq.gz").write_text("reads\n")
    (folder / "daylily_work.yaml").write_text(
        'day-clone: " -d {workdir_name} -t main  "\ndy-r: -p -k --config callers=["deep19"]\n'
    )
    return Site(tmp_path, far)


def omics() -> Workset:
    """Return a workset for the engine of old."""
    return a_workset(manifest=a_manifest("A", pipeline="daylily-omics"))


def lines(text: str, *names: str) -> Iterable[str]:
    """Return what a log says of steps."""
    return [line for line in text.splitlines() if line.startswith("step ") and line.endswith(names)]


def test_a_run_that_failed_goes_on_where_it_was(site: Site) -> None:
    """Staging and clone are done once; the second attempt runs what is left, and exports."""
    (site.home / "broken").touch()
    running = site.launch(omics())
    status = site.until("ws-1/1", lambda now: now.ended)
    assert (status.phase, status.exit_code) == (Phase.FAILED, 75)
    assert "step pipeline_running failed: exit code 75" in status.message

    (site.home / "broken").unlink()
    failure = Failure(ErrorCategory.TRANSIENT, status.message, 75)
    failed = running.failed(failure, at=NOON, actor="m", policy=RetryPolicy(), jitter=0)
    again = failed.retry_due(at=NOON + timedelta(hours=1), actor="m")
    site.launch(again)
    status = site.until("ws-1/2", lambda now: now.ended)

    assert status.phase is Phase.SUCCEEDED, site.engine.log("ws-1/2").text
    assert lines(site.engine.log("ws-1/2").text, "done", "done before") == [
        "step staging: done before",
        "step pipeline_starting: done before",
        "step pipeline_running: done",
        "step exporting: done",
    ]
    assert (site.home / "clones").read_text() == "-d ws-1 -t main\n"
    clone = site.root / "ws-1/daylily-omics-analysis"
    words = (clone / "words").read_text().split()
    assert words == ["hg38", "-p", "-k", "--config", "callers=[deep19]"]
    assert (clone / "sample_data/A_R1.fastq.gz").read_text() == "reads\n"
    assert (clone / "variants.vcf").read_text() == "called\n"
    assert "fsx_export.yaml" in (site.results(2) / MANIFEST).read_text()
    assert not (site.results(1) / "fsx_export.yaml").exists()


def test_a_cancel_reaches_the_jobs_of_the_run(site: Site) -> None:
    """What the pipeline itself has submitted is canceled with it, on the same cluster."""
    site = evolve(site, job="sleep 300")
    site.launch(omics())
    variants = site.root / "ws-1/daylily-omics-analysis/variants.vcf"
    patiently(variants.exists)
    assert site.engine.status(["ws-1/1"])["ws-1/1"].progress == Progress(2, 4, "pipeline_running")

    site.engine.cancel("ws-1/1")

    assert site.until("ws-1/1", lambda now: now.ended).phase is Phase.CANCELED
    query = ("squeue", "--me", "-h", "-t", "PENDING,RUNNING", "-o", "%Z")
    run = str(site.root / "ws-1")

    def gone() -> bool:
        return run not in site.engine.runner.run(query).output.decode()

    patiently(gone)
    assert STEPS in site.make_job()(locked(omics())).arguments
