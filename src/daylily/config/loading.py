"""Flags over environment over YAML file over defaults: read once, checked once."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import cattrs
from attrs import frozen

from daylily.config.file import read_file
from daylily.config.settings import MASK, ChannelSettings, ClusterSettings, Secret, Settings
from daylily.config.written import structure, wanted
from daylily.domain.errors import Fault, InvalidInputError
from daylily.domain.pipelines import Pipeline


class ConfigError(InvalidInputError):
    """The settings are wrong; the message lists every fault with where it stands."""


@frozen
class Loaded:
    """Settings, and for each where its value came from."""

    settings: Settings
    origins: Mapping[str, str]
    notes: tuple[str, ...] = ()
    """What a file of the old monitor says that means nothing here, one line a key."""

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
    written = read_file(path, environ)
    faults = list(written.faults)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for attribute in attrs.fields(Settings):
        name, variable = attribute.name, _variable(attribute, environ)
        if name in given:
            raw, origin = given[name], f"--{name.replace('_', '-')}"
        elif variable is not None:
            raw, origin = environ[variable], f"${variable}"
        elif name in written.values:
            raw, origin = written.values[name], written.place(name)
        else:
            origins[name] = "default"
            continue
        origins[name] = origin
        try:
            values[name] = structure(name, raw, attribute.type)
        except InvalidInputError as error:
            faults += [Fault(f"{fault.place} ({origin})", fault.message) for fault in error.faults]
        except (ValueError, TypeError, cattrs.BaseValidationError):
            shown = "the value" if attribute.type == Secret | None else repr(raw)[:80]
            faults.append(Fault(f"{name} ({origin})", f"{shown} is not {wanted(attribute.type)}"))
    faults += [
        Fault(f"{name} ({written.file})", "is no setting of daylily")
        for name in written.values
        if name not in attrs.fields_dict(Settings)
    ]
    for name, (implied, origin) in _implied(values, origins, environ).items():
        values[name], origins[name] = implied, origin
    settings = Settings(**values)
    faults += [
        Fault(f"{fault.place} ({origins.get(fault.place, str(written.file))})", fault.message)
        for fault in settings.faults()
    ]
    if faults:
        raise ConfigError(faults)
    return Loaded(settings, origins, tuple(f"{written.file}: {note}" for note in written.notes))


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
        names = (values.get("profile"), *map(environ.get, ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")))
        profile = next((name for name in names if name), "default")
        if region := _region_of_profile(profile, environ):
            found["region"] = region, f"AWS profile {profile}"
    return found


def _region_of_profile(profile: str, environ: Mapping[str, str]) -> str | None:
    """Return the region that a profile of AWS names, found where boto3 would find it."""
    try:
        from botocore import configloader, exceptions
    except ModuleNotFoundError:  # whoever turns to AWS with these settings is told what to install
        return None

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


def _named(item: object) -> str:
    if isinstance(item, ClusterSettings):
        return item.cluster.name
    return item.name if isinstance(item, Pipeline | ChannelSettings) else str(item)


def _shown(value: object) -> str:
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g} s"
    if isinstance(value, tuple):
        return ", ".join(map(_named, value)) or "-"
    return "-" if value is None else str(value)
