"""Names that become paths: what is refused, and that what is accepted leads nowhere else."""

import posixpath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daylily.domain.errors import InvalidInputError
from daylily.domain.names import (
    KEY_BYTES,
    check_attempt_key,
    check_id,
    check_key,
    is_id,
    key_fault,
    mint_id,
)

HOSTILE = {
    "": "is empty",
    "..": "outside",
    ".": "'.' part",
    "./a": "'.' part",
    "a/.": "'.' part",
    "a//b": "empty",
    "a/": "empty",
    "//": "absolute",
    "/": "absolute",
    "/etc/passwd": "absolute",
    "../a": "outside",
    "a/../b": "outside",
    "a/b/..": "outside",
    "a\0b": "control",
    "a\nb": "control",
    "a\x7fb": "control",
    "a\x85b": "control",
    "a\u2028b": "control",
    "a\\b": "backslash",
    "..\\a": "backslash",
    "x" * (KEY_BYTES + 1): "longer than 1024 bytes",
    "é" * (KEY_BYTES // 2 + 1): "longer than 1024 bytes",
    "name\udcff.fq": "not UTF-8",
}


@pytest.mark.parametrize("key", HOSTILE, ids=ascii)
def test_hostile_keys_are_refused(key: str) -> None:
    """Each is refused under its place, with the reason, and the message can be printed."""
    with pytest.raises(InvalidInputError, match=HOSTILE[key]) as caught:
        check_key(key, "samples[0].r1")

    (fault,) = caught.value.faults
    assert fault.place == "samples[0].r1"
    assert len(str(fault).encode()) < 500


@pytest.mark.parametrize(
    "key", ["a", "a/b.fq", "..a", "a..", "...", "~", "C:", "é", "x" * KEY_BYTES, " "]
)
def test_sound_keys_are_returned(key: str) -> None:
    """What leads nowhere else is taken as it is."""
    assert check_key(key) == key
    assert key_fault(key, "key") is None


@given(st.text(st.sampled_from("./\\a\0\n ~é\udcff")) | st.text())
@example("a/../../b")
def test_accepted_keys_stay_below_their_root(key: str) -> None:
    """Whatever check_key accepts, joined to a root, is below it, unchanged, and can be stored."""
    try:
        check_key(key)
    except InvalidInputError:
        return
    joined = posixpath.join("/srv/worksets/ws-1", key)

    assert posixpath.normpath(joined) == joined
    assert joined.startswith("/srv/worksets/ws-1/")
    assert 0 < len(key.encode()) <= KEY_BYTES


@pytest.mark.parametrize("text", ["abc", "A-1", "0__", "x" * 64])
def test_ids(text: str) -> None:
    """3 to 64 letters, digits, '-' and '_', the first a letter or digit."""
    assert is_id(text)
    assert check_id(text) == text


@pytest.mark.parametrize(
    "text", ["", "ab", "-ab", "_ab", "a.b", "a/b", "a b", "abc\n", "é12", "x" * 65, "١٢٣"]
)
def test_what_is_no_id(text: str) -> None:
    """Anything else is refused under its place."""
    assert not is_id(text)
    with pytest.raises(InvalidInputError, match=r"^customer_id: .*is not an id"):
        check_id(text, "customer_id")


@given(st.text())
@example("İstanbul ẞ")
@example("-" * 40 + "x")
def test_minted_ids_are_ids(name: str) -> None:
    """Whatever a customer calls a workset, its id is sound, readable, and ends in the token."""
    minted = mint_id(name, "k3x9q0z1ab")

    assert is_id(minted)
    assert minted.endswith("-k3x9q0z1ab")


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Trio 7, rerun", "trio-7-rerun"), ("..", "workset"), ("", "workset"), ("a" * 50, "a" * 30)],
)
def test_minted_ids_are_readable(name: str, slug: str) -> None:
    """Letters and digits of the name lead; a name without any is ``workset``."""
    assert mint_id(name, "k3x9q0z1ab") == f"{slug}-k3x9q0z1ab"


def test_attempt_keys() -> None:
    """``<workset_id>/<attempt>`` comes apart; numbers start at 1, without leading zeros."""
    assert check_attempt_key("ws-1/12") == ("ws-1", "12")


@pytest.mark.parametrize(
    "text", ["ws-1", "ws-1/", "ws-1/0", "ws-1/01", "ws-1/1/2", "../1", "ws-1/x", "/1", "w/1"]
)
def test_what_is_no_attempt_key(text: str) -> None:
    """Anything else is refused: it would become a path or a job's name."""
    with pytest.raises(InvalidInputError, match="<workset_id>/<attempt>"):
        check_attempt_key(text)
