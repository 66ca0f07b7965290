"""Settings: where each value comes from, and every fault at once."""

import os
import re
from datetime import timedelta
from pathlib import Path
from unittest import mock

import botocore.session
import pytest
from attrs import evolve

from daylily.config import ConfigError, Secret, Settings, load
from daylily.domain.clusters import Cluster
from daylily.domain.pipelines import SHIPPED, PipelineRegistry
from daylily.domain.steps import Per, Step


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A settings file with a value for a few settings."""
    path = tmp_path / "daylily.yaml"
    path.write_text("port: 7001\nmax-concurrent: 9\nlog_level: warning\n")
    return path


def test_nothing_given() -> None:
    """Without flags, environment and file there are the defaults, and they say so."""
    loaded = load({}, {})

    assert loaded.settings == Settings()
    assert set(loaded.origins.values()) == {"default"}


def test_precedence(file: Path) -> None:
    """A flag beats the environment, the environment beats the file, the file beats the default."""
    environ = {"DAYLILY_PORT": "7002", "DAYLILY_MAX_CONCURRENT": "8"}

    loaded = load({"port": 7003}, environ, file)

    assert (loaded.settings.port, loaded.origins["port"]) == (7003, "--port")
    assert loaded.settings.max_concurrent == 8
    assert loaded.origins["max_concurrent"] == "$DAYLILY_MAX_CONCURRENT"
    assert (loaded.settings.log_level, loaded.origins["log_level"]) == ("WARNING", str(file))
    assert loaded.origins["host"] == "default"


def test_file_named_by_the_environment(file: Path) -> None:
    """``$DAYLILY_CONFIG`` names the file."""
    assert load({}, {"DAYLILY_CONFIG": str(file)}).settings.port == 7001


def test_absent_flag_and_empty_variable(file: Path) -> None:
    """A flag that was not given and an empty variable count as not said."""
    assert load({"port": None}, {"DAYLILY_PORT": ""}, file).settings.port == 7001


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("DAYLILY_POLL_INTERVAL", "0.5", "poll_interval", timedelta(seconds=0.5)),
        ("DAYLILY_LOG_LEVEL", "debug", "log_level", "DEBUG"),
        ("DAYLILY_STORE", "memory", "store", "memory"),
        ("DAYLILY_TOKEN", "t0ken", "token", Secret("t0ken")),
        ("S3_PREFIX", "lab/worksets/", "prefix", "lab/worksets/"),
    ],
)
def test_texts_become_values(variable: str, text: str, name: str, value: object) -> None:
    """The environment's texts are read as what each setting is."""
    assert getattr(load({}, {variable: text}).settings, name) == value


def test_a_bucket_means_aws() -> None:
    """The guide's variables alone choose AWS; who says where worksets live is believed."""
    loaded = load({}, {"S3_BUCKET": "lab-worksets", "WORKSET_TABLE_NAME": "lab-table"})

    assert loaded.settings.store == "aws"
    assert loaded.origins["store"] == "as there is a bucket ($S3_BUCKET)"
    assert (loaded.settings.region, loaded.settings.table) == ("us-west-2", "lab-table")
    assert loaded.settings.customers_table == "lab-table-customers"
    assert load({"store": "memory"}, {"S3_BUCKET": "lab-worksets"}).settings.store == "memory"


def test_the_region_of_the_profile_outranks_the_default(tmp_path: Path) -> None:
    """Nobody who has said in which region they work has to say it again; boto3 reads it alike."""
    config, credentials = tmp_path / "config", tmp_path / "credentials"
    config.write_text(
        "[default]\nregion = eu-west-1\n[profile lab]\nregion = eu-central-1\n[profile x]\n"
    )
    credentials.write_text("[home]\nregion = sa-east-1\n[other]\n")
    files = {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}
    aws = {"S3_BUCKET": "lab-worksets", **files}

    for profile, region, origin in (
        ({}, "eu-west-1", "AWS profile default"),
        ({"AWS_PROFILE": "lab"}, "eu-central-1", "AWS profile lab"),
        ({"AWS_PROFILE": "home"}, "sa-east-1", "AWS profile home"),
        ({"AWS_PROFILE": "lab", "AWS_DEFAULT_PROFILE": "home"}, "sa-east-1", "AWS profile home"),
        ({"AWS_PROFILE": "x"}, "us-west-2", "default"),
        ({"AWS_PROFILE": "nobody"}, "us-west-2", "default"),
        ({"AWS_PROFILE": "lab", "AWS_REGION": "ap-east-1"}, "ap-east-1", "$AWS_REGION"),
    ):
        loaded = load({}, {**aws, **profile})
        assert (loaded.settings.region, loaded.origins["region"]) == (region, origin)
        if origin.startswith("AWS"):
            with mock.patch.dict(os.environ, {**files, **profile}, clear=True):
                assert botocore.session.Session().get_config_variable("region") == region
    assert load({}, files).settings.region == "us-west-2"


