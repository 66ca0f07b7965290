"""The JSON records of worksets."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import UnionType
from typing import Any, get_args, get_origin

import pytest
from attrs import evolve, fields, has
from hypothesis import given
from hypothesis import strategies as st

from daylily.adapters.local.records import from_record, to_record
from daylily.domain.errors import UnavailableError
from daylily.domain.pipelines import Resources
from daylily.domain.workset import Workset
from daylily.testing.contracts.state_store import a_life
from daylily.testing.samples import NOON, a_workset

ZONES = (UTC, timezone(timedelta(hours=5, minutes=45)), timezone.min)
INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(9990, 1, 1), timezones=st.sampled_from(ZONES))  # noqa: DTZ001


def of(kind: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for whatever the annotations of the domain allow."""
    if kind is datetime:
        return INSTANTS
    if kind is timedelta:
        return st.timedeltas(timedelta(0), timedelta(days=36500))  # seconds keep microseconds so far
    if kind is Decimal:
        return st.decimals(allow_nan=False, allow_infinity=False)
    if kind is float:
        return st.floats(allow_nan=False)  # NaN equals nothing, not even itself
    if has(kind):
        return st.builds(kind, **{field.name: of(field.type) for field in fields(kind)})
    inner = get_args(kind)
    if get_origin(kind) is UnionType:
        return st.one_of(*map(of, inner))
    if get_origin(kind) is tuple:
        return st.lists(of(inner[0]), max_size=2).map(tuple)
    if get_origin(kind) is frozenset:
        return st.frozensets(of(inner[0]))
    return st.from_type(kind)


@given(of(Workset))
def test_any_workset_reads_back_equal(workset: Workset) -> None:
    """Whatever the types of the domain allow survives being written and read."""
    record = to_record(workset)
    assert from_record(Workset, record, "ws-1") == workset
    assert "\n" not in record


@pytest.mark.parametrize("stage", range(10))
def test_records_of_equal_worksets_are_equal(stage: int) -> None:
    """A record can be compared: the same workset is always written the same way."""
    workset = a_life()[stage]
    other = evolve(workset, posted=frozenset(sorted(workset.posted, reverse=True)))
    assert to_record(workset) == to_record(other)
    assert to_record(from_record(Workset, to_record(workset), "ws-1")) == to_record(workset)


def test_instants_are_utc_with_microseconds() -> None:
    """Instants are written in one form, in which text order is time order."""
    kathmandu = NOON.astimezone(timezone(timedelta(hours=5, minutes=45)))
    record = json.loads(to_record(a_workset(at=kathmandu)))
    assert record["created_at"] == "2025-06-02T12:00:00.000000Z"


def test_an_instant_without_a_zone_is_not_written() -> None:
    """It could mean any time, so it is stopped before it is stored."""
    with pytest.raises(ValueError, match="no time zone"):
        to_record(a_workset(at=NOON.replace(tzinfo=None)))


def test_durations_are_seconds() -> None:
    """A duration is a number of seconds, to the microsecond."""
    resources = Resources(time_limit=timedelta(minutes=1, microseconds=1))
    assert json.loads(to_record(resources))["time_limit"] == 60.000001
    assert from_record(Resources, to_record(resources), "germline") == resources


def test_keys_of_a_newer_writer_are_passed_over() -> None:
    """A record with keys that this version does not know is readable, at every depth."""
    record = json.loads(to_record(a_life()[4]))
    record["billing"] = {"code": 7}
    record["manifest"]["samples"][0]["ploidy"] = 3
    record["attempts"][0]["node"] = "n1"
    record["debts"][0]["urgent"] = True
    assert from_record(Workset, json.dumps(record), "ws-1") == a_life()[4]


def test_keys_that_an_older_writer_did_not_know_have_their_defaults() -> None:
    """A record without an optional key is readable."""
    record = json.loads(to_record(a_workset()))
    for key in ("fence", "progress", "retry_requested_by", "max_retries"):
        del record[key]
    assert from_record(Workset, json.dumps(record), "ws-1") == a_workset()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("state", "on holiday"),
        ("created_at", "yesterday"),
        ("created_at", None),
        ("debts", [{"debt": "PayTaxes"}]),
        ("debts", [{}]),
        ("manifest", None),
        ("history", 7),
    ],
)
def test_what_makes_no_sense_is_an_outage(key: str, value: object) -> None:
    """A damaged record raises, with the name of its workset; it is never read as something else."""
    record = json.loads(to_record(a_workset())) | {key: value}
    with pytest.raises(UnavailableError, match="ws-1"):
        from_record(Workset, json.dumps(record), "ws-1")
