"""
Rows of ours whose attributes have been replaced, each in turn, by something of another type.

Whatever that is: the row is named as unreadable, or read as well as it can be; it hides no other, no
listing fails of it, and nobody writes over it who could not read it.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import pytest
from attrs import define, evolve, field

from daylily.adapters.aws.dynamodb import DynamoDBStateStore
from daylily.adapters.aws.items import HISTORIC
from daylily.adapters.aws.rows import to_wire
from daylily.adapters.aws.schema import INDEXES
from daylily.adapters.memory.object_store import InMemoryObjectStore
from daylily.domain.errors import UnavailableError
from daylily.domain.workset import Workset
from daylily.ports.paging import every
from daylily.ports.state_store import Filter, Unreadable
from daylily.testing.samples import NOON, a_manifest, a_workset, locked, running, settled

KEY: Final = "workset_id"
LATER: Final = NOON + timedelta(days=900)
REFERENCES: Final = frozenset({"history_key", "manifest_key"})
KEYS: Final = frozenset(
    name for index in INDEXES for name in (index.partition, index.order)
)  # fmt: skip


def _deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "bottom"}
    for level in range(levels):
        value = {"M": {"a": value}} if level % 2 else {"L": [value]}
    return value


HOSTILE: Final[dict[str, dict[str, Any]]] = {
    "empty text": {"S": ""},
    "odd text": {"S": "\u0000\ud7ff\U0001f9ec"},
    "json of another kind": {"S": "[[]]"},
    "deep json": {"S": "[" * 20_000},
    "long text": {"S": "x" * 399_000},
    "zero": {"N": "0"},
    "negative": {"N": "-1"},
    "fraction": {"N": "1.5"},
    "huge": {"N": "9.9999999999999999999999999999999999999E+125"},
    "tiny": {"N": "1E-130"},
    "true": {"BOOL": True},
    "null": {"NULL": True},
    "bytes": {"B": b"\xff\x00"},
    "list": {"L": []},
    "list of all": {"L": [{"N": "1"}, {"NULL": True}, {"M": {"n": {"S": "x"}}}, {"M": {}}]},
    "odd entries": {"L": [{"M": {"n": {"N": "9E+125"}, "state": {"B": b"x"}, "whole": {"N": "1"}}}]},
    "map": {"M": {}},
    "map of all": {"M": {"n": {"N": "1.5"}, "state": {"L": []}, "samples": {"S": "x"}}},
    "deep": _deep(30),
    "texts": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2"]},
    "several bytes": {"BS": [b"a"]},
}


@define
class OneTable:
    """A client of a table that answers each question with all rows that may be meant."""

    rows: dict[str, dict[str, Any]] = field(factory=dict)
    written: list[str] = field(factory=list)

    def get_item(self, *, Key: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        """Return a row."""
        row = self.rows.get(Key[KEY]["S"])
        return {"Item": row} if row else {}

    def update_item(self, *, Key: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        """Take note of a write, which is not done."""
        self.written.append(Key[KEY]["S"])
        return {}

    def scan(self, **_: Any) -> dict[str, Any]:
        """Return all rows."""
        return {"Items": list(self.rows.values())}

    def query(self, *, IndexName: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Return what an index has: rows whose keys for it are texts."""
        [index] = [each for each in INDEXES if each.name == IndexName]
        names = (index.partition, index.order)
        found = [row for row in self.rows.values() if all(row.get(each, {}).get("S") for each in names)]
        return {"Items": sorted(found, key=lambda row: str(row[index.order]["S"])), "Count": len(found)}


def _store(client: OneTable) -> DynamoDBStateStore:
    """Return a store that remembers nothing yet."""
    objects = InMemoryObjectStore(lambda: NOON)
    return DynamoDBStateStore(client, "worksets", spill=objects)  # type: ignore[arg-type]