def test_files_of_aws_that_make_no_sense(tmp_path: Path) -> None:
    """They are boto3's to complain of; the settings are read all the same."""
    config = tmp_path / ".aws" / "config"
    config.parent.mkdir()
    config.write_text("[default\nregion: here\n")

    loaded = load({}, {"S3_BUCKET": "lab-worksets", "HOME": str(tmp_path)})

    assert loaded.settings.region == "us-west-2"


def test_variables_of_old_versions() -> None:
    """They are read where the guide's own say nothing."""
    old = {"DAYLILY_DYNAMODB_TABLE": "old-table", "AWS_DEFAULT_REGION": "eu-central-1"}

    loaded = load({}, old)

    assert loaded.settings.table == "old-table"
    assert loaded.origins["table"] == "$DAYLILY_DYNAMODB_TABLE"
    assert loaded.settings.region == "eu-central-1"
    assert load({}, {**old, "WORKSET_TABLE_NAME": "new"}).settings.table == "new"


@pytest.mark.parametrize(
    ("variable", "text", "place"),
    [
        ("DAYLILY_STORE", "aws", "bucket"),
        ("DAYLILY_ENGINE", "slurm", "slurm_folder"),
        ("DAYLILY_SLURM_HOST", "-oProxyCommand=sh", "slurm_host"),
        ("DAYLILY_SLURM_HEAD_NODE", "ubuntu@$(id)", "slurm_head_node"),
        ("DAYLILY_BATCH_QUEUE", "a queue", "batch_queue"),
        ("DAYLILY_BATCH_DEFINITION", "$(id)", "batch_definition"),
        ("S3_BUCKET", "Not_A_Bucket", "bucket"),
        ("WORKSET_TABLE_NAME", "a table", "table"),
        ("CUSTOMER_TABLE_NAME", "x", "customer_table"),
        ("AWS_REGION", "Oregon", "region"),
        ("DAYLILY_INDEX_PREFIX", "/logs", "index_prefix"),
        ("DAYLILY_ARCHIVE_PREFIX", "../old/", "archive_prefix"),
        ("DAYLILY_ARCHIVE_PREFIX", "worksets/", "archive_prefix"),
    ],
)
def test_names_are_checked(variable: str, text: str, place: str) -> None:
    """What would be refused later is refused here, before anything is asked of anyone."""
    with pytest.raises(ConfigError) as caught:
        load({}, {variable: text})

    assert [fault.place.split()[0] for fault in caught.value.faults] == [place]


def test_all_faults_at_once(tmp_path: Path) -> None:
    """One error lists every fault, each with where it stands."""
    path = tmp_path / "bad.yaml"
    path.write_text(
        "port: many\nstore: s3\nno_such: 1\nhost: 3\npoll_interval: yes\n"
        "pipelines:\n  mine: {command: [run, '{nope}']}\n  UP: {}\n  other: {cpus: x, size: 1}\n"
    )

    with pytest.raises(ConfigError) as caught:
        load({}, {"DAYLILY_MAX_RETRIES": "99", "S3_PREFIX": "../up/"}, path)

    places = {fault.place for fault in caught.value.faults}
    assert places == {
        f"port ({path})",
        f"store ({path})",
        f"no_such ({path})",
        f"host ({path})",
        f"poll_interval ({path})",
        f"pipelines.UP ({path})",
        f"pipelines.other.cpus ({path})",
        f"pipelines.other.size ({path})",
        "max_retries ($DAYLILY_MAX_RETRIES)",
        "prefix ($S3_PREFIX)",
    }


def test_unknown_placeholder(tmp_path: Path) -> None:
    """A command that asks for a placeholder we do not have is refused with its place."""
    path = tmp_path / "bad.yaml"
    path.write_text("pipelines:\n  mine: {command: [run, '{nope}']}\n")

    with pytest.raises(ConfigError, match=r"pipelines\.mine\.command\[1\].*\{nope\}"):
        load({}, {}, path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [", "is not YAML"),
        (b"- 1", "must be a mapping"),
        (b"1: 2", "must be a mapping"),
        (b"\xff\xfe", "cannot be read"),
        (b"#" * (1 << 20) + b"##", "larger than 1 MiB"),
        (b"pipelines: 3", "must be a mapping of names"),
        (b"a: !!python/object/apply:os.system [id]", "is not YAML"),
    ],
)
def test_unusable_file(tmp_path: Path, content: bytes, message: str) -> None:
    """A file that makes no sense is refused as a whole, with its path."""
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=message):
        load({}, {}, path)


