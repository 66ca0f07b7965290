"""YAML from strangers: what is refused, where, and how soon."""

import random
import time
from collections.abc import Callable

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daylily.adapters.formats import strict_yaml
from daylily.adapters.formats.reading import MAX_BYTES
from daylily.adapters.formats.strict_yaml import Dictionary, Scalar, Sequence
from daylily.adapters.formats.work_yaml import parse, render
from daylily.domain.errors import InvalidInputError
from daylily.testing.samples import a_workset

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

Recorded = Callable[[str], bytes]
FaultsOf = Callable[[Callable[[], object]], list[str]]

SOUND = render(a_workset(notification_email="a@example.org"), bucket_uri="s3://b/ws-1").encode()


def test_tree() -> None:
    """Lists, mappings and text come as they are written, with their lines."""
    assert strict_yaml.read(b"a: 01\nb:\n- 'x'\n- {c: ~}\n") == Dictionary(
        {
            "a": Scalar("01", quoted=False, line=1),
            "b": Sequence(
                (
                    Scalar("x", quoted=True, line=3),
                    Dictionary({"c": Scalar("~", quoted=False, line=4)}, 4),
                ),
                3,
            ),
        },
        1,
    )


def test_byte_order_mark() -> None:
    """A byte order mark is no part of the first key."""
    assert "a" in strict_yaml.read(b"\xef\xbb\xbfa: b").entries


def test_bomb(recorded: Recorded, faults_of: FaultsOf) -> None:
    """A bomb is refused before it is put together: neither anchors nor aliases are taken."""
    faults = faults_of(lambda: strict_yaml.read(recorded("work_bomb.yaml")))

    assert faults[0] == "a: anchors (&) are not taken (line 1)"
    assert faults[2] == "b[0]: aliases (*) are not taken; write the value out (line 2)"
    assert len(faults) == 4 + 4 * 9


def test_objects(recorded: Recorded, faults_of: FaultsOf) -> None:
    """Tags, merge keys and repeated keys are refused, all at once, each at its key path and line."""
    tag = "tag:yaml.org,2002:python/object/apply:os.system"

    assert faults_of(lambda: strict_yaml.read(recorded("work_objects.yaml"))) == [
        "defaults: anchors (&) are not taken (line 1)",
        "samples[0].'<<': merge keys are not taken (line 4)",
        "samples[0].'<<': aliases (*) are not taken; write the value out (line 4)",
        f"samples[0].fastq_r1: the tag {tag!r} is not taken (line 6)",
        "samples[0].fastq_r2: the tag '!secret' is not taken (line 7)",
        "priority: stands there twice, near line 8 and at line 9",
    ]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "is not a mapping"),
        (b"text", "is not a mapping"),
        (b"- a", "is a list, not a mapping"),
        (b"a: 1\n---\nb: 2\n", "line 2: a second document begins; only one is taken"),
        (b"a: b: c", "line 1, column 5: is not YAML: mapping values are not allowed"),
        (b"a: 'b", "line 1, column 6: is not YAML: "),
        (b"a:\n\t- b", "line 2, column 1: is not YAML: "),
        (b"a: 1\nb: \xff", "line 2: byte 4 is not UTF-8"),
        ("a: b".encode("utf-16"), "is no text in UTF-8"),
        (b"PK\x03\x04\x00\xff\n" * 200, "is no text in UTF-8"),
        (b"a: 1\nb: x\0", "line 2, column 5: holds a character that YAML does not allow"),
        (b"%YAML 1.1\n---\na: b", "line 1, column 1: directives (%) are not taken"),
        (b"? [a]\n: b", "a key is not text (line 1)"),
        (b"? {a: b}\n: c", "a key is not text (line 1)"),
        (b"a: {? [x] : y}", "a: a key is not text (line 1)"),
        (b"a: !!binary aGk=", "a: the tag 'tag:yaml.org,2002:binary' is not taken (line 1)"),
        (
            b"a: !!timestamp 2024-01-01",
            "a: the tag 'tag:yaml.org,2002:timestamp' is not taken (line 1)",
        ),
        (b"a: !!set {b}", "a: the tag 'tag:yaml.org,2002:set' is not taken (line 1)"),
        (b'a: "\\UFFFFFFFF"', "is not YAML: "),
        (b'a: "\\ud800"', "is not YAML: "),
        (b"a: " + b"[" * 20, "is nested more than 20 deep (line 1)"),
        (b"a: *nobody", "a: aliases (*) are not taken"),
        (b"a: " + b"x" * MAX_BYTES, "is larger than 10 MiB"),
    ],
)
def test_refused(data: bytes, fault: str, faults_of: FaultsOf) -> None:
    """What is not the plainest YAML is refused with line and column, as far as they are known."""
    assert fault in "\n".join(faults_of(lambda: strict_yaml.read(data)))


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b'workset_name: "\\UFFFFFFFF"', "is not YAML: "),
        (b'workset_name: "\\ud800"', "workset_name: '\\ud800' is not one line of plain text (line 1)"),
        (b"a: b: c", "line 1, column 5: is not YAML: mapping values are not allowed"),
        (b"a: &x [*x]", "a: anchors (&) are not taken (line 1)\na[0]: aliases (*) are not taken"),
        (b"samples:\n- id: 'a'\n  r1: x", "samples[0].r1: 'x' is not named like FASTQ"),
    ],
)
def test_without_libyaml(
    data: bytes, fault: str, monkeypatch: pytest.MonkeyPatch, faults_of: FaultsOf
) -> None:
    """Where PyYAML was built without libyaml, its own loader does; it is only slower."""
    monkeypatch.setattr(strict_yaml, "_LOADER", yaml.SafeLoader)

    assert fault in "\n".join(faults_of(lambda: parse(data, default_name="x")))


