"""Spans of time as people read them."""

from datetime import timedelta


def span_of(span: timedelta) -> str:
    """
    Return a span in its two largest units.

    >>> span_of(timedelta(seconds=0.25)), span_of(timedelta(seconds=75)), span_of(timedelta(hours=26))
    ('0.2 s', '1 min 15 s', '1 d 2 h')
    """
    seconds = span.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s" if 0 < seconds < 10 else f"{seconds:.0f} s"
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    left, told = int(seconds), list[tuple[int, str]]()
    for name, size in units:
        number, left = divmod(left, size)
        if number or told:
            told.append((number, name))
    return " ".join(f"{number} {name}" for number, name in told[:2] if number)
