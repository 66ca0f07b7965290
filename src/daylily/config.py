"""
Settings: flags over environment over YAML file over defaults; read once, checked once, frozen.

Nothing else in Daylily reads the environment. Every fault is listed at once, with where it stands.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal, get_args

import attrs
import cattrs
import platformdirs
import yaml
from attrs import field, frozen

from daylily.domain.clusters import Cluster
from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.names import ID_RULE, is_id
from daylily.domain.pipelines import SHIPPED, Pipeline, PipelineRegistry, Resources
from daylily.domain.steps import Per, Step

MASK: Final = "********"
CONFIG_VARIABLE: Final = "DAYLILY_CONFIG"
MOST_CONCURRENT: Final = 100_000
NO_TABLE: Final = "none"
"""The name of a table that says there is none."""
_MAX_FILE: Final = 1 << 20
_LOGIN_NODE: Final = r"([a-z_][a-z0-9_-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?"
_TOPIC: Final = r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{1,12}:[A-Za-z0-9_-]{1,256}(\.fifo)?"
_GUIDE: Final = {"dynamodb_table": "table", "dynamodb_region": "region"}
"""What the guide's files call settings."""
_BUCKET: Final = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class ConfigError(InvalidInputError):
    """The settings are wrong; the message lists every fault with where it stands."""


@frozen(repr=False)
class Secret:
    """A text that shows itself to nobody who did not ask for it by ``reveal``."""

    _text: str

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text


def _setting(default: object, variable: str, text: str, *fallbacks: str) -> Any:
    return field(
        default=default,
        metadata={"variable": variable, "fallbacks": fallbacks, "help": text},
    )


def _home() -> Path:
    return Path(platformdirs.user_data_dir("daylily", appauthor=False))


@frozen
class ClusterSettings:
    """A cluster, and how its engine is reached: settings that are others there."""

    cluster: Cluster
    engine: Mapping[str, object] = field(factory=dict, hash=False)


