"""Cursors of listings."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daylily.adapters.paging import check_limit, decode_cursor, encode_cursor, page_of
from daylily.domain.errors import InvalidInputError
from daylily.ports.paging import Page


@given(st.text(), st.lists(st.text(), max_size=4))
def test_a_cursor_gives_back_what_it_was_made_of(kind: str, parts: list[str]) -> None:
    """Any text survives, and the cursor itself needs no quoting in an address."""
    cursor = encode_cursor(kind, *parts)
    assert decode_cursor(kind, cursor, len(parts)) == tuple(parts)
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_no_made_up_cursor_is_taken(cursor: str) -> None:
    """Whatever comes in, it is refused as bad input and nothing else happens."""
    with pytest.raises(InvalidInputError):
        decode_cursor("queue", cursor, 2)


def test_a_cursor_belongs_to_its_listing() -> None:
    """A cursor of another listing, or of another shape, is refused."""
    cursor = encode_cursor("queue", "a", "b")
    for kind, count in (("due", 2), ("queue", 1), ("queue", 3)):
        with pytest.raises(InvalidInputError):
            decode_cursor(kind, cursor, count)


def test_deep_nesting_is_refused() -> None:
    """Nested brackets without end exhaust nothing."""
    with pytest.raises(InvalidInputError):
        decode_cursor("queue", base64.urlsafe_b64encode(b"[" * 6000).decode(), 2)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_has_room_for_one(limit: int) -> None:
    """A page that can hold nothing would never end."""
    with pytest.raises(InvalidInputError):
        check_limit(limit)


def test_the_last_page_has_no_cursor() -> None:
    """A full page that is the last one says so: nobody asks for an empty one."""
    assert page_of("abc", 3, str) == Page(("a", "b", "c"))
    assert page_of("abc", 2, str) == Page(("a", "b"), "b")
    assert page_of("", 2, str) == Page(())
