"""The nested YAML of the old monitor: every key of it is taken over, or named as of no use here."""

from pathlib import Path

import pytest

from daylily.config import ConfigError, Loaded, load

WHOLE = """
aws:
  profile: lab
  region: eu-central-1
  session_duration_seconds: 3600
monitor:
  bucket: lab-bucket
  prefix: /daylily_monitoring/active_worksets
  poll_interval_seconds: 30
  ready_lock_backoff_seconds: 30
  continuous: false
  sentinel_index_prefix: daylily_monitoring
  archive_prefix: daylily_monitoring/archived_worksets/
  max_concurrent_worksets: 4
  sentinel_index_bucket: another-bucket
  use_concurrent_processor: true
cluster:
  template_path: config/cluster.yaml
  preferred_availability_zone: eu-central-1a
  contact_email: lab@example.org
  repo_tag: main
  auto_teardown: true
  idle_teardown_minutes: 20
  reuse_cluster_name: daylily-1
pipeline:
  workdir: /fsx/analysis_results/ubuntu
  stage_command: stage {analysis_samples}
  clone_command: day-clone {clone_args}
  run_prefix: "source dyinit && dy-r "
  export_command: export {target_uri}
  pipeline_timeout_minutes: 240
  local_stage_root: /tmp/stage
  reference_bucket: s3://references/
  ssh_identity_file: /keys/lab.pem
  ssh_user: ubuntu
  ssh_extra_args: [-v]
  login_shell_init: source ~/.bashrc
  tmux_session_prefix: daylily
  tmux_keepalive_shell: bash
  local_state_root: ~/.cache/daylily-monitor
  clone_dest_root: /fsx/analysis_results/ubuntu
  repo_dir_name: daylily-omics-analysis
"""

HONOURED = {
    "aws.profile", "aws.region", "monitor.bucket", "monitor.prefix", "monitor.poll_interval_seconds",
    "monitor.continuous", "monitor.sentinel_index_prefix", "monitor.archive_prefix",
    "monitor.max_concurrent_worksets", "cluster.preferred_availability_zone",
    "cluster.reuse_cluster_name", "pipeline.pipeline_timeout_minutes", "pipeline.ssh_identity_file",
}  # fmt: skip


def read(tmp_path: Path, text: str) -> Loaded:
    """Return the settings of a file and nothing else."""
    file = tmp_path / "monitor.yaml"
    file.write_text(text)
    return load({}, {}, file)


def told(tmp_path: Path, text: str) -> dict[str, str]:
    """Return the faults of a file that must be refused, by their places."""
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, text)
    return {fault.place.partition(" (")[0]: fault.message for fault in refused.value.faults}


def keys_of(text: str) -> list[str]:
    """Return the keys of a nested file in their order, as people call them."""
    section, found = "", []
    for line in filter(None, text.splitlines()):
        key = line.partition(":")[0]
        if key.startswith(" "):
            found.append(f"{section}.{key.strip()}")
        else:
            section = key
    return found


def test_every_key_is_honoured_or_named(tmp_path: Path) -> None:
    """In one line each, in the order of the file, with what to do instead."""
    notes = read(tmp_path, WHOLE).notes
    named = [note.partition(": ")[2].partition(" is not applicable: ")[0] for note in notes]
    assert sorted([*named, *HONOURED]) == sorted(keys_of(WHOLE))
    assert all("\n" not in note and note.partition(" is not applicable: ")[2] for note in notes)


def test_what_is_honoured(tmp_path: Path) -> None:
    """Under the names of our settings; where each came from is told."""
    loaded = read(tmp_path, WHOLE)
    settings = loaded.settings
    assert (settings.store, settings.bucket, settings.region) == ("aws", "lab-bucket", "eu-central-1")
    assert (settings.profile, settings.continuous) == ("lab", False)
    assert settings.prefix == "daylily_monitoring/active_worksets/"
    assert settings.index_prefix == "daylily_monitoring/"
    assert settings.archive_prefix == "daylily_monitoring/archived_worksets/"
    assert settings.poll_interval.total_seconds() == 30
    assert settings.max_concurrent == 4
    assert settings.slurm_identity == Path("/keys/lab.pem")
    (only,) = (each.cluster for each in settings.clusters)
    assert (only.name, only.availability_zone, only.max_concurrent) == (
        "daylily-1",
        "eu-central-1a",
        4,
    )
    limit = settings.registry.get("daylily-omics").resources.time_limit
    assert limit.total_seconds() == 240 * 60
    assert loaded.origins["bucket"] == f"{tmp_path / 'monitor.yaml'}, monitor.bucket"