@frozen(kw_only=True)
class Settings:
    """What this installation is told to do."""

    home: Path = field(
        factory=_home,
        metadata={
            "variable": "DAYLILY_HOME",
            "help": "Folder of the local store: worksets, files, state and logs.",
        },
    )
    store: Literal["local", "aws", "memory"] = _setting(
        "local",
        "DAYLILY_STORE",
        "Where worksets live: local (SQLite and a folder), aws (the default once there is a bucket) "
        "or memory.",
    )
    engine: Literal["local", "slurm", "memory"] = _setting(
        "local",
        "DAYLILY_ENGINE",
        "What runs pipelines: local (processes), slurm, or memory (pretends).",
    )
    slurm_folder: str | None = _setting(
        None, "DAYLILY_SLURM_FOLDER", "Folder for jobs' logs that all nodes of the cluster share."
    )
    slurm_options: str = _setting(
        "", "DAYLILY_SLURM_OPTIONS", "Further options of sbatch, such as '--partition=long'."
    )
    slurm_host: str | None = _setting(
        None, "DAYLILY_SLURM_HOST", "Login node, [user@]host[:port], to reach over ssh; else this one."
    )
    slurm_identity: Path | None = _setting(
        None, "DAYLILY_SLURM_IDENTITY", "File of the private key for the login node."
    )
    region: str = _setting(
        "us-west-2",
        "AWS_REGION",
        "Region of AWS; without it that of the AWS profile.",
        "AWS_DEFAULT_REGION",
    )
    table: str = _setting(
        "daylily-worksets",
        "WORKSET_TABLE_NAME",
        "DynamoDB table of worksets; 'none' keeps them in the bucket alone.",
        "DAYLILY_DYNAMODB_TABLE",
    )
    customer_table: str | None = _setting(
        None, "CUSTOMER_TABLE_NAME", "DynamoDB table of customers, if not <table>-customers."
    )
    bucket: str | None = _setting(None, "S3_BUCKET", "S3 bucket of worksets and files.")
    prefix: str = _setting(
        "worksets/", "S3_PREFIX", "Where worksets stand in the object store, ending in '/'."
    )
    index_prefix: str | None = _setting(
        None,
        "DAYLILY_INDEX_PREFIX",
        "Folder in the object store for logs that list worksets by sentinel; without it, none.",
    )
    archive_prefix: str | None = _setting(
        None,
        "DAYLILY_ARCHIVE_PREFIX",
        "Folder in the object store to which people move old worksets; only reports read it.",
    )
    sns_topic_arn: str | None = _setting(
        None,
        "SNS_TOPIC_ARN",
        "SNS topic that is told what becomes of worksets.",
        "DAYLILY_SNS_TOPIC_ARN",
    )
    linear_api_key: Secret | None = _setting(
        None, "LINEAR_API_KEY", "Key of Linear, where worksets that ended become issues."
    )
    linear_team_id: str | None = _setting(
        None, "LINEAR_TEAM_ID", "Team of Linear whose issues they become."
    )
    linear_url: str = _setting(
        "https://api.linear.app/graphql", "DAYLILY_LINEAR_URL", "Address of Linear's API."
    )
    cognito_user_pool_id: str | None = _setting(
        None, "COGNITO_USER_POOL_ID", "Cognito user pool whose users may sign in."
    )
    cognito_app_client_id: str | None = _setting(
        None, "COGNITO_APP_CLIENT_ID", "App client of that pool."
    )
    customer: str = _setting("local", "DAYLILY_CUSTOMER", "Customer that commands act for.")
    url: str | None = _setting(
        None, "DAYLILY_URL", "Address of a server to work against instead of the local store."
    )
    token: Secret | None = _setting(None, "DAYLILY_TOKEN", "Token that the server asks for.")
    host: str = _setting("127.0.0.1", "DAYLILY_HOST", "Address to listen on.")
    port: int = _setting(8000, "DAYLILY_PORT", "Port to listen on; 0 takes a free one.")
    poll_interval: timedelta = _setting(
        timedelta(seconds=2), "DAYLILY_POLL_INTERVAL", "Seconds between cycles of the monitor."
    )
    max_concurrent: int = _setting(2, "DAYLILY_MAX_CONCURRENT", "Worksets that run at a time.")
    workers: int = _setting(
        8, "DAYLILY_WORKERS", "Worksets that a monitor sees to at once: threads, not processes."
    )
    max_retries: int = _setting(
        3, "DAYLILY_MAX_RETRIES", "Automatic retries of a workset, unless it says otherwise."
    )
    retry_base: timedelta = _setting(
        timedelta(seconds=2), "DAYLILY_RETRY_BASE", "Seconds before the first retry; then doubled."
    )
    retry_ceiling: timedelta = _setting(
        timedelta(hours=1), "DAYLILY_RETRY_CEILING", "Most seconds between retries."
    )
    lock_timeout: timedelta = _setting(
        timedelta(minutes=2),
        "DAYLILY_LOCK_TIMEOUT",
        "Seconds after which a launch that went silent is taken over.",
    )
    log_level: LogLevel = _setting(
        "INFO", "DAYLILY_LOG_LEVEL", "How much is logged: DEBUG, INFO, WARNING or ERROR."
    )
    pipelines: tuple[Pipeline, ...] = field(
        default=SHIPPED,
        metadata={"help": "Pipelines by name (YAML file only); they add to those shipped."},
    )
    clusters: tuple[ClusterSettings, ...] = field(
        default=(),
        metadata={
            "help": "Clusters by name (YAML file only), each with settings of its engine; "
            "worksets then run on the best of them."
        },
    )

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong with values that are of the right type."""
        if not is_id(self.customer):
            yield Fault("customer", f"{self.customer!r} is not an id: {ID_RULE}")
        yield from self._faults_of_folders()
        yield from self._faults_of_aws()
        yield from self._faults_of_channels()
        yield from self._faults_of_engine()
        for each in self.clusters:
            yield from each.cluster.faults()
            for fault in self.within(each)._faults_of_engine():
                yield Fault(f"clusters.{each.cluster.name}.{fault.place}", fault.message)
        if self.url is not None and not re.fullmatch(r"https?://[^/@\s]+(/[^@\s]*)?", self.url):
            yield Fault("url", "is not an http(s) address without user name and password")
        bounds = (
            ("port", self.port, 0, 65535),
            ("max_concurrent", self.max_concurrent, 1, MOST_CONCURRENT),
            ("workers", self.workers, 1, 64),
            ("max_retries", self.max_retries, 0, 10),
            ("poll_interval", self.poll_interval.total_seconds(), 0.05, 86400),
            ("retry_base", self.retry_base.total_seconds(), 0, 86400),
            ("retry_ceiling", self.retry_ceiling.total_seconds(), 0, 86400 * 7),
            ("lock_timeout", self.lock_timeout.total_seconds(), 30, 86400),
        )
        for name, value, least, most in bounds:
            if not least <= value <= most:
                yield Fault(name, f"{value} is not from {least} to {most}")
        for pipeline in self.pipelines:
            yield from pipeline.faults()

    def _faults_of_folders(self) -> Iterator[Fault]:
        for name in ("prefix", "index_prefix", "archive_prefix"):
            folder = getattr(self, name)
            if folder is None:
                continue
            if not re.fullmatch(r"([A-Za-z0-9._-]+/)+", folder) or ".." in folder.split("/"):
                yield Fault(name, f"{folder!r} is not a relative folder that ends in '/'")
        if self.archive_prefix == self.prefix:
            yield Fault("archive_prefix", "is the folder of worksets that are not archived")

    def _faults_of_engine(self) -> Iterator[Fault]:
        if self.engine == "slurm" and not (self.slurm_folder or "").startswith("/"):
            yield Fault("slurm_folder", "is needed for the engine slurm: an absolute path")
        if self.slurm_host is not None and not re.fullmatch(_LOGIN_NODE, self.slurm_host):
            yield Fault("slurm_host", f"{self.slurm_host!r} is not [user@]host[:port]")

    def _faults_of_aws(self) -> Iterator[Fault]:
        if self.store == "aws" and self.bucket is None:
            yield Fault("bucket", "is needed where the store is aws: set S3_BUCKET")
        if self.bucket is not None and not re.fullmatch(_BUCKET, self.bucket):
            yield Fault("bucket", f"{self.bucket!r} is no name of an S3 bucket")
        for name, table in (("table", self.table), ("customer_table", self.customer_table)):
            if table is not None and not re.fullmatch(r"[A-Za-z0-9_.-]{3,255}", table):
                yield Fault(name, f"{table!r} is no name of a DynamoDB table")
        if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", self.region):
            yield Fault("region", f"{self.region!r} is no region of AWS, such as us-west-2")

    def _faults_of_channels(self) -> Iterator[Fault]:
        topic = self.sns_topic_arn
        if topic is not None and not re.fullmatch(_TOPIC, topic):
            yield Fault("sns_topic_arn", f"{topic!r} is no ARN of an SNS topic")
        if self.linear_team_id is not None and self.linear_api_key is None:
            yield Fault("linear_api_key", "is needed beside the team: set LINEAR_API_KEY")
        if not re.fullmatch(r"https?://[^/@\s]+(/[^@\s]*)?", self.linear_url):
            yield Fault("linear_url", "is not an http(s) address without user name and password")

    def within(self, cluster: ClusterSettings) -> "Settings":
        """Return the settings as they are in a cluster."""
        changes: dict[str, Any] = dict(cluster.engine)
        return attrs.evolve(self, clusters=(), **changes)

    @property
    def worksets_table(self) -> str | None:
        """Name of the table of worksets; None where they are kept in the bucket alone."""
        return None if self.table == NO_TABLE else self.table

    @property
    def customers_table(self) -> str | None:
        """Name of the table of customers; None where they are kept in the bucket alone."""
        if self.customer_table is not None or self.worksets_table is None:
            return self.customer_table
        return f"{self.table}-customers"

    @property
    def without_table(self) -> bool:
        """Whether worksets are kept in a bucket alone."""
        return self.store == "aws" and self.worksets_table is None

    @property
    def registry(self) -> PipelineRegistry:
        """The pipelines, by name and alias."""
        return PipelineRegistry(self.pipelines)


@frozen
class Loaded:
    """Settings, and for each where its value came from."""

    settings: Settings
    origins: Mapping[str, str]

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Yield name, value for people (secrets masked) and origin of every setting."""
        for attribute in attrs.fields(Settings):
            yield (
                attribute.name,
                _shown(getattr(self.settings, attribute.name)),
                self.origins[attribute.name],
            )