def test_named_file_that_is_not_there(tmp_path: Path) -> None:
    """Somebody who names a file wants it read."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load({}, {}, tmp_path / "absent.yaml")


def test_empty_file(tmp_path: Path) -> None:
    """An empty file says nothing."""
    path = tmp_path / "empty.yaml"
    path.write_text("# nothing\n")

    assert load({}, {}, path).settings == Settings()


def test_pipelines_add_to_those_shipped(tmp_path: Path) -> None:
    """A pipeline of the file is added; one that is shipped is changed where the file says so."""
    path = tmp_path / "lab.yaml"
    path.write_text(
        "pipelines:\n"
        "  germline: {command: [run-germline, '{workset_dir}'], cpus: 8, time_limit: 3600}\n"
        "  rna-lab: {command: [rna], description: Ours, aliases: [lab]}\n"
    )

    registry = load({}, {}, path).settings.registry

    germline = registry.get("germline")
    assert germline.command == ("run-germline", "{workset_dir}")
    assert germline.resources.cpus == 8
    assert germline.resources.time_limit == timedelta(hours=1)
    assert germline.vcpu_hours_per_sample == 4
    assert registry.get("LAB").description == "Ours"
    assert len(registry.pipelines) == len(SHIPPED) + 1


def test_pipelines_of_samples_and_steps(tmp_path: Path) -> None:
    """The file says what is run once a sample, and gives steps; shipped ones are changed by name."""
    path = tmp_path / "lab.yaml"
    path.write_text(
        "pipelines:\n"
        "  each: {command: [align, '{sample_id}'], per_sample: true}\n"
        "  some: {command: [qc], sample_option: --only}\n"
        "  fastq-qc: {command: [my-qc, '{workset_dir}']}\n"
        "  staged:\n"
        "    steps:\n"
        "      - {name: align, per: sample, command: [align, '{sample_id}'], optional: true}\n"
        "      - {name: join, command: [join], on_cancel: [stop, '{workset_id}']}\n"
        "  germline: {}\n"
        "  daylily-omics:\n"
        "    steps:\n"
        "      - {name: staging}\n"
        "      - {name: pipeline_running, command: [run, '{dy_r}']}\n"
    )
    registry = load({}, {}, path).settings.registry

    assert registry.get("each").per_sample
    assert registry.get("some").sample_option == "--only"
    assert registry.get("fastq-qc").sample_option is None, "another command has other options"
    assert registry.get("staged").steps == (
        Step(name="align", command=("align", "{sample_id}"), per=Per.SAMPLE, optional=True),
        Step(name="join", command=("join",), on_cancel=("stop", "{workset_id}")),
    )
    omics, shipped = registry.get("daylily-omics"), PipelineRegistry().get("daylily-omics")
    assert omics.runs_here
    assert not registry.get("germline").runs_here
    assert omics.steps[0] == shipped.steps[0]
    assert omics.steps[1] == evolve(shipped.steps[2], command=("run", "{dy_r}"))


def test_faults_of_samples_and_steps(tmp_path: Path) -> None:
    """Every fault of every step is listed at once, with its place."""
    path = tmp_path / "bad.yaml"
    path.write_text(
        "pipelines:\n"
        "  run-a: {command: [x], steps: [{name: Big, command: ['{nope}']}]}\n"
        "  run-b: {per_sample: true}\n"
        "  run-c: {steps: [{name: s}, {name: s, command: [x, '{sample_id}']}]}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load({}, {}, path)
    assert [fault.place for fault in caught.value.faults] == [
        f"pipelines.{place} ({path})"
        for place in (
            "run-a.steps", "run-a.steps[0].name", "run-a.steps[0].command[0]", "run-b.per_sample",
            "run-c.steps[0].command", "run-c.steps[1].command[1]", "run-c.steps[1].name",
        )
    ]  # fmt: skip

    path.write_text(
        "pipelines:\n  run-a: {steps: [{name: s, command: [x], per: day, optional: 'no'}]}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load({}, {}, path)
    told = str(caught.value)
    assert "steps[0].per" in told
    assert "steps[0].optional" in told


@pytest.mark.parametrize(
    ("written", "place", "message"),
    [
        ("pipelines: {run-a: {command: echo hi}}", "pipelines.run-a.command", "is not a list of texts"),
        ("pipelines: {run-a: {command: [echo, 3]}}", "pipelines.run-a.command[1]", "is not a text"),
        ("pipelines: {run-a: {command: []}}", "pipelines.run-a.command", "is empty"),
        ("pipelines: {run-a: {aliases: other}}", "pipelines.run-a.aliases", "is not a list of texts"),
        ("pipelines: {run-a: {cpus: x}}", "pipelines.run-a.cpus", "is not a whole number"),
        ("pipelines: {run-a: {per_sample: x}}", "pipelines.run-a.per_sample", "is not true or false"),
        ("pipelines: {run-a: {memory_gb: x}}", "pipelines.run-a.memory_gb", "is not a number"),
        (
            "pipelines: {run-a: {cpsu: 4}}",
            "pipelines.run-a.cpsu",
            "is not known here; known: com",
        ),
        ("pipelines: {run-a: {steps: {name: s}}}", "pipelines.run-a.steps", "is not a list"),
        ("pipelines: {run-a: {steps: [s]}}", "pipelines.run-a.steps[0]", "is not a mapping"),
        ("pipelines: {run-a: {steps: [{per: sample}]}}", "pipelines.run-a.steps[0].name", "is missing"),
        (
            "pipelines: {run-a: {steps: [{name: s, per: day}]}}",
            "pipelines.run-a.steps[0].per",
            "is not one of workset, sample",
        ),
        ("channels: {sns: {kinds: error}}", "channels.sns.kinds", "is not a list"),
        ("channels: {sns: {secret: 3}}", "channels.sns.secret", "is not a text"),
        ("clusters: {night: {slurm_foldr: /x}}", "clusters.night.slurm_foldr", "slurm_folder"),
    ],
)
def test_parts_of_the_file_are_faulted_where_they_stand(
    tmp_path: Path, written: str, place: str, message: str
) -> None:
    """Each part is named by its keys, and what it has to be is said; a text is no list of letters."""
    path = tmp_path / "bad.yaml"
    path.write_text(written)
    with pytest.raises(ConfigError) as caught:
        load({}, {}, path)
    (fault,) = caught.value.faults
    assert fault.place == f"{place} ({path})"
    assert message in fault.message


@pytest.mark.parametrize("url", ["ftp://x", "https://ada:pw@host", "host:80", "http:///x"])
def test_odd_addresses(url: str) -> None:
    """An address that is none, or that holds a password, is refused without being repeated."""
    with pytest.raises(ConfigError) as caught:
        load({"url": url}, {})
    assert url not in str(caught.value)


def test_secrets_stay_secret() -> None:
    """Neither repr, str, format nor the table of settings shows a token; reveal does."""
    loaded = load({}, {"DAYLILY_TOKEN": "hush-hush"})
    token = loaded.settings.token

    assert token is not None
    assert token.reveal() == "hush-hush"
    shown = f"{token} {token!r} {loaded.settings!r} {list(loaded.rows())!r}"
    assert "hush" not in shown


def test_secret_of_the_wrong_kind(tmp_path: Path) -> None:
    """A token that is not a text is refused, and not repeated."""
    path = tmp_path / "bad.yaml"
    path.write_text("token: 12345\n")

    with pytest.raises(ConfigError) as caught:
        load({}, {}, path)
    assert "12345" not in str(caught.value)


def test_rows_name_every_setting() -> None:
    """The table has a row for each setting: name, value, origin."""
    rows = {name: (value, origin) for name, value, origin in load({}, {}).rows()}

    assert rows["lock_timeout"] == ("120 s", "default")
    assert rows["url"] == ("-", "default")
    assert rows["pipelines"][0].startswith("fastq-qc, ")


CLUSTERS = """\
slurm_options: --qos=day
clusters:
  onprem:
    engine: slurm
    slurm_folder: /shared/daylily
    max_concurrent: 10
    max_vcpus: 256
    availability_zone: room-12
  cloud:
    engine: slurm
    slurm_folder: /fsx/daylily
    slurm_host: ubuntu@head.example.org
    slurm_options: --partition=spot
    cost_per_vcpu_hour: 0.031
