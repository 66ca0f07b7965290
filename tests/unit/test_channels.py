"""Which channels the settings name, and under which names they may stand."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve

from daylily.adapters.aws.sns import SNSNotifier
from daylily.adapters.filtered import FilteredNotifier
from daylily.adapters.linear import LinearNotifier
from daylily.adapters.local.notifier import JournalNotifier
from daylily.adapters.memory.notifier import InMemoryNotifier
from daylily.adapters.system import utc_now
from daylily.adapters.webhook import WebhookNotifier
from daylily.application.deliver_notices import DeliverNotices
from daylily.bootstrap import bootstrap, connect
from daylily.config import ConfigError, Secret, Settings, load
from daylily.domain.audience import Audience
from daylily.domain.errors import UnavailableError
from daylily.domain.events import ALL_NEWS, Event, EventKind
from daylily.ports.notifier import Notifier
from daylily.testing.clock import ManualClock
from daylily.testing.samples import an_event

TOPIC = "arn:aws:sns:us-west-2:123456789:workset-notifications"
GUIDE = {
    "S3_BUCKET": "daylily-worksets-bucket",
    "SNS_TOPIC_ARN": TOPIC,
    "LINEAR_API_KEY": "lin_api_x",
    "LINEAR_TEAM_ID": "team-7",
    "COGNITO_USER_POOL_ID": "us-west-2_abc",
    "COGNITO_APP_CLIENT_ID": "client-7",
}


class MuteChat:
    """A channel that nobody answers."""

    kinds = ALL_NEWS

    def send(self, event: Event) -> None:
        raise UnavailableError("it is away")


def test_the_variables_of_the_guide() -> None:
    """Each is a setting; the key shows itself to nobody."""
    loaded = load({}, GUIDE)
    settings = loaded.settings
    assert (settings.sns_topic_arn, settings.linear_team_id) == (TOPIC, "team-7")
    assert settings.linear_api_key == Secret("lin_api_x")
    assert (settings.cognito_user_pool_id, settings.cognito_app_client_id) == (
        *("us-west-2_abc", "client-7"),
    )
    assert "lin_api_x" not in f"{settings!r}{list(loaded.rows())}"


def test_the_name_of_the_topic_of_old() -> None:
    """The guide's variable goes before it."""
    old = {"DAYLILY_SNS_TOPIC_ARN": TOPIC}
    assert load({}, old).settings.sns_topic_arn == TOPIC
    assert load({}, {**old, "SNS_TOPIC_ARN": f"{TOPIC}-2"}).settings.sns_topic_arn == f"{TOPIC}-2"


def test_the_flat_file_of_the_guide(tmp_path: Path) -> None:
    """``monitor-config.yaml`` as it is printed."""
    file = tmp_path / "monitor-config.yaml"
    file.write_text(
        "bucket: daylily-worksets-bucket\nprefix: worksets/\ndynamodb_table: daylily-worksets\n"
        f"poll_interval: 60\nsns_topic_arn: {TOPIC}\n"
    )
    settings = load({}, {}, file).settings
    assert (settings.store, settings.table) == ("aws", "daylily-worksets")
    assert settings.poll_interval.total_seconds() == 60
    assert settings.sns_topic_arn == TOPIC


def test_one_setting_under_two_names(tmp_path: Path) -> None:
    """Which of them counts is nobody's to guess."""
    file = tmp_path / "monitor-config.yaml"
    file.write_text("dynamodb_table: one\ntable: two\ndynamodb-region: us-east-1\n")
    with pytest.raises(ConfigError, match=r"dynamodb_table .*is table, which is there too"):
        load({}, {}, file)


@pytest.mark.parametrize(
    ("variable", "value", "place"),
    [
        ("SNS_TOPIC_ARN", "notifications", "sns_topic_arn"),
        ("SNS_TOPIC_ARN", "arn:aws:sqs:us-west-2:123456789:x", "sns_topic_arn"),
        ("LINEAR_TEAM_ID", "team-7", "linear_api_key"),
        ("DAYLILY_LINEAR_URL", "ftp://linear", "linear_url"),
    ],
)
def test_what_cannot_be_a_channel(variable: str, value: str, place: str) -> None:
    """It is told before anything begins (D-63)."""
    with pytest.raises(ConfigError) as caught:
        load({}, {variable: value})
    assert [fault.place.partition(" ")[0] for fault in caught.value.faults] == [place]


def settings_of(tmp_path: Path, **more: object) -> Settings:
    """Return settings of a home of its own."""
    return load({"home": tmp_path, "engine": "memory", **more}, {}).settings


def kinds_of(settings: Settings) -> Mapping[str, type]:
    """Return of what kind each channel is that is told."""
    world = connect(settings)
    assert isinstance(world.notifier, DeliverNotices)
    assert world.notifier.channels is world.channels
    return {name: type(unfiltered(channel)) for name, channel in world.channels.items()}


def unfiltered(channel: Notifier) -> Notifier:
    """Return what an audience listens to."""
    assert isinstance(channel, FilteredNotifier)
    return channel.channel


def test_without_channels_there_is_a_journal(tmp_path: Path) -> None:
    """In the home, wherever worksets are."""
    for more in ({"store": "local"}, {"bucket": "genomes"}):
        assert kinds_of(settings_of(tmp_path, **more)) == {"journal": JournalNotifier}