def load(
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    path: Path | None = None,
) -> Loaded:
    """
    Read the settings.

    Args:
        flags: Values given on the command line, by setting; those that are None were not given.
        environ: The environment; None reads that of the process.
        path: The YAML file; None takes ``$DAYLILY_CONFIG``, or the user's own if there is one.

    Raises:
        ConfigError: Something is wrong; every fault is listed.
    """
    environ = os.environ if environ is None else environ
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    file, written, faults = _file(path, environ)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for attribute in attrs.fields(Settings):
        name, variable = attribute.name, _variable(attribute, environ)
        if name in given:
            raw, origin = given[name], f"--{name.replace('_', '-')}"
        elif variable is not None:
            raw, origin = environ[variable], f"${variable}"
        elif name in written:
            raw, origin = written[name], str(file)
        else:
            origins[name] = "default"
            continue
        origins[name] = origin
        try:
            values[name] = _structure(name, raw, attribute.type)
        except InvalidInputError as error:
            faults += [Fault(f"{fault.place} ({origin})", fault.message) for fault in error.faults]
        except (ValueError, TypeError, cattrs.BaseValidationError):
            shown = "the value" if attribute.type == Secret | None else repr(raw)[:80]
            faults.append(Fault(f"{name} ({origin})", f"{shown} is not {_wanted(attribute.type)}"))
    faults += [
        Fault(f"{name} ({file})", "is no setting of daylily")
        for name in written
        if name not in attrs.fields_dict(Settings)
    ]
    for name, (implied, origin) in _implied(values, origins, environ).items():
        values[name], origins[name] = implied, origin
    settings = Settings(**values)
    faults += [
        Fault(f"{fault.place} ({origins.get(fault.place, str(file))})", fault.message)
        for fault in settings.faults()
    ]
    if faults:
        raise ConfigError(faults)
    return Loaded(settings, origins)