def _wire(workset: Workset) -> dict[str, Any]:
    """Return the row of a new workset."""
    made: dict[str, Any] = {}

    class Catching(OneTable):
        def update_item(self, **call: Any) -> dict[str, Any]:
            names, values = call["ExpressionAttributeNames"], call["ExpressionAttributeValues"]
            for part in call["UpdateExpression"].removeprefix("SET ").split(", "):
                name, _, value = part.partition(" = ")
                made[names[name]] = values[value]
            return {}

        def put_item(self, *, Item: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803
            made.update(Item)
            return {}

    _store(Catching()).add(workset)
    return {**made, KEY: {"S": workset.workset_id}}


def _worksets() -> Iterator[Workset]:
    yield a_workset("odd", manifest=a_manifest("A", "B"))
    yield locked(settled(a_workset("odd")))
    yield settled(running(settled(a_workset("odd"))))


@pytest.mark.parametrize("workset", [*_worksets()], ids=lambda each: str(each.state))
def test_every_attribute_by_every_type(workset: Workset) -> None:
    """One by one, beside a sound row."""
    whole, sound = _wire(workset), _wire(a_workset("sound"))
    assert {"record", "version", "state_history", "manifest", "write_id"} <= whole.keys()
    faults = []
    for name in sorted((whole.keys() | HISTORIC | REFERENCES) - {KEY}):
        for what, value in HOSTILE.items():
            if name in KEYS and not value.get("S"):
                continue  # DynamoDB refuses it itself
            client = OneTable({"odd": {**whole, name: value}, "sound": sound})
            try:
                faults += [f"{name}, {what}: {each}" for each in _faults(client)]
            except Exception as error:  # noqa: BLE001 - any is one
                faults.append(f"{name}, {what}: {type(error).__name__}: {error}"[:200])
    assert faults == []


def _faults(client: OneTable) -> Iterator[str]:
    """Do all that is done with rows; yield what goes wrong."""
    looking = evolve(_store(client), adopt_every=None)
    found = {each.workset_id: each for each in every(lambda cursor: looking.scan(cursor=cursor))}
    if found.keys() != {"odd", "sound"}:
        yield "scan hides one"
    if "sound" not in {each.workset_id for each in looking.list(Filter()).items}:
        yield "list hides the sound one"
    if "sound" not in {each.workset_id for each in looking.queue().items}:
        yield "queue hides the sound one"
    looking.due(LATER)
    try:
        read = looking.get("odd")
    except UnavailableError:
        if not isinstance(found["odd"], Unreadable):
            yield "scan takes for sound what cannot be read"
        _store(client).queue()  # a monitor's look, which adopts what others have written
        if "odd" in client.written:
            yield "it was written without having been read"
        return
    if isinstance(found["odd"], Unreadable):
        yield "scan names as unreadable what can be read"
    try:
        looking.history("odd")
    except UnavailableError as error:
        if "odd" not in str(error):
            yield f"nobody learns whose history it is: {error}"
    looking.save(read)


@pytest.mark.parametrize(
    "key",
    [
        "worksets/victim/manifests/0123456789abcdef.json",
        "worksets/odd/../victim/manifests/0123456789abcdef.json",
        "files/victim/odd/history/secret.txt",
        "/worksets/odd/manifests/x.json",
        "files/victim/genome.json",
    ],
)
def test_a_row_that_refers_to_what_is_anothers(key: str) -> None:
    """It is not read, for a manifest or for a history: the row is named as unreadable."""
    whole = _wire(a_workset("odd"))
    secret = json.dumps({"entries": [{"reason": "secret"}], "before": None}).encode()
    for name in ("manifest_key", "history_key"):
        row = {
            key: value for key, value in whole.items() if (key, name) != ("manifest", "manifest_key")
        }
        store = _store(OneTable({"odd": row | to_wire({name: key})}))
        assert isinstance(store.spill, InMemoryObjectStore)
        store.spill.put("worksets/victim/manifests/0123456789abcdef.json", secret)
        with pytest.raises(UnavailableError, match="not its own"):
            store.history("odd")


def test_a_history_that_refers_to_itself() -> None:
    """It ends."""
    key = "worksets/odd/history/1-1-0123456789abcdef.json"
    store = _store(OneTable({"odd": _wire(a_workset("odd")) | to_wire({"history_key": key})}))
    assert store.spill is not None
    store.spill.put(key, json.dumps({"entries": [{"state": "ready"}], "before": key}).encode())
    with pytest.raises(UnavailableError, match="holds no history"):
        store.history("odd")
