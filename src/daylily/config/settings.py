"""What an installation may be told to do, and what is wrong with it."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal

import attrs
import platformdirs
from attrs import field, frozen

from daylily.domain.audience import EVERYTHING, Audience
from daylily.domain.clusters import Cluster
from daylily.domain.errors import Fault
from daylily.domain.names import ID_RULE, is_id
from daylily.domain.pipelines import SHIPPED, Pipeline, PipelineRegistry

MASK: Final = "********"
MOST_CONCURRENT: Final = 100_000
NO_TABLE: Final = "none"
"""The name of a table that says there is none."""
_LOGIN_NODE: Final = r"([a-z_][a-z0-9_-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?"
_TOPIC: Final = r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{1,12}:[A-Za-z0-9_-]{1,256}(\.fifo)?"
_ADDRESS: Final = r"https?://[^/@\s]+(/[^@\s]*)?"
_AN_ADDRESS: Final = "an http(s) address without user name and password"
_HTTPS: Final = r"https://[^/@\s?#]+(/[^@\s?#]*)?"
_LOOPBACK: Final = r"http://(127\.[0-9.]+|localhost|\[::1\])(:[0-9]+)?(/[^@\s]*)?"
CHANNELS: Final = ("sns", "linear", "webhook", "journal")
"""Names of channels that other settings switch on; each further name is a webhook."""
_LEAST_KEY: Final = 24
"""Bytes, as Standard Webhooks has it; few can be guessed from one signed message."""
_HEAD_NODE: Final = r"([a-z_][a-z0-9_-]{0,31}@)?(i-[0-9a-f]{8,17}|[A-Za-z][A-Za-z0-9-]{0,59})"
_OF_BATCH: Final = (
    r"(arn:aws[a-z-]*:batch:[a-z0-9-]+:[0-9]{12}:job-[a-z]+/)?[A-Za-z0-9][A-Za-z0-9_-]{0,127}(:[0-9]+)?"
)
_BUCKET: Final = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


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
class ChannelSettings:
    """A channel and what goes to it; one with an address is a webhook."""

    name: str
    url: str | None = None
    secret: Secret | None = None
    audience: Audience = EVERYTHING


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
    engine: Literal["local", "slurm", "batch", "memory"] = _setting(
        "local",
        "DAYLILY_ENGINE",
        "What runs pipelines: local (processes), slurm, batch (AWS Batch), or memory (pretends).",
    )
    engine_python: str | None = _setting(
        None,
        "DAYLILY_ENGINE_PYTHON",
        "Interpreter that has Daylily on the engine's machines; without it this one, on Batch python3.",
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
    slurm_head_node: str | None = _setting(
        None,
        "DAYLILY_SLURM_HEAD_NODE",
        "Head node to reach through AWS Systems Manager: [user@]instance-id, or [user@]name of a "
        "ParallelCluster.",
    )
    profile: str | None = field(
        default=None,
        metadata={"help": "AWS profile (YAML file only), instead of the one that boto3 finds."},
    )
    batch_queue: str | None = _setting(
        None, "DAYLILY_BATCH_QUEUE", "Job queue of AWS Batch: its name or ARN."
    )
    batch_definition: str | None = _setting(
        None,
        "DAYLILY_BATCH_DEFINITION",
        "Job definition of AWS Batch, whose image has Daylily in it: its name, name:revision or ARN.",
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
    webhook_url: str | None = _setting(
        None, "DAYLILY_WEBHOOK_URL", "Address to which news are posted as signed CloudEvents."
    )
    webhook_secret: Secret | None = _setting(
        None, "DAYLILY_WEBHOOK_SECRET", "What signs them: a text that the receiver knows too."
    )
    channels: tuple[ChannelSettings, ...] = field(
        default=(),
        metadata={
            "help": "What goes to sns, linear, journal and webhook, and further webhooks by name "
            "(YAML file only)."
        },
    )
    cognito_user_pool_id: str | None = _setting(
        None, "COGNITO_USER_POOL_ID", "Cognito user pool whose users may sign in."
    )
    cognito_app_client_id: str | None = _setting(
        None, "COGNITO_APP_CLIENT_ID", "App client of that pool."
    )
    oidc_issuer: str | None = _setting(
        None, "DAYLILY_OIDC_ISSUER", "OpenID provider, other than Cognito, whose tokens are taken."
    )
    oidc_audience: str | None = _setting(
        None, "DAYLILY_OIDC_AUDIENCE", "Whom its tokens must be for: the client's id."
    )
    oidc_client_secret: Secret | None = _setting(
        None,
        "DAYLILY_OIDC_CLIENT_SECRET",
        "Secret of that client, where the provider has given it one: for signing in to the portal.",
    )
    jwks_url: str | None = _setting(
        None, "DAYLILY_JWKS_URL", "Address of the issuer's keys, if it is not where it should be."
    )
    customer_claim: str = _setting(
        "custom:customer_id", "DAYLILY_CUSTOMER_CLAIM", "Claim of a token that names the customer."
    )
    groups_claim: str | None = _setting(
        None,
        "DAYLILY_GROUPS_CLAIM",
        "Claim that lists groups; without it cognito:groups, or groups of another provider.",
    )
    admin_group: str = _setting(
        "daylily-admins", "DAYLILY_ADMIN_GROUP", "Group whose members manage their customer."
    )
    operator_group: str = _setting(
        "daylily-operators", "DAYLILY_OPERATOR_GROUP", "Group whose members are operators."
    )
    customer: str = _setting("local", "DAYLILY_CUSTOMER", "Customer that commands act for.")
    url: str | None = _setting(
        None, "DAYLILY_URL", "Address of a server to work against instead of the local store."
    )
    token: Secret | None = _setting(None, "DAYLILY_TOKEN", "Token that the server asks for.")
    host: str = _setting("127.0.0.1", "DAYLILY_HOST", "Address to listen on.")
    port: int = _setting(8000, "DAYLILY_PORT", "Port to listen on; 0 takes a free one.")
    inputs: str = _setting(
        "",
        "DAYLILY_INPUTS",
        "Folders of other buckets whose files customers may name, s3://bucket/folder/, separated by "
        "blanks; {customer_id} in one makes it that customer's.",
    )
    cors_origins: str = _setting(
        "",
        "DAYLILY_CORS_ORIGINS",
        "Sites whose pages may call the API from a browser, separated by blanks; without it, none.",
    )
    rate_limit: int = _setting(
        3000,
        "DAYLILY_RATE_LIMIT",
        "Requests a minute of one caller from elsewhere; a tenth of it of an address without a token. "
        "0: any number.",
    )
    poll_interval: timedelta = _setting(
        timedelta(seconds=2), "DAYLILY_POLL_INTERVAL", "Seconds between cycles of the monitor."
    )
    continuous: bool = field(
        default=True,
        metadata={"help": "Whether a monitor goes on after its first cycle (YAML file only)."},
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
    emf: bool = _setting(
        False,
        "DAYLILY_EMF",
        "Whether a monitor prints a line of figures a cycle, as CloudWatch takes them from logs: true.",
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
        yield from self._faults_of_issuers()
        yield from self._faults_of_engine()
        yield from self._faults_of_origins()
        yield from self._faults_of_inputs()
        for each in self.clusters:
            yield from each.cluster.faults()
            for fault in self.within(each)._faults_of_engine():
                yield Fault(f"clusters.{each.cluster.name}.{fault.place}", fault.message)
        if self.url is not None and not re.fullmatch(_ADDRESS, self.url):
            yield Fault("url", f"is not {_AN_ADDRESS}")
        bounds = (
            ("port", self.port, 0, 65535),
            ("rate_limit", self.rate_limit, 0, 10_000_000),
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

    def _faults_of_inputs(self) -> Iterator[Fault]:
        for folder in self.input_folders:
            plain = folder.replace("{customer_id}", "x")
            if not re.fullmatch(rf"s3://{_BUCKET}/([^/\\]+/)*", plain) or ".." in plain.split("/"):
                yield Fault("inputs", f"{folder!r} is no folder such as s3://bucket/folder/")
            elif self.bucket is not None and folder.startswith(f"s3://{self.bucket}/"):
                yield Fault("inputs", f"{folder!r} is in our own bucket, where customers have a space")
        if self.input_folders and self.store != "aws":
            yield Fault("inputs", "are for the store aws: nothing else here asks S3")

    def _faults_of_origins(self) -> Iterator[Fault]:
        for origin in self.origins:
            if not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+", origin):
                text = "is no site such as https://lab.example: no path, and nothing for all of them"
                yield Fault("cors_origins", f"{origin!r} {text}")

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
        if self.slurm_head_node is not None:
            if not re.fullmatch(_HEAD_NODE, self.slurm_head_node):
                text = f"{self.slurm_head_node!r} is not [user@]instance-id or [user@]cluster"
                yield Fault("slurm_head_node", text)
            if self.slurm_host is not None:
                yield Fault("slurm_head_node", "is one way to a cluster, slurm_host another: name one")
        for name in ("batch_queue", "batch_definition"):
            given = getattr(self, name)
            if given is not None and not re.fullmatch(_OF_BATCH, given):
                yield Fault(name, f"{given!r} is neither a name at AWS Batch nor an ARN")
            if self.engine == "batch" and given is None:
                yield Fault(name, f"is needed for the engine batch: set DAYLILY_{name.upper()}")
        if self.engine == "batch" and self.bucket is None:
            yield Fault("engine", "batch needs a bucket, in which its machines find worksets")

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

    def _faults_of_issuers(self) -> Iterator[Fault]:
        if self.cognito_user_pool_id is not None and not re.fullmatch(
            r"[a-z]{2}(-[a-z]+)+-\d_[A-Za-z0-9]+", self.cognito_user_pool_id
        ):
            pool = self.cognito_user_pool_id
            yield Fault("cognito_user_pool_id", f"{pool!r} is no pool, such as us-west-2_aBcDeF")
        if (self.oidc_issuer is None) != (self.oidc_audience is None):
            missing = "oidc_issuer" if self.oidc_issuer is None else "oidc_audience"
            yield Fault(missing, "is needed too: a token must be of the issuer, and for the audience")
        for name in ("oidc_issuer", "jwks_url"):
            url = getattr(self, name)
            if url is not None and not re.fullmatch(rf"{_HTTPS}|{_LOOPBACK}", url):
                yield Fault(name, "is not an https address without user name and password")

    def _faults_of_channels(self) -> Iterator[Fault]:
        topic = self.sns_topic_arn
        if topic is not None and not re.fullmatch(_TOPIC, topic):
            yield Fault("sns_topic_arn", f"{topic!r} is no ARN of an SNS topic")
        if self.linear_team_id is not None and self.linear_api_key is None:
            yield Fault("linear_api_key", "is needed beside the team: set LINEAR_API_KEY")
        if not re.fullmatch(_ADDRESS, self.linear_url):
            yield Fault("linear_url", f"is not {_AN_ADDRESS}")
        if self.webhook_url is None and self.webhook_secret is not None:
            yield Fault("webhook_url", "is needed beside the secret: set DAYLILY_WEBHOOK_URL")
        if self.webhook_url is not None:
            yield from _faults_of_webhook("webhook_url", self.webhook_url)
            yield from _faults_of_secret("webhook_secret", self.webhook_secret)
        for each in self.channels:
            place = f"channels.{each.name}"
            if each.name in CHANNELS:
                if each.url is not None or each.secret is not None:
                    yield Fault(place, "is a channel of its own: it takes neither url nor secret")
                continue
            if each.url is None:
                known = ", ".join(CHANNELS)
                yield Fault(f"{place}.url", f"is needed: other channels than {known} are webhooks")
            else:
                yield from _faults_of_webhook(f"{place}.url", each.url)
            yield from _faults_of_secret(f"{place}.secret", each.secret)

    def within(self, cluster: ClusterSettings) -> "Settings":
        """Return the settings as they are in a cluster."""
        changes: dict[str, Any] = dict(cluster.engine)
        return attrs.evolve(self, clusters=(), **changes)

    @property
    def input_folders(self) -> tuple[str, ...]:
        """The folders of other buckets whose files customers may name."""
        return tuple(self.inputs.split())

    @property
    def origins(self) -> tuple[str, ...]:
        """The sites whose pages may call the API from a browser."""
        return tuple(self.cors_origins.split())

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
    def documents_table(self) -> str | None:
        """Name of the table of tokens, users and such; None where they are kept in the bucket alone."""
        return None if self.worksets_table is None else f"{self.table}-documents"

    @property
    def asks_cognito(self) -> bool:
        """Whether people of a user pool sign in."""
        return bool(self.cognito_user_pool_id and self.cognito_app_client_id)

    @property
    def has_issuer(self) -> bool:
        """Whether tokens are taken that somebody else has signed."""
        return self.asks_cognito or self.oidc_issuer is not None

    @property
    def without_table(self) -> bool:
        """Whether worksets are kept in a bucket alone."""
        return self.store == "aws" and self.worksets_table is None

    @property
    def job_python(self) -> str | None:
        """Interpreter that jobs are run by; None: the one that runs this."""
        return self.engine_python or ("python3" if self.engine == "batch" else None)

    @property
    def registry(self) -> PipelineRegistry:
        """The pipelines, by name and alias."""
        return PipelineRegistry(self.pipelines)


def _faults_of_webhook(place: str, url: str) -> Iterator[Fault]:
    if not re.fullmatch(_ADDRESS, url):
        yield Fault(place, f"is not {_AN_ADDRESS}")
    elif not url.startswith("https://") and not re.fullmatch(_LOOPBACK, url):
        yield Fault(place, "is not https: whoever is between could read the news")


def _faults_of_secret(place: str, secret: Secret | None) -> Iterator[Fault]:
    coded = "" if secret is None else secret.reveal()
    try:
        key = base64.b64decode(coded.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not coded.startswith("whsec_") or len(key) < _LEAST_KEY:
        yield Fault(
            place,
            f"is needed: whsec_ and at least {_LEAST_KEY} random bytes in base64, as of "
            "'openssl rand -base64 32'",
        )