def _variable(attribute: "attrs.Attribute[Any]", environ: Mapping[str, str]) -> str | None:
    """Return the variable that says something of a setting; those of old versions come last."""
    metadata = attribute.metadata
    names = (metadata.get("variable", ""), *metadata.get("fallbacks", ()))
    return next((name for name in names if environ.get(name)), None)


def _implied(
    values: Mapping[str, Any], origins: Mapping[str, str], environ: Mapping[str, str]
) -> Mapping[str, tuple[str, str]]:
    """Return what follows from what was said for settings of which nothing was said, and why."""
    found: dict[str, tuple[str, str]] = {}
    if origins["store"] == "default" and values.get("bucket") is not None:
        found["store"] = "aws", f"as there is a bucket ({origins['bucket']})"
    if origins["region"] == "default" and "aws" in (values.get("store"), *found.get("store", ())):
        # In this order boto3 looks, too.
        profile = environ.get("AWS_DEFAULT_PROFILE") or environ.get("AWS_PROFILE") or "default"
        if region := _region_of_profile(profile, environ):
            found["region"] = region, f"AWS profile {profile}"
    return found


def _region_of_profile(profile: str, environ: Mapping[str, str]) -> str | None:
    """Return the region that a profile of AWS names, found where boto3 would find it."""
    from botocore import configloader, exceptions

    home = environ.get("HOME")

    def path(variable: str, name: str) -> str:
        return environ.get(variable) or (f"{home}/.aws/{name}" if home else os.devnull)

    region: str | None = None
    # A file that is not there, or makes no sense, is for boto3 to tell of once it is asked.
    with suppress(exceptions.ConfigNotFound, exceptions.ConfigParseError):
        profiles = configloader.load_config(path("AWS_CONFIG_FILE", "config"))["profiles"]
        region = profiles.get(profile, {}).get("region")
    with suppress(exceptions.ConfigNotFound, exceptions.ConfigParseError):
        file = path("AWS_SHARED_CREDENTIALS_FILE", "credentials")
        region = configloader.raw_config_parse(file).get(profile, {}).get("region", region)
    return region


