"""Clients of AWS, as the composition root gets them."""

from pathlib import Path

import pytest

from daylily.adapters.aws.clients import Clients
from daylily.domain.errors import InvalidInputError


def test_clients_follow_the_ways_of_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Address, region and credentials come from where every AWS tool looks; no call hangs for ever."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    clients = Clients(threads=40)

    for client in (clients.dynamodb(), clients.s3()):
        assert client.meta.endpoint_url == "http://127.0.0.1:4566"
        assert client.meta.region_name == "eu-central-1"
        config = client.meta.config
        assert config.max_pool_connections == 40  # type: ignore[attr-defined]
        assert config.retries["mode"] == "adaptive"  # type: ignore[attr-defined]
        assert config.connect_timeout <= 5  # type: ignore[attr-defined]
        assert config.read_timeout <= 30  # type: ignore[attr-defined]


def test_a_region_and_an_address_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is given outranks the environment."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    client = Clients(region="us-west-2").dynamodb("http://127.0.0.1:1")
    assert (client.meta.region_name, client.meta.endpoint_url) == ("us-west-2", "http://127.0.0.1:1")


def test_a_profile_can_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It outranks that of the environment; one that there is not is told of."""
    file = tmp_path / "config"
    file.write_text("[profile lab]\nregion = eu-north-1\n[profile other]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "other")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    assert Clients(profile="lab").s3().meta.region_name == "eu-north-1"
    with pytest.raises(InvalidInputError, match="none-such"):
        Clients(profile="none-such")
