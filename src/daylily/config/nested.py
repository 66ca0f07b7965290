"""
The nested YAML of the old monitor (contract 6.2) in the words of our settings.

Each of its keys is taken over, or named in one line that says why it means nothing here.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from attrs import define, field, frozen

from daylily.domain.errors import Fault
from daylily.domain.spelling import meant

OMICS: Final = "daylily-omics"
"""The pipeline that runs what the old monitor ran."""

_OUR_CLUSTERS: Final = "clusters are made and removed by other tools; name them under 'clusters'"
_OUR_STEPS: Final = f"commands are steps of pipelines.{OMICS} here, each an argument vector"
_NO_TMUX: Final = "the engine keeps jobs; there is no tmux session"
_IN_STORE: Final = "a monitor keeps nothing on its disk; all state is in the store"

_TAKEN: Final = {
    ("aws", "region"): "region",
    ("aws", "profile"): "profile",
    ("monitor", "bucket"): "bucket",
    ("monitor", "prefix"): "prefix",
    ("monitor", "poll_interval_seconds"): "poll_interval",
    ("monitor", "continuous"): "continuous",
    ("monitor", "sentinel_index_prefix"): "index_prefix",
    ("monitor", "archive_prefix"): "archive_prefix",
    ("monitor", "max_concurrent_worksets"): "max_concurrent",
    ("pipeline", "ssh_identity_file"): "slurm_identity",
}
"""Keys that are settings of ours under another name."""

_NOT_APPLICABLE: Final = {
    ("aws", "session_duration_seconds"): "credentials are renewed by boto3 as they run out",
    ("monitor", "ready_lock_backoff_seconds"): "a lock is one conditional write; nothing waits for it",
    (
        "monitor",
        "use_concurrent_processor",
    ): "every monitor runs as many worksets as max_concurrent says",
    ("cluster", "template_path"): _OUR_CLUSTERS,
    ("cluster", "contact_email"): _OUR_CLUSTERS,
    ("cluster", "repo_tag"): f"say it as -t in the command of the step pipeline_starting of {OMICS}",
    ("cluster", "idle_teardown_minutes"): _OUR_CLUSTERS,
    ("pipeline", "workdir"): _OUR_STEPS,
    ("pipeline", "stage_command"): _OUR_STEPS,
    ("pipeline", "clone_command"): _OUR_STEPS,
    ("pipeline", "run_prefix"): _OUR_STEPS,
    ("pipeline", "export_command"): _OUR_STEPS,
    ("pipeline", "clone_dest_root"): f"say it as --root in the steps of pipelines.{OMICS}",
    ("pipeline", "repo_dir_name"): f"say it as --repository in the steps of pipelines.{OMICS}",
    ("pipeline", "local_stage_root"): "manifests stay in the workset's directory, and are not mirrored",
    ("pipeline", "reference_bucket"): _OUR_STEPS,
    ("pipeline", "ssh_extra_args"): "options of ssh belong into ~/.ssh/config; host keys are checked",
    ("pipeline", "login_shell_init"): "no shell of ours reads it; put it into a program of the step",
    ("pipeline", "tmux_session_prefix"): _NO_TMUX,
    ("pipeline", "tmux_keepalive_shell"): _NO_TMUX,
    ("pipeline", "local_state_root"): _IN_STORE,
}

_TRANSLATED: Final = {
    ("monitor", "sentinel_index_bucket"),
    ("cluster", "auto_teardown"),
    ("cluster", "reuse_cluster_name"),
    ("cluster", "preferred_availability_zone"),
    ("pipeline", "pipeline_timeout_minutes"),
    ("pipeline", "ssh_user"),
}
"""Keys whose value says what becomes of them."""

_KNOWN: Final = {*_TAKEN, *_NOT_APPLICABLE, *_TRANSLATED}
SECTIONS: Final = ("aws", "monitor", "cluster", "pipeline")
_FOLDERS: Final = frozenset({"prefix", "index_prefix", "archive_prefix"})


@frozen(kw_only=True)
class Translated:
    """A file in the words of our settings."""

    values: Mapping[str, Any]
    places: Mapping[str, str]
    """For settings that have another name there: which, as ``section.key``."""
    notes: tuple[str, ...]
    """What means nothing here, one line a key."""
    faults: tuple[Fault, ...]


def is_nested(content: Mapping[str, Any]) -> bool:
    """Tell whether a file speaks the dialect of the old monitor."""
    return any(isinstance(content.get(section), dict) for section in SECTIONS)


def translated(content: Mapping[str, Any]) -> Translated:
    """
    Return a nested file in the words of our settings, which may stand beside its sections.

    A key that is there and empty says nothing, as of old.
    """
    reader = _Reader(content)
    reader.read()
    return Translated(
        values=reader.values,
        places=reader.places,
        notes=tuple(reader.notes),
        faults=tuple(reader.faults),
    )


@define
class _Reader:
    content: Mapping[str, Any]
    values: dict[str, Any] = field(init=False, factory=dict)
    places: dict[str, str] = field(init=False, factory=dict)
    notes: list[str] = field(init=False, factory=list)
    faults: list[Fault] = field(init=False, factory=list)

    def read(self) -> None:
        self.values = {key: value for key, value in self.content.items() if key not in SECTIONS}
        for section, key, value in self._entries():
            at = (section, key)
            if at in _TAKEN:
                self._take(_TAKEN[at], f"{section}.{key}", value)
            elif at in _NOT_APPLICABLE:
                self._note(f"{section}.{key}", _NOT_APPLICABLE[at])
            elif at not in _TRANSLATED:
                near = meant(key, [name for part, name in _KNOWN if part == section])
                hint = f"; did you mean {near!r}?" if near else ""
                self.faults.append(Fault(f"{section}.{key}", f"is no setting of the monitor{hint}"))
        told: tuple[tuple[str, str, Callable[[str, Any], None]], ...] = (
            ("monitor", "sentinel_index_bucket", self._index_bucket),
            ("cluster", "auto_teardown", self._auto_teardown),
            ("cluster", "reuse_cluster_name", self._cluster_name),
            ("cluster", "preferred_availability_zone", self._zone),
            ("pipeline", "pipeline_timeout_minutes", self._timeout),
            ("pipeline", "ssh_user", self._ssh_user),
        )
        for section, key, act in told:
            value = self._section(section).get(key)
            if not _says_nothing(value):
                act(f"{section}.{key}", value)

    def _section(self, name: str) -> Mapping[str, Any]:
        found = self.content.get(name)
        return found if isinstance(found, dict) else {}

    def _entries(self) -> Iterator[tuple[str, str, Any]]:
        for section in SECTIONS:
            found = self.content.get(section)
            if found is not None and not isinstance(found, dict):
                self.faults.append(Fault(section, "must be a mapping of settings"))
            for key, value in self._section(section).items():
                if not _says_nothing(value):
                    yield section, str(key), value

    def _take(self, name: str, place: str, value: Any) -> None:
        if name in self.values:
            self.faults.append(Fault(place, f"is {name}, which is there too"))
            return
        if name in _FOLDERS and isinstance(value, str):
            value = f"{value.strip('/')}/"  # with or without slashes at its ends, as of old
        self.values[name] = value
        self.places[name] = place

    def _note(self, place: str, why: str) -> None:
        self.notes.append(f"{place} is not applicable: {why}")

    def _index_bucket(self, place: str, value: Any) -> None:
        if value != self.values.get("bucket"):
            self._note(place, "index logs are kept in the bucket of worksets")

    def _auto_teardown(self, place: str, value: Any) -> None:
        if value is not False:
            self._note(place, _OUR_CLUSTERS)

    def _cluster_name(self, place: str, value: Any) -> None:
        """Take the one cluster that all worksets ran on for the one that all run on."""
        if not isinstance(value, str):
            self.faults.append(Fault(place, f"{value!r:.80} is not the name of a cluster"))
            return
        named = self.values.get("clusters")
        if isinstance(named, dict) and value in named:
            return
        cluster: dict[str, Any] = {}
        zone = self._section("cluster").get("preferred_availability_zone")
        if not _says_nothing(zone):
            cluster["availability_zone"] = zone
        if "max_concurrent" in self.values:
            cluster["max_concurrent"] = self.values["max_concurrent"]
        self._take("clusters", place, {value: cluster})

    def _zone(self, place: str, _value: Any) -> None:
        if _says_nothing(self._section("cluster").get("reuse_cluster_name")):
            self._note(place, "say availability_zone of each of 'clusters', or of a workset")

    def _timeout(self, place: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.faults.append(Fault(place, f"{value!r:.80} is not a number of minutes"))
            return
        limit = {"time_limit": value * 60}
        named = self.values.get("pipelines")
        if not isinstance(named, dict):
            self._take("pipelines", place, {OMICS: limit})
            return
        omics = named.get(OMICS) or {}
        if isinstance(omics, dict) and "time_limit" not in omics:
            self.values["pipelines"] = {**named, OMICS: {**omics, **limit}}
        else:
            self.faults.append(Fault(place, f"is pipelines.{OMICS}.time_limit, which is there too"))

    def _ssh_user(self, place: str, value: Any) -> None:
        host = self.values.get("slurm_host")
        if not isinstance(host, str):
            self._note(place, "name the login node as slurm_host: [user@]host[:port]")
        elif "@" not in host:
            self.values["slurm_host"] = f"{value}@{host}"


def _says_nothing(value: Any) -> bool:
    return value is None or value == "" or value == []
