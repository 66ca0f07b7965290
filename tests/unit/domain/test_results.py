"""Files that every run leaves: checksums, and what became of each sample."""

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daylily.domain.results import (
    MANIFEST,
    MESSAGE_LENGTH,
    MESSAGES_MOST,
    OUTCOMES_MOST,
    SampleOutcome,
    bounded,
    manifest_text,
    read_samples,
    samples_text,
)


def test_sha256sum_reads_the_manifest(tmp_path: Path) -> None:
    """Whatever files are called, ``sha256sum -c`` finds them."""
    names = ["plain", "with blank", "back\\slash", "line\nend", "cr\r", "é", "*star"]
    for name in names:
        (tmp_path / name).write_text(name)
    sums = {name: hashlib.sha256(name.encode()).hexdigest() for name in names}
    (tmp_path / MANIFEST).write_text(manifest_text(sums), newline="")

    subprocess.run(["/usr/bin/sha256sum", "--strict", "-c", MANIFEST], cwd=tmp_path, check=True)


@given(
    st.lists(
        st.tuples(st.text(max_size=20), st.none() | st.text(max_size=300)), unique_by=lambda t: t[0]
    )
)
def test_outcomes_come_back(told: list[tuple[str, str | None]]) -> None:
    """What is written is read again, in the order asked for; a complaint is cut to one short line."""
    outcomes = [SampleOutcome.of(name, complaint) for name, complaint in told]
    names = [name for name, _ in told]

    found = read_samples(samples_text(outcomes).encode(), reversed(names))

    assert [each.sample_id for each in found] == names[::-1]
    for each, (_, complaint) in zip(reversed(found), told, strict=True):
        assert each.failed == (complaint is not None)
        assert len(each.message) <= MESSAGE_LENGTH
        assert "\n" not in each.message


def test_only_known_samples() -> None:
    """A file may name samples that the workset does not have: these are nobody's."""
    text = samples_text([SampleOutcome(sample_id="A"), SampleOutcome(sample_id="X")])

    assert read_samples(text.encode(), ["A", "B"]) == (SampleOutcome(sample_id="A"),)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xff", b"[]", b"null", b"{}", b'{"samples": 3}', b'{"samples": [1]}',
        b'{"samples": [{"sample_id": "A"}]}', b'{"samples": [{"sample_id": [], "status": "ok"}]}',
        b'{"samples": [{"sample_id": "A", "status": "odd"}]}', b'{"samples": ["A"]}', b"[" * 100_000,
        b'{"samples": [{"sample_id": "A", "status": {}}]}',
    ],
)  # fmt: skip
def test_what_makes_no_sense(data: bytes) -> None:
    """It is nothing, and no error: anybody may have written it."""
    assert read_samples(data, ["A"]) == ()


def test_a_record_is_told_of_so_many_samples() -> None:
    """Those that failed come before those that did not, and the first of them say why."""
    names = [f"S{number}" for number in range(2 * OUTCOMES_MOST)]
    bad = {*names[::3]}
    outcomes = [SampleOutcome.of(name, f"{name} is cut" if name in bad else None) for name in names]

    told = bounded(reversed(outcomes), [*names, "unheard of"])

    assert len(told) == OUTCOMES_MOST
    assert [each.sample_id for each in told] == sorted(
        (each.sample_id for each in told), key=names.index
    )
    failed = [each for each in told if each.failed]
    assert {each.sample_id for each in failed} == bad
    assert [bool(each.message) for each in failed[:MESSAGES_MOST]] == [True] * MESSAGES_MOST
    assert not any(each.message for each in failed[MESSAGES_MOST:])


def test_what_a_terminal_would_obey_is_blanked() -> None:
    """Why a sample failed may have been written by anybody: one line of what can be printed."""
    told = SampleOutcome.of("A", "\n\x1b[2J\ud800 read 7\r\nmore")

    assert told.message == "[2J  read 7"