"""


def test_clusters(tmp_path: Path) -> None:
    """Each has what it can take, and its engine's settings; what it does not say is as for all."""
    file = tmp_path / "daylily.yaml"
    file.write_text(CLUSTERS)
    loaded = load(environ={}, path=file)
    onprem, cloud = loaded.settings.clusters
    assert onprem.cluster == Cluster(
        name="onprem", max_concurrent=10, max_vcpus=256, availability_zone="room-12"
    )
    assert cloud.cluster == Cluster(name="cloud", cost_per_vcpu_hour=0.031)
    there = loaded.settings.within(cloud)
    assert (there.engine, there.slurm_host) == ("slurm", "ubuntu@head.example.org")
    assert (there.slurm_folder, there.slurm_options) == ("/fsx/daylily", "--partition=spot")
    assert loaded.settings.within(onprem).slurm_options == "--qos=day"
    assert loaded.settings.engine == "local"
    shown = {name: value for name, value, _ in loaded.rows()}
    assert shown["clusters"] == "onprem, cloud"


@pytest.mark.parametrize("name", ["i-0123456789abcdef0", "ec2-user@i-01234567", "night", "me@night-2"])
def test_head_nodes(name: str) -> None:
    """A head node is an instance or a cluster; there is but one way to a cluster."""
    environ = {"DAYLILY_SLURM_HEAD_NODE": name}
    assert load({}, environ).settings.slurm_head_node == name
    with pytest.raises(ConfigError, match="name one"):
        load({}, {**environ, "DAYLILY_SLURM_HOST": "head"})


