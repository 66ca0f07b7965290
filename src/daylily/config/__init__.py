"""
Settings: flags over environment over YAML file over defaults; read once, checked once, frozen.

Nothing else in Daylily reads the environment. Every fault is listed at once, with where it stands.
"""

from daylily.config.file import CONFIG_VARIABLE
from daylily.config.loading import ConfigError, Loaded, load
from daylily.config.settings import (
    CHANNELS,
    MASK,
    MOST_CONCURRENT,
    NO_TABLE,
    ChannelSettings,
    ClusterSettings,
    LogLevel,
    Secret,
    Settings,
)

__all__ = [
    "CHANNELS",
    "CONFIG_VARIABLE",
    "MASK",
    "MOST_CONCURRENT",
    "NO_TABLE",
    "ChannelSettings",
    "ClusterSettings",
    "ConfigError",
    "Loaded",
    "LogLevel",
    "Secret",
    "Settings",
    "load",
]