def test_settings_of_ours_may_stand_beside_it(tmp_path: Path) -> None:
    """What the old file cannot say: the engine, the login node, more of clusters and pipelines."""
    beside = (
        "engine: slurm\nslurm_folder: /fsx/jobs\nslurm_host: head.example.org\n"
        "clusters: {daylily-1: {max_vcpus: 64}}\npipelines: {daylily-omics: {cpus: 2}}\n"
    )
    nested = (
        "monitor: {bucket: lab-bucket}\ncluster: {reuse_cluster_name: daylily-1}\n"
        "pipeline: {ssh_user: ubuntu, pipeline_timeout_minutes: 1}\n"
    )
    loaded = read(tmp_path, beside + nested)
    assert loaded.notes == ()
    assert loaded.settings.slurm_host == "ubuntu@head.example.org"
    assert [each.cluster.max_vcpus for each in loaded.settings.clusters] == [64]
    needs = loaded.settings.registry.get("daylily-omics").resources
    assert (needs.cpus, needs.time_limit.total_seconds()) == (2, 60)


def test_who_names_the_user_already(tmp_path: Path) -> None:
    """The login node's own user counts."""
    text = "slurm_host: me@head.example.org\npipeline: {ssh_user: ubuntu}\n"
    assert read(tmp_path, text).settings.slurm_host == "me@head.example.org"


@pytest.mark.parametrize("nothing", ["", "''", "null", "[]"])
def test_a_key_without_a_value_says_nothing(tmp_path: Path, nothing: str) -> None:
    """An empty profile is the default chain, as of old."""
    text = (
        f"aws: {{profile: {nothing}}}\npipeline: {{workdir: {nothing}}}\n"
        f"cluster: {{reuse_cluster_name: {nothing}, preferred_availability_zone: {nothing}}}\n"
        "monitor:\n"
    )
    loaded = read(tmp_path, text)
    assert (loaded.settings.profile, loaded.settings.clusters, loaded.notes) == (None, (), ())


def test_what_asks_for_what_is_so_anyway(tmp_path: Path) -> None:
    """Nothing is torn down, and index logs are in the bucket: no line is needed."""
    text = (
        "monitor: {bucket: lab-bucket, sentinel_index_bucket: lab-bucket}\n"
        "cluster: {auto_teardown: false}\n"
    )
    assert read(tmp_path, text).notes == ()


def test_a_zone_without_a_cluster(tmp_path: Path) -> None:
    """It is for a cluster to be made, which we do not."""
    (note,) = read(tmp_path, "cluster: {preferred_availability_zone: us-west-2a}\n").notes
    assert "availability_zone of each of 'clusters'" in note


def test_all_faults_at_once(tmp_path: Path) -> None:
    """Each under its own key, whoever said it twice or misspelt it."""
    text = (
        "bucket: mine\nengin: local\nclusters: {east: {}}\n"
        "pipelines: {daylily-omics: {time_limit: 9}}\n"
        "aws: nothing\n"
        "monitor: {bucket: lab-bucket, prefixx: x, poll_interval_seconds: soon}\n"
        "cluster: {reuse_cluster_name: west}\n"
        "pipeline: {pipeline_timeout_minutes: 10}\n"
    )
    omics = "pipelines.daylily-omics.time_limit"
    assert told(tmp_path, text) == {
        "aws": "must be a mapping of settings",
        "monitor.bucket": "is bucket, which is there too",
        "monitor.prefixx": "is no setting of the monitor; did you mean 'prefix'?",
        "cluster.reuse_cluster_name": "is clusters, which is there too",
        "pipeline.pipeline_timeout_minutes": f"is {omics}, which is there too",
        "poll_interval": "'soon' is not a number of seconds",
        "engin": "is no setting of daylily",
    }


@pytest.mark.parametrize("value", ["[x]", "{a: b}", "7"])
def test_values_of_the_wrong_kind(tmp_path: Path, value: str) -> None:
    """They are faults, not crashes."""
    text = f"cluster: {{reuse_cluster_name: {value}}}\npipeline: {{pipeline_timeout_minutes: x}}\n"
    assert set(told(tmp_path, text)) == {
        "cluster.reuse_cluster_name",
        "pipeline.pipeline_timeout_minutes",
    }