def test_depth_that_is_taken() -> None:
    """Twenty lists and mappings within each other are taken, and the next is too many."""
    deep = strict_yaml.MAX_DEPTH - 1

    assert strict_yaml.read(b"a: " + b"[" * deep + b"]" * deep).line == 1
    with pytest.raises(InvalidInputError):
        strict_yaml.read(b"a: " + b"[" * (deep + 1) + b"]" * (deep + 1))


def seconds_to_refuse(data: bytes) -> float:
    """Return the processor time that it takes to refuse *data*; others may be at work meanwhile."""
    before = time.process_time()
    with pytest.raises(InvalidInputError):
        strict_yaml.read(data)
    return time.process_time() - before


JUNK = [
    b"- a\n", b"a,", b"[", b"{", b"a\n", b"a: ", b"? ", b"---\n", b"!", b"&", b"!!str ", b"#\n", b"\t",
    b"\r", b" ", b"*a ", b"'", b'"', b"|\n", b"%TAG !a! x\n", b"\xc2\x85", b"\xff\n", b"\0", b"{]: ,",
]  # fmt: skip


@pytest.mark.parametrize("piece", JUNK)
@pytest.mark.parametrize("start", [b"", b"a: [", b'a: "', b"samples:\n- {"])
def test_junk_is_quick(start: bytes, piece: bytes) -> None:
    """However junk is made up, refusing half a megabyte of it takes no more than a moment."""
    # Far more than is needed; what grew with the square of the size would take minutes.
    assert seconds_to_refuse(start + piece * (500_000 // len(piece))) < 10


@pytest.mark.parametrize("piece", [b"- a\n", b"a", b"[", b"\xff\n", b"'a\n'"])
def test_large_junk_is_quick(piece: bytes) -> None:
    """A file of junk as large as any that is looked at is refused within a second or two."""
    assert seconds_to_refuse(piece * (MAX_BYTES // len(piece))) < 10


def test_many_values_are_quick() -> None:
    """A sound file with more values than any workset has is refused before all are read."""
    data = b"".join(b"k%d: v\n" % number for number in range(700_000))

    assert seconds_to_refuse(data) < 10


def test_random_bytes(faults_of: FaultsOf) -> None:
    """Bytes of no meaning cost a hundred faults, not a million; what is no text at all costs one."""
    data = random.Random(1).randbytes(MAX_BYTES)  # noqa: S311
    assert len(faults_of(lambda: strict_yaml.read(data))) == 1

    data = data.replace(b"\0", b"\1")
    assert len(faults_of(lambda: strict_yaml.read(data))) == 100


def read_or_refuse(data: bytes) -> None:
    """Take either outcome, and no other exception."""
    try:
        parse(data, default_name="x")
    except InvalidInputError as error:
        assert error.faults  # noqa: PT017


@unhurried
@given(st.binary())
def test_any_bytes(data: bytes) -> None:
    """Whatever the bytes, the file is read or refused."""
    read_or_refuse(data)


@unhurried
@given(st.text(st.characters(codec="utf-8") | st.sampled_from("{}[]:,-?&*!|>'\"%@#\n\t ")))
def test_any_text(text: str) -> None:
    """Whatever the text, the file is read or refused."""
    read_or_refuse(text.encode())


PIECES = [
    b"samples:\n", b"- sample_id: S1\n", b"  fastq_r1: a.fq\n", b"  lane: 1\n", b"dy-r: ",
    b"workset:\n", b"  name: x\n", b"coverage: .nan\n", b"&a ", b"*a", b"!!str ", b"<<: ", b"? ",
    b"---\n", b"\xff", b"\0", b"[", b"]", b"{", b"}", b": ", b"- ", b"|\n", b"'", b'"', b'"\\ud800"',
    b"~", b"\t",
]  # fmt: skip


@unhurried
@given(
    st.lists(
        st.tuples(st.integers(0, len(SOUND)), st.integers(0, 20), st.sampled_from(PIECES)), max_size=4
    )
)
def test_mutated(edits: list[tuple[int, int, bytes]]) -> None:
    """A sound file with pieces cut out and put in is read or refused."""
    data = SOUND
    for start, length, piece in edits:
        data = data[:start] + piece + data[start + length :]
    read_or_refuse(data)


@unhurried
@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_put_together(pieces: list[bytes]) -> None:
    """Whatever can be put together from such pieces is read or refused."""
    read_or_refuse(b"".join(pieces))