def _file(
    path: Path | None, environ: Mapping[str, str]
) -> tuple[Path | None, Mapping[str, Any], list[Fault]]:
    """Return the YAML file's path and content, and what is wrong with it as a whole."""
    named = path or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    file = named or Path(platformdirs.user_config_dir("daylily", appauthor=False)) / "config.yaml"
    if named is None and not file.is_file():
        return None, {}, []
    try:
        if file.stat().st_size > _MAX_FILE:
            return file, {}, [Fault(str(file), "is larger than 1 MiB")]
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        return file, {}, [Fault(str(file), f"cannot be read: {error}")]
    except yaml.YAMLError as error:
        return file, {}, [Fault(str(file), f"is not YAML: {error}")]
    if content is None:
        return file, {}, []
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        return file, {}, [Fault(str(file), "must be a mapping of settings")]
    said = {key.replace("-", "_"): value for key, value in content.items()}
    twice = [name for name in _GUIDE if name in said and _GUIDE[name] in said]
    faults = [Fault(f"{name} ({file})", f"is {_GUIDE[name]}, which is there too") for name in twice]
    return file, {_GUIDE.get(name, name): value for name, value in said.items()}, faults


_converter = cattrs.Converter(forbid_extra_keys=True)


@_converter.register_structure_hook
def _seconds(value: Any, _: type[timedelta]) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool):
        raise ValueError(value)
    return timedelta(seconds=float(value))


@_converter.register_structure_hook
def _whole(value: Any, _: type[int]) -> int:
    if isinstance(value, bool | float):
        raise ValueError(value)
    return int(value)


@_converter.register_structure_hook
def _yes_or_no(value: Any, _: type[bool]) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


@_converter.register_structure_hook
def _per(value: Any, _: type[Per]) -> Per:
    return Per(value)


@_converter.register_structure_hook
def _text(value: Any, _: type[str]) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


@_converter.register_structure_hook
def _path(value: Any, _: type[Path]) -> Path:
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError(value)
    return Path(value).expanduser().absolute()


@_converter.register_structure_hook
def _secret(value: Any, _: type[Secret]) -> Secret:
    if not isinstance(value, str):
        raise ValueError(value)
    return Secret(value)


@frozen(kw_only=True)
class _WrittenStep:
    """A step as the YAML file has it; what it leaves out is as in the shipped step of that name."""

    name: str
    command: tuple[str, ...] | None = None
    per: Per | None = None
    optional: bool | None = None
    on_cancel: tuple[str, ...] | None = None


@frozen(kw_only=True)
class _WrittenPipeline:
    """A pipeline as the YAML file has it; what it leaves out is as shipped, if it was shipped."""

    command: tuple[str, ...] | None = None
    per_sample: bool | None = None
    sample_option: str | None = None
    steps: tuple[_WrittenStep, ...] | None = None
    description: str | None = None
    cpus: int | None = None
    memory_gb: float | None = None
    time_limit: timedelta | None = None
    vcpu_hours_per_sample: float | None = None
    aliases: tuple[str, ...] | None = None


def _structure(name: str, raw: object, kind: Any) -> object:
    if name == "pipelines":
        return _pipelines(raw)
    if name == "clusters":
        return _clusters(raw)
    if choices := _choices(kind):
        word = str(raw).upper() if name == "log_level" else raw
        if word not in choices:
            raise ValueError(raw)
        return word
    return _converter.structure(raw, kind)


def _choices(kind: object) -> tuple[str, ...]:
    return tuple(choice for choice in get_args(kind) if isinstance(choice, str))


def _pipelines(raw: object) -> tuple[Pipeline, ...]:
    if not isinstance(raw, dict):
        raise InvalidInputError.of("pipelines", "must be a mapping of names to pipelines")
    found = {pipeline.name: pipeline for pipeline in SHIPPED}
    faults: list[Fault] = []
    for name, body in raw.items():
        place = f"pipelines.{name}"
        if not isinstance(name, str) or not is_id(name) or name != name.lower():
            faults.append(Fault(place, f"the name must be {ID_RULE}, in lower case"))
            continue
        try:
            written = _converter.structure(body, _WrittenPipeline)
        except cattrs.BaseValidationError as error:
            faults += [Fault(place, text) for text in cattrs.transform_error(error)]
        else:
            found[name] = _merged(found.get(name, Pipeline(name=name)), written)
    if faults:
        raise InvalidInputError(faults)
    return tuple(found.values())


