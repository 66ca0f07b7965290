"""A line of what went wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daylily.domain.brief import CUT, MOST, brief


@pytest.mark.parametrize(
    ("text", "most", "said"),
    [
        ("", 20, ""),
        ("\nrecord 1000\nand more", 20, "record 1000"),
        ("at record 1000", 14, "at record 1000"),
        ("at record 1000 of it", 16, "at record..."),
        ("at record 1000 of it", 17, "at record 1000..."),
        ("/a/very/long/path/to/it", 10, "/a/very..."),
    ],
)
def test_a_line_ends_between_words(text: str, most: int, said: str) -> None:
    """The first line alone, whole words of it, and dots where it goes on."""
    assert brief(text, most) == said


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=200))
def test_no_number_becomes_another(numbers: list[int]) -> None:
    """Every number that is shown is one that was said, and no line is too long."""
    words = brief(" ".join(map(str, numbers))).removesuffix(CUT).split()
    assert words == [str(number) for number in numbers][: len(words)]
    assert len(brief(" ".join(map(str, numbers)))) <= MOST