def test_each_that_is_named_is_told(tmp_path: Path) -> None:
    """One machine keeps its journal beside; many have no home in common."""
    named = {"sns_topic_arn": TOPIC, "linear_api_key": "lin_api_x", "linear_team_id": "team-7"}
    both = kinds_of(settings_of(tmp_path, bucket="genomes", **named))
    assert both == {"sns": SNSNotifier, "linear": LinearNotifier}
    local = kinds_of(settings_of(tmp_path, store="local", sns_topic_arn=TOPIC))
    assert local == {"sns": SNSNotifier, "journal": JournalNotifier}


def test_a_channel_of_ones_own_comes_beside(tmp_path: Path) -> None:
    """It is told with the others, holds up none; what it never takes is laid on the list."""
    clock = ManualClock()
    world = evolve(connect(settings_of(tmp_path)), clock=clock)
    journal, chat = InMemoryNotifier(), MuteChat()
    both = evolve(world, channels={"journal": journal}).with_channel("chat", chat)
    assert [*both.channels] == ["journal", "chat"]
    assert both.notifier.kinds == journal.kinds | chat.kinds

    event = evolve(an_event(), at=clock())
    for _ in range(2):
        with pytest.raises(UnavailableError, match=r"^chat: it is away$"):
            both.notifier.send(event)
    assert journal.sent == [event]
    clock.advance(timedelta(days=1))
    both.notifier.send(event)
    assert both.given_up() == 1
    (dead,) = bootstrap(settings_of(tmp_path), world=both).redeliver.waiting()
    assert (dead.channel, dead.event) == ("chat", event)
    world.close()


def test_the_topics_own_region_counts(tmp_path: Path) -> None:
    """Not that of the table."""
    settings = settings_of(tmp_path, bucket="genomes", sns_topic_arn=TOPIC, region="eu-west-1")
    sns = unfiltered(connect(settings).channels["sns"])
    assert isinstance(sns, SNSNotifier)
    assert sns.client.meta.region_name == "us-west-2"


def test_a_key_alone_is_no_channel(tmp_path: Path) -> None:
    """People have keys of Linear for other programs; a monitor that was told of one says so."""
    settings = settings_of(tmp_path, bucket="genomes", linear_api_key="lin_api_x")
    assert kinds_of(settings) == {"journal": JournalNotifier}


SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def test_webhooks_and_audiences(tmp_path: Path) -> None:
    """One webhook by variables, more by the file, which also says who hears what."""
    file = tmp_path / "config.yaml"
    file.write_text(
        "bucket: genomes\n"
        "channels:\n"
        f"  lims: {{url: 'https://lims.example.org/hooks', secret: {SECRET}, customers: [acme]}}\n"
        "  webhook: {kinds: [complete, failed]}\n"
        "  sns:\n"
    )
    environ = {
        "DAYLILY_WEBHOOK_URL": "http://127.0.0.1:9/x",
        "DAYLILY_WEBHOOK_SECRET": SECRET,
        "SNS_TOPIC_ARN": TOPIC,
    }
    loaded = load({"home": tmp_path}, environ, file)
    assert ("channels", "lims, webhook, sns", str(file)) in loaded.rows()
    assert SECRET not in f"{loaded!r}{list(loaded.rows())}"
    channels = connect(loaded.settings).channels
    assert list(channels) == ["sns", "webhook", "lims"]
    lims = channels["lims"]
    assert isinstance(lims, FilteredNotifier)
    assert isinstance(lims.channel, WebhookNotifier)
    assert lims.audience == Audience(customers=frozenset({"acme"}))


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        (frozenset({EventKind.STARTED, EventKind.ERROR}), {EventKind.ERROR}),
        (frozenset(), {EventKind.COMPLETE, EventKind.ERROR, EventKind.FAILED}),
    ],
)
def test_what_is_not_wanted_is_not_owed(wanted: frozenset[EventKind], kinds: set[EventKind]) -> None:
    """An audience narrows what the channel passes on, and widens nothing."""
    linear = LinearNotifier("lin_api_0123456789", "team-7", utc_now)
    assert FilteredNotifier(linear, Audience(kinds=wanted)).kinds == kinds


def test_all_that_is_wrong_with_channels(tmp_path: Path) -> None:
    """Each fault under its key."""
    file = tmp_path / "config.yaml"
    file.write_text(
        "channels:\n"
        f"  open: {{url: 'http://lims.example.org/', secret: {SECRET}}}\n"
        "  short: {url: 'https://lims.example.org/', secret: whsec_AAEC}\n"
        "  bare: {url: 'https://lims.example.org/', secret: not-base64-at-all-and-long}\n"
        "  where: {}\n"
        "  linear: {url: 'https://lims.example.org/'}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load({}, {"DAYLILY_WEBHOOK_URL": "lims"}, file)
    assert [fault.place.partition(" ")[0] for fault in caught.value.faults] == [
        *("webhook_url", "webhook_secret", "channels.open.url", "channels.short.secret"),
        *("channels.bare.secret", "channels.where.url", "channels.where.secret", "channels.linear"),
    ]
    with pytest.raises(ConfigError, match=r"webhook_url .*is needed"):
        load({}, {"DAYLILY_WEBHOOK_SECRET": SECRET})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("channels: [sns]\n", "must be a mapping"),
        ("channels: {'a b': {}}\n", "the name must be"),
        ("channels: {sns: {kinds: [birthday]}}\n", "channels.sns"),
        ("channels: {sns: {colour: red}}\n", "channels.sns"),
        ("channels: {sns: [complete]}\n", "channels.sns"),
    ],
)
def test_channels_that_make_no_sense(tmp_path: Path, text: str, told: str) -> None:
    """It is told which, and why."""
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=told):
        load({}, {}, file)