@frozen(kw_only=True)
class _WrittenCluster:
    """What a cluster can take, as the YAML file has it."""

    availability_zone: str | None = None
    max_concurrent: int = 3
    max_vcpus: int | None = None
    cost_per_vcpu_hour: float = 0.0


def _clusters(raw: object) -> tuple[ClusterSettings, ...]:
    if not isinstance(raw, dict):
        raise InvalidInputError.of("clusters", "must be a mapping of names to clusters")
    found: list[ClusterSettings] = []
    faults: list[Fault] = []
    for name, body in raw.items():
        place = f"clusters.{name}"
        if not isinstance(name, str) or not is_id(name):
            faults.append(Fault(place, f"the name must be {ID_RULE}"))
        elif not isinstance(body, dict) or not all(isinstance(key, str) for key in body):
            faults.append(Fault(place, "must be a mapping of settings"))
        else:
            found += _cluster(name, body, faults)
    if faults:
        raise InvalidInputError(faults)
    return tuple(found)


def _cluster(name: str, body: Mapping[str, Any], faults: list[Fault]) -> Iterator[ClusterSettings]:
    """Yield the cluster, unless something is wrong with it, which is added to *faults*."""
    place = f"clusters.{name}"
    engine: dict[str, object] = {}
    for attribute in attrs.fields(Settings):
        key = attribute.name
        if key in body and _is_of_engine(key):
            try:
                engine[key] = _structure(key, body[key], attribute.type)
            except (ValueError, TypeError, cattrs.BaseValidationError):
                text = f"{body[key]!r:.80} is not {_wanted(attribute.type)}"
                faults.append(Fault(f"{place}.{key}", text))
    rest = {key: value for key, value in body.items() if not _is_of_engine(key)}
    try:
        written = _converter.structure(rest, _WrittenCluster)
    except cattrs.BaseValidationError as error:
        faults += [Fault(place, text) for text in cattrs.transform_error(error)]
    else:
        yield ClusterSettings(Cluster(name=name, **attrs.asdict(written)), engine)


def _is_of_engine(name: str) -> bool:
    """Tell whether each cluster may have a setting of its own."""
    return name in attrs.fields_dict(Settings) and name.startswith(("engine", "slurm_", "batch_"))


def _merged(shipped: Pipeline, written: _WrittenPipeline) -> Pipeline:
    changes = _said(written)
    if written.steps is not None:
        changes["steps"] = tuple(_step(shipped, each) for each in written.steps)
    if not {"command", "steps"}.isdisjoint(changes):
        # What was said of the command that is replaced is not true of another.
        blank = {"command": None, "steps": (), "per_sample": False, "sample_option": None}
        changes = blank | changes
    # Who names it has what it needs.
    changes["set_up"] = True
    needs = {name: changes.pop(name) for name in attrs.fields_dict(Resources) if name in changes}
    return attrs.evolve(shipped, resources=attrs.evolve(shipped.resources, **needs), **changes)


def _step(pipeline: Pipeline, written: _WrittenStep) -> Step:
    known = {step.name: step for step in pipeline.steps}
    return attrs.evolve(known.get(written.name, Step(name=written.name, command=())), **_said(written))


def _said(written: Any) -> dict[str, Any]:
    named = attrs.asdict(written, recurse=False)
    return {name: value for name, value in named.items() if value is not None}


def _wanted(kind: object) -> str:
    words = {int: "a whole number", timedelta: "a number of seconds", str: "a text", Path: "a path"}
    if isinstance(kind, type) and kind in words:
        return words[kind]
    choices = _choices(kind)
    return f"one of {', '.join(choices)}" if choices else "a text"


def _named(item: object) -> str:
    if isinstance(item, ClusterSettings):
        return item.cluster.name
    return item.name if isinstance(item, Pipeline) else str(item)


def _shown(value: object) -> str:
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g} s"
    if isinstance(value, tuple):
        return ", ".join(map(_named, value)) or "-"
    return "-" if value is None else str(value)