def test_batch() -> None:
    """Batch needs a bucket, a queue and a definition; its machines have a Python of their own."""
    with pytest.raises(ConfigError) as caught:
        load({}, {"DAYLILY_ENGINE": "batch"})
    places = sorted(fault.place.split()[0] for fault in caught.value.faults)
    assert places == ["batch_definition", "batch_queue", "engine"]

    arn = "arn:aws:batch:us-west-2:123456789012:job-definition/daylily:3"
    named = {"DAYLILY_BATCH_QUEUE": "daylily", "DAYLILY_BATCH_DEFINITION": arn}
    environ = {"DAYLILY_ENGINE": "batch", "S3_BUCKET": "acme-worksets", **named}
    settings = load({}, environ).settings
    assert (settings.store, settings.batch_definition, settings.job_python) == ("aws", arn, "python3")
    assert evolve(settings, engine_python="/opt/bin/python").job_python == "/opt/bin/python"
    assert evolve(settings, engine="slurm").job_python is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clusters: [one]", "clusters .*: must be a mapping of names to clusters"),
        ("clusters: {'../x': {}}", r"clusters\.\.\./x .*: the name must be"),
        ("clusters: {one-1: [2]}", r"clusters\.one-1 .*: must be a mapping"),
        ("clusters: {one-1: {engine: pbs}}", r"clusters\.one-1\.engine .*'pbs' is not one of"),
        ("clusters: {one-1: {max_vcpus: 1.5}}", r"clusters\.one-1\.max_vcpus"),
        ("clusters: {one-1: {max_vcpus: 0}}", r"clusters\.one-1\.max_vcpus .*not at least 1"),
        ("clusters: {one-1: {colour: red}}", r"clusters\.one-1\.colour"),
        ("clusters: {one-1: {engine: slurm}}", r"clusters\.one-1\.slurm_folder .*is needed"),
    ],
)
def test_faults_of_clusters(tmp_path: Path, text: str, message: str) -> None:
    """Each is told under its key."""
    file = tmp_path / "daylily.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load(environ={}, path=file)


@pytest.mark.parametrize("name", ["engines.md", "pipelines/steps.md", "pipelines/daylily-omics.md"])
def test_settings_that_documents_show(name: str, tmp_path: Path) -> None:
    """Every piece of YAML in them is taken as it is printed."""
    text = (Path(__file__).parents[2] / "docs" / name).read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert blocks
    for block in blocks:
        file = tmp_path / "daylily.yaml"
        file.write_text(f"bucket: acme-worksets\n{block}")
        settings = load({}, {}, file).settings
        assert settings.clusters or any(each.steps and each.set_up for each in settings.pipelines)


def test_folders_of_other_buckets() -> None:
    """Each is a folder of a bucket that is not ours, and only where S3 is asked at all."""
    environ = {"S3_BUCKET": "ours-1", "DAYLILY_INPUTS": "s3://seq-1/{customer_id}/  s3://public-1/"}
    assert load({}, environ).settings.input_folders == ("s3://seq-1/{customer_id}/", "s3://public-1/")
    for folders in ("s3://seq-1/x", "seq-1/", "s3://ours-1/files/", "s3://seq-1/../x/", "s3:///x/"):
        with pytest.raises(ConfigError, match="inputs"):
            load({}, environ | {"DAYLILY_INPUTS": folders})
    with pytest.raises(ConfigError, match="nothing else here asks S3"):
        load({}, {"DAYLILY_INPUTS": "s3://seq-1/"})
