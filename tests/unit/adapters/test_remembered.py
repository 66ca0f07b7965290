"""What was read before is not read again, and nothing old is ever returned."""

from daylily.adapters.remembered import Remembered


def test_the_same_is_read_once() -> None:
    """As long as what is stored is equal, what was made of it is returned, the very same."""
    remembered = Remembered[object]()

    def look(stored: object) -> object:
        return remembered.read("a", stored, object)

    first = look({"version": "1"})
    assert look({"version": "1"}) is first
    assert look({"version": "2"}) is not first
    assert look({"version": "1"}) is not first


def test_what_cannot_be_read_is_tried_again() -> None:
    """An error is the caller's, each time."""
    remembered = Remembered[int]()
    for _ in range(2):
        try:
            remembered.read("a", "x", lambda: int("x"))
        except ValueError:
            continue
        raise AssertionError("it was read")
    assert remembered.read("a", "1", lambda: 1) == 1


def test_so_many_are_remembered() -> None:
    """Those that were read longest ago are forgotten first."""
    remembered, read = Remembered[int](most=2), list[int]()

    def look(number: int) -> None:
        def made() -> int:
            read.append(number)
            return number

        remembered.read(str(number), number, made)

    for number in (1, 2, 3, 3, 2, 1):
        look(number)
    assert read == [1, 2, 3, 1]
